"""What screens read of broadcasts."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hagukumi.channels.mail.services import EMAIL
from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.outbox.services import Audience
from hagukumi.kit.sql import Queries
from hagukumi.ledger.uses import Use

from .models import Broadcast

SQL = Queries(__file__, "reads.sql")


def broadcasts(*, before: int = 2**62, limit: int = 30, only: int | None = None) -> list[dict[str, Any]]:
    """Broadcasts, newest first, each with its audience by state; the six states add up to `audience`."""
    return SQL.broadcasts.rows({"before": before, "limit": limit, "id": only})


def one(broadcast_id: int) -> Broadcast | None:
    """A broadcast with its mail, sender and segment at hand; None where there is none of this id."""
    return Broadcast.objects.select_related("message__sender", "segment").filter(pk=broadcast_id).first()


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The broadcasts ahead or under way that send this mail, or go to this segment."""
    columns = {"message": "message_id", "segment": "segment_id"}
    if table in columns:
        ahead = Broadcast.objects.filter(**{columns[table]: object_id}, state__in=("scheduled", "sending", "paused"))
        for key, name in ahead.order_by("id").values_list("id", "message__name"):
            yield Use("一斉配信", "broadcast", name, f"/messages/{key}/")


def gate_preview(message_id: int, segment_id: int, now: datetime) -> Audience:
    """How a broadcast to the segment's present members would fare at `now` (the daily cap is of its day)."""
    picked = SQL.segment_audience.text
    return outbox.preview(EMAIL, picked, now, message_id=message_id, segment_id=segment_id)
