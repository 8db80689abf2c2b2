"""The sender's hold on queued mails: claimed through the gate, made into bytes, the server's words understood."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Literal

import minijinja
import structlog
from django.db import transaction

from hagukumi.channels.outbox.services import Job, Queue, Result
from hagukumi.kit import confined
from hagukumi.kit.smtp import Mail, Outcome

from . import law, replies, rules
from .channel import EMAIL
from .compiled import Compiled, UnlawfulError
from .expressions import TemplateProblemError, too_much
from .identity import identity_from
from .queries import SQL
from .render import compile_mail
from .values import values_of

log = structlog.get_logger(__name__)


class Outbox:
    """One sender's side of the queue. Every call is one short transaction on the calling thread's connection."""

    def __init__(self, sender: str, *, real: bool = False) -> None:
        """`real`: what we hand over leaves this machine, so nothing is handed over for the people of examples."""
        self._queue = Queue(EMAIL, sender)
        self._real = real
        self._looked_at = 0.0
        self._compiled: dict[int, tuple[tuple[Any, ...], Compiled | _Unfit, str, str]] = {}
        self.enter, self.sweep, self.release = self._queue.enter, self._queue.sweep, self._queue.release

    def claim(self, batch: int, now: datetime, *, held: Sequence[str] = (), only: str = "") -> tuple[list[Job], int]:
        """Put at most `batch` due mails through the gate; returns the jobs to hand off and how many were judged.

        `held`: senders (addresses) whose mails stay where they are; `only`: the one sender whose mails are wanted.
        """
        with transaction.atomic():
            wanted = _messages_of([only]) if only else None
            jobs, judged = self._queue.claim(batch, now, held=_messages_of(held), only=wanted)
            self._load({job.message_id for job in jobs})
        return jobs, judged

    def _load(self, message_ids: set[int]) -> None:
        """Compile what is new or changed; a message in use is looked at again once a second."""
        fresh = monotonic() - self._looked_at < 1.0
        if not message_ids or (fresh and message_ids <= self._compiled.keys()):
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
        except UnlawfulError as error:
            log.error("a mail lacks what the law asks for", message_id=job.message_id, lead_id=job.lead_id)
            return Outcome(job.id, "hard", "law", str(error))
        return Mail(job.id, rules.quoted_address(email), rules.quoted_address(job.address), content)

    def settle(self, done: Iterable[tuple[Job, Outcome, datetime]], now: datetime) -> None:
        """Write down what became of mails, as the server's words mean it. Safe to repeat after a lost commit answer."""
        self._queue.settle([(job, result_of(outcome), at) for job, outcome, at in done], now)


@dataclass(frozen=True)
class _Unfit:
    """A message none of whose mails may go: where that was seen, and why in words."""

    stage: Literal["render", "law"]
    why: str


def _compile(row: dict[str, Any]) -> Compiled | _Unfit:
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
        return compile_mail(**parts)
    except (TemplateProblemError, confined.ConfinedError) as error:
        log.error("a message could not be compiled", message_id=row["id"], error=str(error))
        return _Unfit("render", too_much() if isinstance(error, confined.ConfinedError) else str(error))


def result_of(outcome: Outcome) -> Result:
    """What an answer of the server means for the mail it is about."""
    reply = outcome.reply
    if outcome.result in ("sent", "unknown"):
        return Result("sent" if outcome.result == "sent" else "unknown", receipt=reply)
    if outcome.result == "unsent":
        return Result("unoffered", "line_stopped" if reply else "", reply)
    if outcome.stage in _OWN_FAULT:
        return Result("failed", _OWN_FAULT[outcome.stage], reply)
    meant = replies.meaning(reply, outcome.stage)
    if meant.kind in ("temporary", "line") or (outcome.result == "soft" and meant.kind != "permanent"):
        return Result("later", meant.reason if meant.kind != "line" else "line_stopped", reply)
    return Result("failed", meant.reason, reply, dead=meant.suppresses)


_OWN_FAULT = {"render": "render_failed", "law": "law_missing", "address": "reserved_address"}


def _messages_of(senders: Sequence[str]) -> list[int]:
    return [row["id"] for row in SQL.messages_of_senders.rows({"senders": list(senders)})] if senders else []
