"""Verbs of consent. The last word holds, and an opt-out outlives everything but a later opt-in of the person's own."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from psycopg import sql

from hagukumi.ledger import services as ledger

from . import kinds
from .queries import SQL
from .rules import CHANNEL, GRANTING, REASONS

__all__ = ["CHANNEL", "Standing", "grant_from", "standing", "suppress", "withdraw"]


@dataclass(frozen=True)
class Standing:
    """Where one person stands. `granted` None: nothing was ever said. `suppressed`: a code of `rules.REASONS` or ''."""

    granted: bool | None
    basis: str
    at: datetime | None
    suppressed: str

    @property
    def may_mail(self) -> bool:
        return bool(self.granted) and not self.suppressed


def grant_from(
    select: sql.Composable, *, basis: str, text_id: int | None, evidence: str, now: datetime, hop: int = 0
) -> int:
    """Record that the leads of `select` (yields lead_id) may be mailed; returns how many consents were new.

    Granting again on the same basis and text writes nothing. A person who opted out is left out, unless `basis` is
    `optin` and `now` is later; that also lifts the suppression of their address, except for bounces and complaints.
    ValueError for an unknown basis.
    """
    if basis not in GRANTING:
        raise ValueError(f"unknown consent basis {basis!r}")
    with transaction.atomic():
        ledger.open_beat_tables()
        granted = SQL.grant.run(
            {
                "channel": CHANNEL,
                "basis": basis,
                "explicit": basis == "optin",
                "text_id": text_id,
                "evidence": evidence[:200],
                "now": now,
                "kind": kinds.CONSENT_CHANGED.code,
                "hop": hop,
            },
            leads=select,
        )
        ledger.record_pending()
    return granted


def withdraw(lead_id: int, *, address: str, reason: str, evidence: str, now: datetime) -> bool:
    """Stop mail to this person and to this address. True when they were not out already.

    `reason` is a code of `rules.REASONS` (ValueError else). Source: 特定電子メール法 art. 3 (3).
    """
    with transaction.atomic():
        ledger.open_beat_tables()
        changed = SQL.withdraw.run(
            {
                "lead_id": lead_id,
                "channel": CHANNEL,
                "evidence": evidence[:200],
                "reason": reason,
                "now": now,
                "kind": kinds.CONSENT_CHANGED.code,
            }
        )
        ledger.record_pending()
        suppress(address, reason=reason, now=now)
    return changed > 0


def suppress(address: str, *, reason: str, now: datetime) -> None:
    """Never mail this address again, whoever owns it; an empty one is left alone. ValueError for an unknown reason."""
    if reason not in REASONS:
        raise ValueError(f"unknown suppression reason {reason!r}")
    if value := address.strip().lower():
        SQL.suppress.run({"channel": CHANNEL, "value": value, "reason": reason, "now": now})


def standing(lead_id: int) -> Standing:
    """Whether this person may be mailed now, and on which basis."""
    row = SQL.standing.row({"lead_id": lead_id, "channel": CHANNEL})
    if not row:
        return Standing(None, "", None, "")
    return Standing(row["granted"], row["basis"] or "", row["at"], row["suppressed"])
