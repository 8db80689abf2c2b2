"""The sender's side of a mail, from its row and the workspace's addresses."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from hagukumi.accounts.models import Workspace

from .models import Sender
from .render import Identity


def identity_of(sender: Sender, workspace: Workspace | None) -> Identity:
    """The identity of a sender row; addresses from the workspace, else from the settings."""
    row = {name: getattr(sender, name) for name in _COLUMNS}
    row["base_url"] = workspace.base_url if workspace else ""
    row["collector_url"] = workspace.collector_url if workspace else ""
    return identity_from(row)


def identity_from(row: Mapping[str, Any]) -> Identity:
    """The identity of a row of sender columns with `base_url` and `collector_url` ('' = as in the settings)."""
    return Identity(
        **{name: row[name] for name in _COLUMNS},
        base_url=row["base_url"] or settings.BASE_URL,
        collector_url=row["collector_url"] or settings.COLLECTOR_URL,
    )


_COLUMNS = ("name", "email", "reply_to", "legal_name", "postal_address", "contact")
