"""Verbs of the outbox: queue for many, stop or free a broadcast's share, send again; its doors to other rooms."""

from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts import audit

from . import rules
from .channel import Channel, Job, Result, every, of, reason_text, register, resendable
from .gate import Audience, preview
from .queries import SQL
from .queue import Queue

__all__ = [
    "Audience",
    "Channel",
    "Job",
    "Queue",
    "Result",
    "cancel_batch",
    "delivery",
    "every",
    "in_flight",
    "of",
    "preview",
    "queue_from",
    "reason_text",
    "register",
    "resend",
    "resend_all",
    "resendable",
    "resume_batch",
    "states",
]


def queue_from(
    select: sql.Composable,
    channel: Channel,
    *,
    message_id: int,
    now: datetime,
    scenario_id: int | None = None,
    broadcast_id: int | None = None,
) -> int:
    """Queue one delivery per row of `select` (lead_id, occurrence, due_at), in the caller's transaction; how many.

    A send key (lead, message, occurrence) queued before is left alone, so repeating a step sends nothing twice.
    """
    asked = {
        "message_id": message_id, "channel": channel.key, "now": now, "scenario_id": scenario_id,
        "broadcast_id": broadcast_id,
    }  # fmt: skip
    return SQL.queue_from.run(asked, source=select)


def cancel_batch(message_id: int, broadcast_id: int) -> int:
    """What of a broadcast has not gone out never will; returns how many."""
    return SQL.cancel_queued.run({"id": broadcast_id, "message_id": message_id})


def resume_batch(message_id: int, broadcast_id: int, now: datetime) -> int:
    """What a pause has parked is due again; returns how many."""
    params = {"id": broadcast_id, "message_id": message_id, "now": now, "until_resumed": rules.UNTIL_RESUMED}
    return SQL.resume_queued.run(params)


def delivery(lead_id: int, delivery_id: int) -> dict[str, Any] | None:
    """One delivery by the numbers of its token; None where there is none."""
    return SQL.delivery_of.row({"lead_id": lead_id, "id": delivery_id})


def resend(lead_id: int, delivery_id: int, now: datetime) -> dict[str, Any] | None:
    """Queue one failed, skipped or unknown delivery again, because a person said so; None for any other."""
    with transaction.atomic():
        if not SQL.resend.run({"lead_id": lead_id, "id": delivery_id, "now": now}):
            return None
        audit.record("delivery.resent", "delivery", delivery_id, now, lead_id=lead_id)
    return delivery(lead_id, delivery_id)


def resend_all(message_id: int, broadcast_id: int | None, reason: str, now: datetime) -> int:
    """Queue again what failed or was skipped for this reason, because a person said so; returns how many.

    ValueError for a reason that only the person it is about can lift.
    """
    if not resendable(reason):
        raise ValueError(reason)
    return SQL.resend_reason.run({"message_id": message_id, "broadcast_id": broadcast_id, "reason": reason, "now": now})


def in_flight(message_id: int, now: datetime) -> bool:
    """Whether a batch of this message is going out now: it is one text for all of them."""
    return bool(SQL.in_flight.value({"message_id": message_id, "now": now}))


def states(message_id: int, broadcast_id: int | None = None) -> list[dict[str, Any]]:
    """Rows of (state, reason, mails, parked) of a message or one of its broadcasts; their sum is the audience."""
    return SQL.states.rows(
        {"message_id": message_id, "broadcast_id": broadcast_id, "until_resumed": rules.UNTIL_RESUMED}
    )
