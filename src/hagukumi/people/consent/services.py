"""Verbs of consent. The last word holds, and a stop outlives everything but the person's own later word."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact

from . import kinds
from .queries import SQL
from .rules import CHANNEL, GRANTING, REASONS

__all__ = [
    "CHANNEL",
    "Granted",
    "Standing",
    "Suppressed",
    "ask",
    "confirm",
    "grant_from",
    "keep_stops",
    "lift",
    "standing",
    "stops_of",
    "suppress",
    "suppressed_by_reason",
    "suppressions",
    "take_asked",
    "watch",
    "withdraw",
]
ASK_MOST = 3
"""An address that never answers is asked so often and no more: asking is mail to somebody who may not want any."""
ASK_QUIET = timedelta(days=7)


@dataclass(frozen=True)
class Standing:
    """Where one person stands. `granted` None: nothing was ever said. `suppressed`: a code of `rules.REASONS` or ''."""

    granted: bool | None
    basis: str
    at: datetime | None
    suppressed: str

    @property
    def stopped(self) -> str:
        """The reason code of the stop that stands; '' where there is none."""
        return self.suppressed or ("unsubscribe" if self.granted is False else "")

    @property
    def may_mail(self) -> bool:
        return bool(self.granted) and not self.suppressed


@dataclass(frozen=True)
class Granted:
    """What a grant came to: `new` consents written; `kept`: people it named whose stop stands all the same."""

    new: int
    kept: int


def grant_from(
    select: sql.Composable,
    *,
    basis: str,
    text_id: int | None,
    evidence: str,
    now: datetime,
    over_stop: bool = False,
    hop: int = 0,
    channel: str = CHANNEL,
) -> Granted:
    """Record that the leads of `select` (yields lead_id, address) may be mailed, or reached by another `channel`.

    Granting again on the same basis and text writes nothing. Whoever was stopped stays stopped, and is counted in
    `kept`. `over_stop` is for the person's own hand, or staff with evidence they typed, and for no machine: an `optin`
    later than the stop then takes it back, with the suppression of the address, except for bounces and complaints.
    ValueError for an unknown basis.
    """
    if basis not in GRANTING:
        raise ValueError(f"unknown consent basis {basis!r}")
    with transaction.atomic():
        ledger.open_beat_tables()
        new = SQL.grant.run(
            {
                "channel": channel,
                "basis": basis,
                "over_stop": over_stop and basis == "optin",
                "text_id": text_id,
                "evidence": evidence[:200],
                "now": now,
                "kind": kinds.CONSENT_CHANGED.code,
                "hop": hop,
            },
            leads=select,
        )
        ledger.record_pending()
        if new and audit.by_staff():
            one = _only(select)
            audit.record(
                "consent.granted", "lead", one, now, count=new, basis=basis, evidence=evidence, over_stop=over_stop
            )
        kept = (SQL.count_stopped.row({"channel": channel}, leads=select) or {"people": 0})["people"]
    return Granted(new, kept)


def withdraw(lead_id: int, *, address: str, reason: str, evidence: str, now: datetime, channel: str = CHANNEL) -> bool:
    """Stop mail (or another `channel`) to this person and to this address. True when they were not out already.

    A stop that reaches us late, after a newer opt-in of the person's own, changes nothing (a complaint still does).
    `reason` is a code of `rules.REASONS` (ValueError else). Source: 特定電子メール法 art. 3 (3).
    """
    with transaction.atomic():
        ledger.open_beat_tables()
        changed = SQL.withdraw.run(
            {
                "lead_id": lead_id,
                "channel": channel,
                "evidence": evidence[:200],
                "reason": reason,
                "now": now,
                "kind": kinds.CONSENT_CHANGED.code,
            }
        )
        ledger.record_pending()
        suppress(address, reason=reason, source=evidence, now=now, lead_id=lead_id, channel=channel)
        if changed and audit.by_staff():
            audit.record("consent.withdrawn", "lead", lead_id, now, why=reason, evidence=evidence)
    return changed > 0


def _only(select: sql.Composable) -> int | str:
    """The lead of a `select` that names just one, '' otherwise: for the audit log."""
    rows = SQL.first_two.rows(leads=select)
    return int(rows[0]["lead_id"]) if len(rows) == 1 else ""


def suppress(
    address: str, *, reason: str, source: str, now: datetime, lead_id: int | None = None, channel: str = CHANNEL
) -> None:
    """Never mail this address again, whoever owns it; an empty one is left alone. ValueError for an unknown reason.

    With `lead_id` it is that person's wish, which a newer opt-in of theirs outweighs.
    """
    if reason not in REASONS:
        raise ValueError(f"unknown suppression reason {reason!r}")
    if value := address.strip().lower():
        said = {"value": value, "reason": reason, "source": source[:300], "lead_id": lead_id}
        SQL.suppress.run({"channel": channel, "now": now, **said})


@dataclass(frozen=True)
class Suppressed:
    """One address that is never mailed, why (a code of `rules.REASONS`), where that comes from, and since when."""

    value: str
    reason: str
    source: str
    at: datetime


def suppressions(*, reason: str = "", q: str = "", after: tuple[datetime, str], limit: int) -> list[Suppressed]:
    """One page of suppressed addresses, newest first, after (at, value); `q` is a part of the address."""
    like = "%" + re.sub(r"([\\%_])", r"\\\1", q.strip().lower()) + "%" if q.strip() else ""
    params = {"channel": CHANNEL, "reason": reason, "q": like, "before": after[0], "value": after[1], "limit": limit}
    return [Suppressed(**row) for row in SQL.suppressions.rows(params)]


def suppressed_by_reason() -> dict[str, int]:
    """How many addresses each reason keeps from mail."""
    return {row["reason"]: row["addresses"] for row in SQL.suppressed_by_reason.rows({"channel": CHANNEL})}


def lift(address: str, *, why: str, now: datetime) -> Suppressed | None:
    """Take an address off the list, because somebody says why; what it stood there for, or None.

    A person's own stop stands in their consent.
    """
    with transaction.atomic():
        row = SQL.lift.row({"channel": CHANNEL, "value": address.strip().lower()})
        if row is None:
            return None
        told = {"address": row["value"], "reason": why, "was": row["reason"], "source": row["source"]}
        audit.record("suppression.lifted", "suppression", 0, now, **told)
    return Suppressed(**row)


def standing(lead_id: int, address: str, channel: str = CHANNEL) -> Standing:
    """Whether this person may be mailed now at this address, and on which basis."""
    row = SQL.standing.row({"lead_id": lead_id, "address": address, "channel": channel})
    if not row:
        return Standing(None, "", None, "")
    return Standing(row["granted"], row["basis"] or "", row["at"], row["suppressed"])


def watch(select: sql.Composable, now: datetime) -> int:
    """Note that nobody has shown yet that the addresses of `select` (lead_id, address) are theirs; how many are new.

    Until they do, mail to them says nothing that was typed into a form.
    """
    return SQL.watch_addresses.run({"now": now}, leads=select)


def ask(select: sql.Composable, *, text_id: int | None, evidence: str, stopped_only: bool, now: datetime) -> list[int]:
    """Have those of `select` (lead_id, address) asked by mail whether they agree; who will be. See `take_asked`.

    The stop of whoever was stopped stands until they answer. Asked at most ASK_MOST times, ASK_QUIET apart.
    """
    with transaction.atomic():
        ledger.open_beat_tables()
        params = {
            "channel": CHANNEL, "text_id": text_id, "evidence": evidence[:200], "now": now, "most": ASK_MOST,
            "quiet": now - ASK_QUIET, "kind": kinds.CONSENT_ASKED.code, "stopped_only": stopped_only,
        }  # fmt: skip
        asked = [row["lead_id"] for row in SQL.ask_addresses.rows(params, leads=select)]
        ledger.record_pending()
    return asked


def take_asked() -> list[int]:
    """The leads who are to be asked and whom nobody has taken yet; the caller sends them the mail, or rolls back."""
    return [row["lead_id"] for row in SQL.take_asked.rows()]


def confirm(lead_id: int, *, address: str, evidence: str, now: datetime) -> bool:
    """The owner of this address agrees, in their own hand: an opt-in over any stop of theirs. False: nobody asked."""
    with transaction.atomic():
        row = SQL.confirm_address.row({"lead_id": lead_id, "address": address, "now": now})
        if row is None or row["asked_at"] is None:
            return False
        ledger.record([Fact(lead_id, "consent_confirmed", now)])
        one = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(
            sql.Literal(lead_id), sql.Literal(address)
        )
        told = " ".join(part for part in (row["evidence"], evidence) if part)
        grant_from(one, basis="optin", text_id=row["text_id"], evidence=told, now=now, over_stop=True)
    return True


def stops_of(addresses: list[str]) -> list[dict[str, Any]]:
    """Rows of (value, reason, source, at) of those of these addresses (lower case) that are never mailed."""
    return SQL.stops_of.rows({"channel": CHANNEL, "values": addresses})


def keep_stops(addresses: list[str], lead_ids: list[int]) -> int:
    """The person of these addresses is about to be erased: that they must not be mailed is kept by hash; how many.

    Call it before their rows go. Source: 特定電子メール法 3条3項.
    """
    return SQL.keep_stops.run({"channel": CHANNEL, "values": addresses, "lead_ids": lead_ids})
