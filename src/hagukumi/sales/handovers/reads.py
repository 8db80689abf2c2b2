"""What screens read of handovers: the desk, its counts, one handover."""

from datetime import datetime
from typing import Any

from psycopg import sql

from hagukumi.kit import keyset

from .models import Handover
from .queries import READS


def desk(
    state: str, now: datetime, *, after: tuple[Any, ...] | None = None, size: int = keyset.PAGE_SIZE
) -> tuple[list[dict[str, Any]], str]:
    """A page of handovers in a state, and the mark of the next: one row each with the person, the score and the clock.

    Those that wait come the most urgent first, the others the last answered first. `after`: (due or answered, id) of
    the last one shown.
    """
    at, order, beyond = ("due_at", "", ">") if state == "open" else ("answered_at", " DESC", "<")
    column = sql.Identifier("h", at)
    restriction: sql.Composable = sql.SQL("true")
    if after:
        restriction = sql.SQL("({}, h.id) {} ({}, {})").format(column, sql.SQL(beyond), *map(sql.Literal, after))
    found = READS.open_handovers.rows(
        {"state": state, "now": now, "limit": size + 1},
        order=sql.SQL("{0}{1}, h.id{1}").format(column, sql.SQL(order)),
        after=restriction,
    )
    return keyset.page(found, at, "id", size=size)


def counts(since: datetime, now: datetime) -> dict[str, Any]:
    """open, late, accepted, returned, in_time: the last three for answers since `since`.

    `on_time` (0-1) is the SLA rate: answered in time / answered; None where nothing was answered.
    """
    found = READS.handover_counts.row({"since": since, "now": now}) or {}
    answered = found["accepted"] + found["returned"]
    return {**found, "answered": answered, "on_time": found["in_time"] / answered if answered else None}


def one(lead_id: int, handover_id: int) -> Handover | None:
    """One handover of one person."""
    return Handover.objects.filter(lead_id=lead_id, id=handover_id).first()


def latest(lead_id: int) -> Handover | None:
    """The handover of this person that was opened last."""
    return Handover.objects.filter(lead_id=lead_id).order_by("-created_at").first()
