"""Verbs of unsubscribing: whoever holds the link of a delivery acts for its recipient, as merged since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.channels.outbox import services as outbox
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.consent import services as consent
from hagukumi.people.leads.models import Lead


@dataclass(frozen=True)
class Recipient:
    """Whom a delivery went to: the lead as merged since, the address it was sent to, and in whose name it was."""

    lead_id: int
    address: str
    author: str
    stopped: bool


def recipient(lead_id: int, delivery_id: int) -> Recipient | None:
    """The recipient of a delivery; None where there is no such delivery."""
    row = outbox.delivery(lead_id, delivery_id)
    if row is None:
        return None
    owner, address = _present_owner(row)
    author = outbox.of(row["channel"]).author(row["message_id"])
    standing = consent.standing(owner, address, channel=row["channel"])
    return Recipient(owner, address, author, stopped=not standing.may_mail)


def unsubscribe(lead_id: int, delivery_id: int, *, evidence: str, now: datetime) -> bool:
    """Stop this channel for the recipient of the delivery. True the first time only; False for no such delivery."""
    with transaction.atomic():
        row = outbox.delivery(lead_id, delivery_id)
        if row is None:
            return False
        owner, address = _present_owner(row)
        changed = consent.withdraw(
            owner, address=address, reason="unsubscribe", evidence=evidence, now=now, channel=row["channel"]
        )
        if changed:
            ledger.record([Fact(owner, "unsubscribed", now, object_id=row["message_id"])])
    return changed


def resubscribe(lead_id: int, delivery_id: int, *, evidence: str, now: datetime) -> bool:
    """The recipient takes the stop back, in their own hand. False where there is no such delivery."""
    row = outbox.delivery(lead_id, delivery_id)
    if row is None:
        return False
    owner, address = _present_owner(row)
    select = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(
        sql.Literal(owner), sql.Literal(address)
    )
    consent.grant_from(
        select, basis="optin", text_id=None, evidence=evidence, now=now, over_stop=True, channel=row["channel"]
    )
    return True


def _present_owner(row: dict[str, Any]) -> tuple[int, str]:
    lead = Lead.objects.filter(pk=row["lead_id"]).first()
    while lead is not None and lead.merged_into:
        lead = Lead.objects.filter(pk=lead.merged_into).first()
    if lead is None:
        return row["lead_id"], row["address"]
    return lead.lead_id, row["address"] or lead.email
