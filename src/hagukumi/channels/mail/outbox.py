"""The sender's hold on the queue: claim (through the gate), make the bytes, write down what became of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import loads
from time import monotonic
from typing import Any, Literal

import minijinja
import structlog
from django.db import connection, transaction

from hagukumi.kit import clock, confined
from hagukumi.kit.smtp import Mail, Outcome
from hagukumi.ledger import services as ledger
from hagukumi.people.consent import services as consent

from . import kinds, law, render, replies, rules
from .identity import identity_from
from .queries import SQL
from .values import values_of

log = structlog.get_logger(__name__)
BUCKET_LOCK = 0x534E44
NAME_LOCK = 0x534E45
LEASE = timedelta(minutes=15)
RELEASE_WAIT = timedelta(seconds=20)
"""How long a mail waits that could not be offered to the server at all."""


@dataclass(slots=True)
class Job:
    """One mail in hand: its send key, token number, and the person's columns for personalisation."""

    lead_id: int
    message_id: int
    occurrence: str
    id: int
    attempts: int
    address: str
    facts: Mapping[str, Any]


class Outbox:
    """One sender's side of the queue. Every call is one short transaction on the calling thread's connection."""

    def __init__(self, sender: str, *, real: bool = False) -> None:
        """`real`: what we hand over leaves this machine, so nothing is handed over for the people of examples."""
        self.sender = sender
        self._real = real
        self._looked_at = 0.0
        self._opened: object = None
        self._compiled: dict[int, tuple[tuple[Any, ...], render.Compiled | _Unfit, str, str]] = {}

    def enter(self, in_hand: Iterable[int], now: datetime) -> None:
        """At start and after the database was away: show that we live, free what we do not hold, sweep the dead."""
        with transaction.atomic():
            SQL.hold_name.run({"lock": NAME_LOCK, "sender": self.sender})
            SQL.release_lost.run({"sender": self.sender, "in_hand": list(in_hand)})
        self.sweep(now)

    def sweep(self, now: datetime) -> int:
        """Mails in the hand of senders that are gone become `unknown`; returns how many."""
        with transaction.atomic():
            swept = SQL.sweep_leases.run({"sender": self.sender, "lock": NAME_LOCK, "now": now})
        if swept:
            log.warning("mails in doubt after a sender went away", mails=swept)
        return swept

    def claim(self, batch: int, now: datetime, *, held: Sequence[str] = (), only: str = "") -> tuple[list[Job], int]:
        """Put at most `batch` due mails through the gate; returns the jobs to hand off and how many were judged.

        `held`: senders (addresses) whose mails stay where they are; `only`: the one sender whose mails are wanted.
        """
        with transaction.atomic():
            buckets = [row["bucket"] for row in SQL.take_buckets.rows({"lock": BUCKET_LOCK})]
            if not buckets:
                return [], 0
            lines = {"held": _messages_of(held), "only": _messages_of([only]) if only else None}
            rows = SQL.claim.rows(self._claim_params(buckets, batch, now) | lines, judged=_JUDGED)
            going = [row for row in rows if row["state"] == "sending"]
            self._load({row["message_id"] for row in going})
        return [_job(row) for row in going], len(rows)

    def _claim_params(self, buckets: list[int], batch: int, now: datetime) -> dict[str, Any]:
        return {
            "buckets": buckets,
            "batch": batch,
            "now": now,
            "sender": self.sender,
            "lease_until": now + LEASE,
            "day_start": clock.jst_midnight(clock.jst_date(now)),
            "next_day": rules.carry_over(now),
            "carry_days": timedelta(days=rules.CARRY_DAYS),
            "until_resumed": rules.UNTIL_RESUMED,
            "clicked": kinds.MAIL_CLICKED.code,
        }

    def _load(self, message_ids: set[int]) -> None:
        """Compile what is new or changed; a message in use is looked at again once a second."""
        fresh = monotonic() - self._looked_at < 1.0
        if fresh and message_ids <= self._compiled.keys():
            return
        self._looked_at = monotonic()
        for row in SQL.compiled_sources.rows({"ids": list(message_ids | self._compiled.keys())}):
            version = tuple(row.values())
            known = self._compiled.get(row["id"])
            if known is None or known[0] != version:
                self._compiled[row["id"]] = (version, _compile(row), row["name"], row["email"])

    def sender_of(self, job: Job) -> str:
        """The address in whose name this mail goes out."""
        return self._compiled[job.message_id][3]

    def mail(self, job: Job, now: datetime) -> Mail | Outcome:
        """The bytes of one job; a hard Outcome where the template fails on this person, or the person is invented."""
        if self._real and rules.is_reserved(job.address):
            return Outcome(job.id, "hard", "address", "an address of examples; not handed to a real server")
        _version, compiled, name, email = self._compiled[job.message_id]
        if isinstance(compiled, _Unfit):
            return Outcome(job.id, "hard", compiled.stage, compiled.why)
        try:
            content = compiled.fill(values_of(job.facts, name, compiled.names), job.address, job.lead_id, job.id, now)
        except minijinja.TemplateError as error:
            log.error("a mail could not be rendered", message_id=job.message_id, lead_id=job.lead_id, error=str(error))
            return Outcome(job.id, "hard", "render", str(error))
        except render.UnlawfulError as error:
            log.error("a mail lacks what the law asks for", message_id=job.message_id, lead_id=job.lead_id)
            return Outcome(job.id, "hard", "law", str(error))
        return Mail(job.id, rules.quoted_address(email), rules.quoted_address(job.address), content)

    def settle(self, done: Sequence[tuple[Job, Outcome, datetime]], now: datetime) -> None:
        """Write results with their facts; a dead mailbox is suppressed. Safe to repeat after a lost commit answer."""
        if not done:
            return
        columns = [_result(job, outcome, at, now) for job, outcome, at in done]
        with transaction.atomic():
            if connection.connection is not self._opened:
                ledger.open_beat_tables()
                self._opened = connection.connection
            SQL.settle.run(
                dict(zip(_SETTLE, map(list, zip(*columns, strict=True)), strict=True))
                | {
                    "sender": self.sender,
                    "now": now,
                    "kind_sent": kinds.MAIL_SENT.code,
                    "kind_failed": kinds.MAIL_FAILED.code,
                }
            )
            ledger.record_pending(ledger.BULK)  # a broadcast is nobody's act: clicks go before it
            for (job, _outcome, _at), column in zip(done, columns, strict=True):
                if column[4] in ("user_unknown", "domain_unknown"):
                    consent.suppress(job.address, reason="hard_bounce", source=column[8], now=now)

    def release(self, jobs: Sequence[Job], now: datetime) -> None:
        """Give back mails that were never offered (a sender that stops)."""
        self.settle([(job, Outcome(job.id, "unsent", "connect", ""), now - RELEASE_WAIT) for job in jobs], now)


_JUDGED = SQL.verdicts.compose(picked=SQL.due_deliveries.text)
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


def _job(row: dict[str, Any]) -> Job:
    # to an address that somebody typed and nobody has shown to be theirs goes nothing else that was typed
    facts = {name: "" if row["unproven"] and name in _TYPED else row[name] for name in _FACTS}
    facts["email"] = row["address"]
    own = loads(row["fields"]) if isinstance(row["fields"], str) else row["fields"]
    facts["fields"] = {} if row["unproven"] else own
    return Job(row["lead_id"], row["message_id"], row["occurrence"], row["id"], row["attempts"], row["address"], facts)


@dataclass(frozen=True)
class _Unfit:
    """A message none of whose mails may go: where that was seen, and why in words."""

    stage: Literal["render", "law"]
    why: str


def _compile(row: dict[str, Any]) -> render.Compiled | _Unfit:
    """The message made ready, or what is wrong with it: a broken template fails its own mails and no others.

    It is made once in a child first, where it can do no harm; what survives that is made here.
    """
    parts = {
        "subject": row["subject"], "preheader": row["preheader"], "source": row["mjml"], "text": row["text"],
        "kind": row["kind"], "identity": identity_from(row),
    }  # fmt: skip
    try:
        if missing := confined.call(law.rehearse, **parts, for_real=law.server_is_real()):
            log.error("a message may not go out", message_id=row["id"], missing=missing)
            return _Unfit("law", " ".join(missing))
        return render.compile_mail(**parts)
    except (render.TemplateProblemError, confined.ConfinedError) as error:
        log.error("a message could not be compiled", message_id=row["id"], error=str(error))
        return _Unfit("render", render.too_much() if isinstance(error, confined.ConfinedError) else str(error))


def _result(job: Job, outcome: Outcome, at: datetime, now: datetime) -> tuple[Any, ...]:
    """One mail's columns for `settle`: state, reason, attempts, next due time, when, and the server's words."""
    key = (job.lead_id, job.message_id, job.occurrence)
    reply = outcome.reply.replace("\x00", "")[:300]
    attempts = job.attempts + 1
    if outcome.result == "sent":
        return (*key, "sent", "", attempts, None, at, reply)
    if outcome.result == "unknown":
        return (*key, "unknown", "in_doubt", attempts, None, at, reply)
    if outcome.result == "unsent":
        return (*key, "queued", "line_stopped" if reply else "", job.attempts, at + RELEASE_WAIT, None, reply)
    if outcome.stage in _OWN_FAULT:
        return (*key, "failed", _OWN_FAULT[outcome.stage], attempts, None, at, reply)
    meant = replies.meaning(outcome.reply, outcome.stage)
    if meant.kind in ("temporary", "line") or (outcome.result == "soft" and meant.kind != "permanent"):
        reason = meant.reason if meant.kind != "line" else "line_stopped"
        again = rules.retry_at(attempts, now)
        if again is not None:
            return (*key, "queued", reason, attempts, again, None, reply)
        last = "retries_exhausted" if reason in ("temporary", "line_stopped") else reason
        return (*key, "failed", last, attempts, None, at, reply)
    return (*key, "failed", meant.reason, attempts, None, at, reply)


_OWN_FAULT = {"render": "render_failed", "law": "law_missing", "address": "reserved_address"}


def _messages_of(senders: Sequence[str]) -> list[int]:
    return [row["id"] for row in SQL.messages_of_senders.rows({"senders": list(senders)})] if senders else []
