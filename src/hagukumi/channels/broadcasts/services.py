"""Verbs of broadcasts: plan, confirm, hold, go on, stop, send again; the heart starts and ends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.channels.mail import services as mail
from hagukumi.channels.outbox import services as outbox
from hagukumi.ledger import definitions

from .models import Broadcast
from .queries import SQL
from .reads import broadcasts, gate_preview

__all__ = [
    "NotReadyError",
    "broadcasts",
    "cancel",
    "gate_preview",
    "pause",
    "resend",
    "resend_all",
    "resume",
    "schedule",
    "step",
]


class NotReadyError(ValueError):
    """The message may not be sent; `problems` says why, in the language in force."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(" / ".join(found))
        self.problems = list(found)


def schedule(broadcast: Broadcast, at: datetime) -> None:
    """Fix the time of a draft. NotReadyError when its message may not be sent."""
    if found := mail.problems(broadcast.message):
        raise NotReadyError(found)
    Broadcast.objects.filter(pk=broadcast.pk, state="draft").update(state="scheduled", scheduled_at=at)


def step(now: datetime) -> int:
    """The heart's step: start broadcasts whose time has come, close those with nothing left. Returns rows changed."""
    changed = 0
    turn = definitions.turn("broadcast", now)
    for row in SQL.due_broadcasts.rows({"now": now}):
        if row["state"] == "sending":
            changed += SQL.finish_broadcast.run({"id": row["id"]})
            continue
        if turn.skips(row["id"]):
            continue
        with turn.attempt(row["id"]):
            changed += _start(row, now)
    return changed


def _start(row: dict[str, Any], now: datetime) -> int:
    if not SQL.start_broadcast.run({"id": row["id"], "now": now}):
        return 0
    members = sql.SQL(
        "SELECT m.lead_id, {key}::text AS occurrence, {now}::timestamptz AS due_at FROM segment_member m"
        " WHERE m.segment_id = {segment}"
    ).format(key=sql.Literal(f"b{row['id']}"), now=sql.Literal(now.isoformat()), segment=sql.Literal(row["segment_id"]))
    return 1 + mail.queue_from(members, message_id=row["message_id"], now=now, broadcast_id=row["id"])


def pause(broadcast_id: int) -> bool:
    """Hold what has not gone out; what is in hand at this moment still goes. False when it was not sending."""
    return bool(Broadcast.objects.filter(pk=broadcast_id, state="sending").update(state="paused"))


def resume(broadcast_id: int, now: datetime) -> bool:
    """Let a paused broadcast go on. False when it was not paused."""
    with transaction.atomic():
        if not Broadcast.objects.filter(pk=broadcast_id, state="paused").update(state="sending"):
            return False
        outbox.resume_batch(_message_of(broadcast_id), broadcast_id, now)
    return True


def cancel(broadcast_id: int) -> int | None:
    """Stop a broadcast for good; returns how many mails will not go out, None when it was over already."""
    with transaction.atomic():
        states_open = ("draft", "scheduled", "sending", "paused")
        if not Broadcast.objects.filter(pk=broadcast_id, state__in=states_open).update(state="cancelled"):
            return None
        return outbox.cancel_batch(_message_of(broadcast_id), broadcast_id)


def _message_of(broadcast_id: int) -> int:
    return Broadcast.objects.values_list("message_id", flat=True).get(pk=broadcast_id)


def resend(lead_id: int, delivery_id: int, now: datetime) -> bool:
    """Queue one failed, skipped or unknown mail again, because a person said so. False when it is in no such state."""
    with transaction.atomic():
        row = outbox.resend(lead_id, delivery_id, now)
        if row and row["broadcast_id"]:
            SQL.reopen_broadcast.run({"id": row["broadcast_id"]})
    return row is not None


def resend_all(message_id: int, broadcast_id: int | None, reason: str, now: datetime) -> int:
    """Queue again what failed or was skipped for this reason, because a person said so; returns how many.

    ValueError for a reason that only the person it is about can lift.
    """
    with transaction.atomic():
        again = outbox.resend_all(message_id, broadcast_id, reason, now)
        if again and broadcast_id:
            SQL.reopen_broadcast.run({"id": broadcast_id})
    return again
