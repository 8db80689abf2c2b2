"""Verbs of handover. Each writes its row and its fact in one transaction."""

from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.accounts.models import Workspace
from hagukumi.judge.phases import services as phases
from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.leads import services as leads

from . import kinds
from .queries import SQL
from .rules import RETURNED, answer_due


class AlreadyAnsweredError(ValueError):
    """Somebody else answered this handover in the meantime."""


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
    with transaction.atomic():
        done = bool(hand_over_from(sql.SQL("SELECT {}::bigint").format(sql.Literal(lead_id)), cause=cause, now=now))
        if done and audit.by_staff():
            audit.record("handover.made", "lead", lead_id, now, lead_id=lead_id)
    return done


def accept(lead_id: int, handover_id: int, *, user_id: int, now: datetime) -> None:
    """Sales takes the lead: the answerer becomes its owner. AlreadyAnsweredError where it was answered before."""
    with transaction.atomic():
        _answer(lead_id, handover_id, "accepted", user_id=user_id, reason="", note="", now=now)
        leads.edit(lead_id, {"owner_id": user_id}, user_id=user_id, now=now)
        ledger.record([Fact(lead_id, "handover_accepted", now, handover_id, details={"user_id": user_id})])
        audit.record("handover.accepted", "handover", handover_id, now, lead_id=lead_id)


def give_back(lead_id: int, handover_id: int, *, user_id: int, reason: str, note: str, now: datetime) -> None:
    """Sales returns the lead with a reason of `rules.RETURN_REASONS`; its phase in the primary model moves one back."""
    with transaction.atomic():
        _answer(lead_id, handover_id, "returned", user_id=user_id, reason=reason, note=note, now=now)
        details = {"user_id": user_id, "reason": reason, "note": note}
        ledger.record([Fact(lead_id, "handover_returned", now, handover_id, details=details)])
        audit.record("handover.returned", "handover", handover_id, now, lead_id=lead_id, why=reason)
        back = SQL.previous_phase.value({"lead_id": lead_id})
        if back is not None:
            one = sql.SQL("SELECT {}::bigint AS lead_id").format(sql.Literal(lead_id))
            phases.move_from(one, phase_id=back, cause=RETURNED, reason=reason, now=now, user_id=user_id)
            ledger.record_pending()


def _answer(lead_id: int, handover_id: int, state: str, **answer: Any) -> None:
    if SQL.answer_handover.run({"lead_id": lead_id, "handover_id": handover_id, "state": state, **answer}) != 1:
        raise AlreadyAnsweredError(handover_id)
