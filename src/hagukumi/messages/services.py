"""Verbs of the messages room: put mails into the queue, start and stop broadcasts, hand mails out, record what came back."""

from datetime import datetime

from psycopg import sql

from .queries import SQL


def queue_from(
    select: sql.Composable, *, message_id: int, now: datetime, scenario_id: int | None = None, broadcast_id: int | None = None
) -> int:
    """Queue one mail per row of `select` (lead_id, occurrence, due_at), in the caller's transaction; returns how many.

    A send key (lead, message, occurrence) that was queued before is left alone, so repeating a step sends nothing twice.
    """
    params = {"message_id": message_id, "now": now, "scenario_id": scenario_id, "broadcast_id": broadcast_id}
    return SQL.queue_from.run(params, source=select)
