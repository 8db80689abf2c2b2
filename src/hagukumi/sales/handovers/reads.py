"""What screens read of handovers: the desk, its counts, one handover."""

from datetime import datetime
from typing import Any

from .models import Handover
from .queries import READS


def desk(state: str, now: datetime, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """Handovers in a state, most urgent first: one row per handover with the person, the score and the clock."""
    return READS.open_handovers.rows({"state": state, "now": now, "limit": limit, "offset": offset})


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
