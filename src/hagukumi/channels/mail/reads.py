"""What screens and other rooms read of mails."""

from typing import Any

from .models import Delivery, Message


def choices() -> list[tuple[int, str]]:
    """(id, name) of the mails in use, the last changed first."""
    return list(Message.objects.filter(archived_at=None).order_by("-updated_at").values_list("id", "name"))


def names() -> dict[int, str]:
    """id -> name of every mail, archived ones too: history names them."""
    return dict(Message.objects.values_list("id", "name"))


def of_lead(lead_id: int, limit: int = 8) -> list[dict[str, Any]]:
    """The latest and the planned mails of one person: rows of `row` (a Delivery) and its mail's `name`."""
    rows = list(Delivery.objects.filter(lead_id=lead_id).order_by("-queued_at")[:limit])
    told = dict(Message.objects.filter(id__in={row.message_id for row in rows}).values_list("id", "name"))
    return [{"row": row, "name": told.get(row.message_id, "")} for row in rows]
