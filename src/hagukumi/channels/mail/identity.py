"""The sender's side of a mail, from its row and this installation's public addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:  # whoever renders in a child has no database
    from .models import Sender


@dataclass(frozen=True)
class Identity:
    """The sender's side of a mail: From, Reply-To, the display items, and where links lead."""

    name: str
    email: str
    reply_to: str
    legal_name: str
    postal_address: str
    contact: str
    base_url: str
    collector_url: str


def identity_of(sender: "Sender") -> Identity:
    """The identity of a sender row."""
    return identity_from({name: getattr(sender, name) for name in _COLUMNS})


def identity_from(row: Mapping[str, Any]) -> Identity:
    """The identity of a row of sender columns."""
    return Identity(
        **{name: row[name] for name in _COLUMNS}, base_url=settings.BASE_URL, collector_url=settings.COLLECTOR_URL
    )


_COLUMNS = ("name", "email", "reply_to", "legal_name", "postal_address", "contact")
