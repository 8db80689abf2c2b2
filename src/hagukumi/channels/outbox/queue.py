"""One sender's hold on a channel's part of the queue: claim through the gate, write down what became of each."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from json import loads
from typing import Any

import structlog
from django.db import connection, transaction

from hagukumi.ledger import services as ledger
from hagukumi.people.consent import services as consent

from . import gate, rules
from .channel import Channel, Job, Result
from .queries import SQL

log = structlog.get_logger(__name__)
BUCKET_LOCK = 0x534E44
NAME_LOCK = 0x534E45
LEASE = timedelta(minutes=15)
_SETTLE = (
    "lead_ids",
    "message_ids",
    "occurrences",
    "states",
    "reasons",
    "attempts",
    "due_ats",
    "sent_ats",
    "receipts",
)
_FACTS = ("last_name", "first_name", "company_name", "department", "title", "prefecture", "issue", "owner_name")
_TYPED = frozenset(_FACTS) - {"owner_name"}


class Queue:
    """One sender's side of a channel's queue. Each call is one short transaction on the calling thread's connection."""

    def __init__(self, channel: Channel, sender: str) -> None:
        self.channel = channel
        self.sender = sender
        self._opened: object = None
        self._judged = gate.verdicts(channel, SQL.due_deliveries.text)

    def enter(self, in_hand: Iterable[int], now: datetime) -> None:
        """At start and after the database was away: show that we live, free what we do not hold, sweep the dead."""
        with transaction.atomic():
            SQL.hold_name.run({"lock": NAME_LOCK, "sender": self.sender})
            SQL.release_lost.run({"sender": self.sender, "in_hand": list(in_hand)})
        self.sweep(now)

    def sweep(self, now: datetime) -> int:
        """What senders that are gone had in hand becomes `unknown`; returns how many."""
        with transaction.atomic():
            swept = SQL.sweep_leases.run({"sender": self.sender, "lock": NAME_LOCK, "now": now})
        if swept:
            log.warning("deliveries in doubt after a sender went away", count=swept)
        return swept

    def claim(
        self, batch: int, now: datetime, *, held: Sequence[int] = (), only: Sequence[int] | None = None
    ) -> tuple[list[Job], int]:
        """Put at most `batch` due rows through the gate; returns the jobs to hand off and how many were judged.

        `held`: messages that stay where they are; `only`: the messages that may be taken, None = any.
        """
        with transaction.atomic(savepoint=False):
            lock = {"lock": BUCKET_LOCK, "channel": self.channel.key}
            buckets = [row["bucket"] for row in SQL.take_buckets.rows(lock)]
            if not buckets:
                return [], 0
            asked = gate.params(self.channel, now) | {
                "buckets": buckets,
                "batch": batch,
                "held": list(held),
                "only": list(only) if only is not None else None,
                "sender": self.sender,
                "lease_until": now + LEASE,
                "until_resumed": rules.UNTIL_RESUMED,
            }
            own = {"address": self.channel.address, "unproven": self.channel.unproven}
            rows = SQL.claim.rows(asked, judged=self._judged, **own)
        return [_job(row) for row in rows if row["state"] == "sending"], len(rows)

    def settle(self, done: Sequence[tuple[Job, Result, datetime]], now: datetime) -> None:
        """Write results with their facts; a dead address is suppressed. Safe to repeat after a lost commit answer."""
        if not done:
            return
        columns = [_written(job, result, at, now) for job, result, at in done]
        with transaction.atomic():
            if connection.connection is not self._opened:
                ledger.open_beat_tables()
                self._opened = connection.connection
            SQL.settle.run(
                dict(zip(_SETTLE, map(list, zip(*columns, strict=True)), strict=True))
                | {
                    "sender": self.sender,
                    "now": now,
                    "kind_sent": self.channel.sent.code,
                    "kind_failed": self.channel.failed.code,
                }
            )
            ledger.record_pending(ledger.BULK)  # a broadcast is nobody's act: clicks go before it
            for job, result, _at in done:
                if result.dead:
                    source = _clean(result.receipt)
                    consent.suppress(
                        job.address, reason="hard_bounce", source=source, now=now, channel=self.channel.key
                    )

    def release(self, jobs: Sequence[Job], now: datetime) -> None:
        """Give back what was never offered (a sender that stops)."""
        self.settle([(job, Result("unoffered"), now - rules.RELEASE_WAIT) for job in jobs], now)


def _job(row: dict[str, Any]) -> Job:
    # to an address that somebody typed and nobody has shown to be theirs goes nothing else that was typed
    facts = {name: "" if row["unproven"] and name in _TYPED else row[name] for name in _FACTS}
    facts["email"] = row["address"]
    own = loads(row["fields"]) if isinstance(row["fields"], str) else row["fields"]
    facts["fields"] = {} if row["unproven"] else own
    return Job(row["lead_id"], row["message_id"], row["occurrence"], row["id"], row["attempts"], row["address"], facts)


def _written(job: Job, result: Result, at: datetime, now: datetime) -> tuple[Any, ...]:
    """One job's columns for `settle`: state, reason, attempts, next due time, when, and the other side's words."""
    key = (job.lead_id, job.message_id, job.occurrence)
    receipt, attempts = _clean(result.receipt), job.attempts + 1
    if result.end == "sent":
        return (*key, "sent", "", attempts, None, at, receipt)
    if result.end == "unknown":
        return (*key, "unknown", result.reason or "in_doubt", attempts, None, at, receipt)
    if result.end == "unoffered":
        return (*key, "queued", result.reason, job.attempts, at + rules.RELEASE_WAIT, None, receipt)
    if result.end == "failed":
        return (*key, "failed", result.reason or "rejected", attempts, None, at, receipt)
    reason = result.reason or "temporary"
    again = rules.retry_at(attempts, now)
    if again is not None:
        return (*key, "queued", reason, attempts, again, None, receipt)
    last = "retries_exhausted" if reason in ("temporary", "line_stopped") else reason
    return (*key, "failed", last, attempts, None, at, receipt)


def _clean(words: str) -> str:
    return words.replace("\x00", "")[:300]
