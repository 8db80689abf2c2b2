"""What screens read of deals: open and closed ones, one deal, the stages."""

from datetime import date, datetime
from typing import Any

from .models import Deal, DealStage
from .queries import READS


def desk(state: str, now: datetime, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """Handovers in a state, most urgent first: one row per handover with the person, the score and the clock."""
    return READS.open_handovers.rows({"state": state, "now": now, "limit": limit, "offset": offset})


def desk_counts(since: datetime, now: datetime) -> dict[str, int]:
    """open, late, accepted, returned, in_time: the last three for answers since `since`."""
    return READS.handover_counts.row({"since": since, "now": now}) or {}


def open_deals(today: date) -> list[dict[str, Any]]:
    """Open deals, largest first; `is_overdue` where the expected date has passed."""
    return READS.open_deals.rows({"today": today})


def won_since(since: datetime) -> dict[str, int]:
    """`deals` won since an instant and their `yen`."""
    return READS.won_since.row({"since": since}) or {}


def closed_deals(since: datetime) -> list[dict[str, Any]]:
    """The latest 30 deals won or lost since an instant, newest first."""
    return READS.closed_deals.rows({"since": since})


def one(lead_id: int, deal_id: int) -> Deal | None:
    """One deal of one person."""
    return Deal.objects.filter(lead_id=lead_id, id=deal_id).first()


def of_lead(lead_id: int) -> list[Deal]:
    """The person's deals, newest first."""
    return list(Deal.objects.filter(lead_id=lead_id).order_by("-created_at"))


def stages() -> list[DealStage]:
    """The stages in order."""
    return list(DealStage.objects.order_by("position"))
