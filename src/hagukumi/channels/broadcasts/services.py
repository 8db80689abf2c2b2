"""Verbs of broadcasts: plan, confirm, hold, go on, stop, send again; the heart starts and ends them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.channels.mail import reads as mails
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
    "draft",
    "export",
    "gate_preview",
    "pause",
    "resend",
    "resend_all",
    "resume",
    "schedule",
    "step",
]
log = structlog.get_logger(__name__)
OPEN = ("draft", "scheduled", "sending", "paused")
EXPORT_ROWS = 200_000


class NotReadyError(ValueError):
    """The message may not be sent; `problems` says why, in the language in force."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(" / ".join(found))
        self.problems = list(found)


def draft(
    *, message_id: int, segment_id: int, at: datetime | None, now: datetime, carry_until: datetime | None = None
) -> Broadcast:
    """Plan a broadcast; nothing goes out before `schedule`. `at` None: as soon as that is done."""
    with transaction.atomic():
        made = Broadcast.objects.create(
            message_id=message_id,
            segment_id=segment_id,
            scheduled_at=at,
            carry_until=carry_until,
            created_by_id=audit.present().user_id,
            created_at=now,
        )
        audit.record("broadcast.drafted", "broadcast", made.pk, now, at=at)
    return made


def schedule(broadcast: Broadcast, now: datetime) -> datetime | None:
    """Confirm a draft: it goes out at its time, at once where that is past; returns when. None where it is no draft.

    NotReadyError when its message may not be sent.
    """
    found = mail.problems(broadcast.message)
    if broadcast.message.archived_at:
        found = [_("このメールはしまわれています。別のメールで作り直してください。"), *found]
    if found:
        raise NotReadyError(found)
    at = max(broadcast.scheduled_at or now, now)
    if not _move(broadcast.pk, "confirm", now, "draft", "scheduled", scheduled_at=at):
        return None
    return at


def _move(broadcast_id: int, act: str, now: datetime, before: str, after: str, **values: Any) -> bool:
    """From one state to another, written down as the act of whoever acts. False in any other state."""
    with transaction.atomic():
        moved = Broadcast.objects.filter(pk=broadcast_id, state=before).update(state=after, **values)
        if moved:
            audit.record(f"broadcast.{act}", "broadcast", broadcast_id, now, **values)
    return bool(moved)


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
    queued = mail.queue_from(members, message_id=row["message_id"], now=now, broadcast_id=row["id"])
    if not queued:
        SQL.empty_broadcast.run({"id": row["id"]})
        log.warning("a broadcast found nobody to go to", broadcast_id=row["id"], segment_id=row["segment_id"])
    return 1 + queued


def pause(broadcast_id: int, now: datetime) -> bool:
    """Hold what has not gone out; what is in hand at this moment still goes. False when it was not sending."""
    return _move(broadcast_id, "pause", now, "sending", "paused")


def resume(broadcast_id: int, now: datetime) -> bool:
    """Let a paused broadcast go on. False when it was not paused."""
    with transaction.atomic():
        if not _move(broadcast_id, "resume", now, "paused", "sending"):
            return False
        outbox.resume_batch(_message_of(broadcast_id), broadcast_id, now)
    return True


def cancel(broadcast_id: int, now: datetime) -> int | None:
    """Stop a broadcast for good; returns how many mails will not go out, None when it was over already."""
    with transaction.atomic():
        if not Broadcast.objects.filter(pk=broadcast_id, state__in=OPEN).update(state="cancelled"):
            return None
        kept = outbox.cancel_batch(_message_of(broadcast_id), broadcast_id)
        audit.record("broadcast.cancel", "broadcast", broadcast_id, now, count=kept)
    return kept


def _message_of(broadcast_id: int) -> int:
    return Broadcast.objects.values_list("message_id", flat=True).get(pk=broadcast_id)


def resend(lead_id: int, delivery_id: int, now: datetime) -> bool:
    """Queue one failed, skipped or unknown mail again, because a person said so. False when it is in no such state."""
    with transaction.atomic():
        row = outbox.resend(lead_id, delivery_id, now)
        if row and row["broadcast_id"]:
            SQL.reopen_broadcast.run({"id": row["broadcast_id"]})
    return row is not None


def resend_all(broadcast_id: int, reason: str, now: datetime) -> int:
    """Queue again what failed or was skipped for this reason, because a person said so; returns how many.

    ValueError for a reason that only the person it is about can lift.
    """
    with transaction.atomic():
        again = outbox.resend_all(_message_of(broadcast_id), broadcast_id, reason, now)
        if again:
            SQL.reopen_broadcast.run({"id": broadcast_id})
        audit.record("broadcast.resent", "broadcast", broadcast_id, now, reason=reason, count=again)
    return again


def export(broadcast_id: int, now: datetime, *, state: str = "", reason: str = "") -> list[dict[str, Any]]:
    """The mails of a broadcast in this state, for this reason ('' = any), to be carried out of the house."""
    rows = mails.deliveries(_message_of(broadcast_id), broadcast_id, state=state, reason=reason, limit=EXPORT_ROWS)
    asked = {"state": state, "reason": reason}
    audit.record("broadcast.exported", "broadcast", broadcast_id, now, count=len(rows), filter=asked)
    return rows
