"""Verbs of deals. Each writes its row and its fact in one transaction."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from hagukumi.accounts import audit
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact

from . import rules
from .models import Deal, DealStage
from .queries import SQL
from .rules import STAGES


class AlreadyClosedError(ValueError):
    """Somebody else closed this deal in the meantime."""


def ready_made() -> None:
    """The deal stages every workspace starts with. Idempotent."""
    for stage in STAGES:
        DealStage.objects.update_or_create(
            key=stage.key, defaults={"name": stage.name, "name_en": stage.name_en, "position": stage.position}
        )


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
        _told("deal.created", deal, now, stage=("", stage), amount_yen=(None, amount_yen), owner_id=(None, owner_id))
    return deal


def move_stage(lead_id: int, deal_id: int, stage: str, *, now: datetime) -> None:
    """Move an open deal to another stage. AlreadyClosedError where it is closed."""
    with transaction.atomic():
        deal = _open_deal(lead_id, deal_id)
        before, deal.stage = deal.stage, stage
        deal.save(update_fields=["stage"])
        ledger.record(
            [Fact(lead_id, "deal_stage", now, deal_id, deal.amount_yen, details={"from": before, "to": stage})]
        )
        _told("deal.moved", deal, now, stage=(before, stage))


def close_deal(
    lead_id: int, deal_id: int, *, won: bool, amount_yen: int | None, reason: str, now: datetime, user_id: int | None
) -> None:
    """Close a deal as won or lost with its reason: a key or the words of `rules.LOSS_REASONS`, or other words.

    AlreadyClosedError where it is closed already.
    """
    reason = rules.reason_key(reason)
    with transaction.atomic():
        deal = _open_deal(lead_id, deal_id)
        amount = deal.amount_yen
        deal.outcome, deal.reason, deal.closed_at = ("won" if won else "lost"), reason, now
        if amount_yen is not None:
            deal.amount_yen = amount_yen
        deal.save(update_fields=["outcome", "reason", "closed_at", "amount_yen"])
        details = {"reason": reason, "user_id": user_id}
        kind = "deal_won" if won else "deal_lost"
        ledger.record([Fact(lead_id, kind, now, deal_id, deal.amount_yen, details=details)])
        _told("deal.closed", deal, now, outcome=("", deal.outcome), amount_yen=(amount, deal.amount_yen))


def _told(action: str, deal: Deal, now: datetime, **changes: tuple[Any, Any]) -> None:
    if audit.by_staff():
        audit.record(action, "deal", deal.id, now, changes=changes, name=deal.name, lead_id=deal.lead_id)


def _open_deal(lead_id: int, deal_id: int) -> Deal:
    deal = Deal.objects.select_for_update().filter(lead_id=lead_id, id=deal_id, outcome="").first()
    if deal is None:
        raise AlreadyClosedError(deal_id)
    return deal


def _next_id() -> int:
    return int(SQL.next_deal_id.value())
