"""Verbs of handover and deals. Each writes its row and its fact in one transaction."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts.models import Workspace
from hagukumi.judge.phases import services as phases
from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.leads.models import Lead

from . import kinds
from .models import Deal, DealStage
from .queries import SQL
from .rules import STAGES, answer_due


class AlreadyAnsweredError(ValueError):
    """Somebody else answered this handover, or closed this deal, in the meantime."""


def ready_made() -> None:
    """The deal stages every workspace starts with. Idempotent."""
    for stage in STAGES:
        DealStage.objects.update_or_create(
            key=stage.key, defaults={"name": stage.name, "name_en": stage.name_en, "position": stage.position}
        )


def hand_over_from(select: sql.Composable, *, cause: str, now: datetime, hop: int = 0) -> int:
    """Hand every selected lead to sales, unless a handover of it is open. `select` yields lead_id. Returns how many.

    Inside a beat the facts wait in `fact` for the heart; outside, they are written at once.
    """
    workspace = Workspace.objects.first()
    with transaction.atomic():
        ledger.open_beat_tables()
        made = SQL.hand_over.run(
            {
                "cause": cause,
                "now": now,
                "due_at": answer_due(now, workspace.sla_hours if workspace else 24),
                "evidence_kinds": [kind.code for kind in registry.evidence()],
                "kind": kinds.HANDOVER_CREATED.code,
                "hop": hop,
            },
            people=select,
        )
        ledger.record_pending()
    return made


def hand_over(lead_id: int, *, cause: str, now: datetime) -> bool:
    """Hand one lead over; False where one is open already."""
    return bool(hand_over_from(sql.SQL("SELECT {}::bigint").format(sql.Literal(lead_id)), cause=cause, now=now))


def accept(lead_id: int, handover_id: int, *, user_id: int, now: datetime) -> None:
    """Sales takes the lead: the answerer becomes its owner. AlreadyAnsweredError where it was answered before."""
    with transaction.atomic():
        _answer(lead_id, handover_id, "accepted", user_id=user_id, reason="", note="", now=now)
        Lead.objects.filter(lead_id=lead_id).update(owner_id=user_id, updated_at=now)
        ledger.record([Fact(lead_id, "handover_accepted", now, handover_id, details={"user_id": user_id})])


def give_back(lead_id: int, handover_id: int, *, user_id: int, reason: str, note: str, now: datetime) -> None:
    """Sales returns the lead with a reason of `rules.RETURN_REASONS`; its phase in the primary model moves one back."""
    with transaction.atomic():
        _answer(lead_id, handover_id, "returned", user_id=user_id, reason=reason, note=note, now=now)
        details = {"user_id": user_id, "reason": reason, "note": note}
        ledger.record([Fact(lead_id, "handover_returned", now, handover_id, details=details)])
        back = SQL.previous_phase.value({"lead_id": lead_id})
        if back is not None:
            one = sql.SQL("SELECT {}::bigint AS lead_id").format(sql.Literal(lead_id))
            phases.move_from(one, phase_id=back, reason=f"引き渡し差し戻し: {reason}", now=now, user_id=user_id)
            ledger.record_pending()


def _answer(lead_id: int, handover_id: int, state: str, **answer: Any) -> None:
    if SQL.answer_handover.run({"lead_id": lead_id, "handover_id": handover_id, "state": state, **answer}) != 1:
        raise AlreadyAnsweredError(handover_id)


def create_deal(
    lead_id: int,
    *,
    name: str,
    amount_yen: int | None,
    stage: str,
    owner_id: int | None,
    expected_on: date | None,
    now: datetime,
) -> Deal:
    """Open a deal with a person. `amount_yen` null until known."""
    with transaction.atomic():
        deal = Deal(
            lead_id=lead_id,
            name=name,
            amount_yen=amount_yen,
            stage=stage,
            owner_id=owner_id,
            expected_on=expected_on,
            created_at=now,
            id=_next_id(),
        )
        deal.save(force_insert=True)
        ledger.record([Fact(lead_id, "deal_created", now, deal.id, amount_yen, details={"stage": stage})])
    return deal


def move_stage(lead_id: int, deal_id: int, stage: str, *, now: datetime) -> None:
    """Move an open deal to another stage. AlreadyAnsweredError where it is closed."""
    with transaction.atomic():
        deal = _open_deal(lead_id, deal_id)
        before, deal.stage = deal.stage, stage
        deal.save(update_fields=["stage"])
        ledger.record(
            [Fact(lead_id, "deal_stage", now, deal_id, deal.amount_yen, details={"from": before, "to": stage})]
        )


def close_deal(
    lead_id: int, deal_id: int, *, won: bool, amount_yen: int | None, reason: str, now: datetime, user_id: int | None
) -> None:
    """Close a deal as won or lost with its reason. AlreadyAnsweredError where it is closed already."""
    with transaction.atomic():
        deal = _open_deal(lead_id, deal_id)
        deal.outcome, deal.reason, deal.closed_at = ("won" if won else "lost"), reason, now
        if amount_yen is not None:
            deal.amount_yen = amount_yen
        deal.save(update_fields=["outcome", "reason", "closed_at", "amount_yen"])
        details = {"reason": reason, "user_id": user_id}
        kind = "deal_won" if won else "deal_lost"
        ledger.record([Fact(lead_id, kind, now, deal_id, deal.amount_yen, details=details)])


def _open_deal(lead_id: int, deal_id: int) -> Deal:
    deal = Deal.objects.select_for_update().filter(lead_id=lead_id, id=deal_id, outcome="").first()
    if deal is None:
        raise AlreadyAnsweredError(deal_id)
    return deal


def _next_id() -> int:
    return int(SQL.next_deal_id.value())


def desk(state: str, now: datetime, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """Handovers in a state, most urgent first: one row per handover with the person, the score and the clock."""
    return SQL.open_handovers.rows({"state": state, "now": now, "limit": limit, "offset": offset})


def desk_counts(since: datetime, now: datetime) -> dict[str, int]:
    """open, late, accepted, returned, in_time: the last three for answers since `since`."""
    return SQL.handover_counts.row({"since": since, "now": now}) or {}


def open_deals(today: date) -> list[dict[str, Any]]:
    """Open deals, largest first; `is_overdue` where the expected date has passed."""
    return SQL.open_deals.rows({"today": today})


def won_since(since: datetime) -> dict[str, int]:
    """`deals` won since an instant and their `yen`."""
    return SQL.won_since.row({"since": since}) or {}


def closed_deals(since: datetime) -> list[dict[str, Any]]:
    """The latest 30 deals won or lost since an instant, newest first."""
    return SQL.closed_deals.rows({"since": since})
