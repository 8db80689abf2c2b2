"""The sender's side of a mail, from its row and this installation's public addresses."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from .models import Sender
from .render import Identity


def identity_of(sender: Sender) -> Identity:
    """The identity of a sender row."""
    return identity_from({name: getattr(sender, name) for name in _COLUMNS})


def identity_from(row: Mapping[str, Any]) -> Identity:
    """The identity of a row of sender columns."""
    return Identity(
        **{name: row[name] for name in _COLUMNS}, base_url=settings.BASE_URL, collector_url=settings.COLLECTOR_URL
    )


_COLUMNS = ("name", "email", "reply_to", "legal_name", "postal_address", "contact")
