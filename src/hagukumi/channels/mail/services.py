"""Verbs of the messages room: queue mails, check templates, run broadcasts, stop mail for a person, send again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.translation import get_language
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.kit import clock, confined
from hagukumi.ledger import definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.consent import services as consent
from hagukumi.people.fields.models import Field
from hagukumi.people.leads.models import Lead

from . import kinds, law, render, rules, slips
from .confirming import asked, confirm, queue_asked
from .figures import CONVERSION_DAYS, Figures, by_message_and_month, of_broadcast, total
from .identity import identity_of
from .lines import standing_still
from .models import Broadcast, Message, Sender
from .outbox import Job, Outbox
from .queries import SQL
from .render import TemplateProblemError
from .testing import send_test
from .values import facts_of

__all__ = [
    "CONVERSION_DAYS",
    "Audience",
    "Figures",
    "Job",
    "NotReadyError",
    "Outbox",
    "TemplateProblemError",
    "asked",
    "broadcasts",
    "by_message_and_month",
    "cancel",
    "confirm",
    "deliveries",
    "gate_preview",
    "message_totals",
    "of_broadcast",
    "pause",
    "preview",
    "problems",
    "queue_asked",
    "queue_from",
    "recipient",
    "resend",
    "resend_all",
    "resubscribe",
    "resume",
    "save_sender",
    "schedule",
    "send_test",
    "sender_problems",
    "standing_still",
    "states",
    "step",
    "stopped_reach",
    "template_problems",
    "template_warnings",
    "total",
    "unsubscribe",
]


def save_sender(sender: Sender, now: datetime) -> Sender:
    """Keep a sender as it stands; what differs from before is written down."""
    with transaction.atomic():
        before = Sender.objects.filter(pk=sender.pk).first() if sender.pk else None
        sender.save()
        changes = audit.changed(model_to_dict(before) if before else {}, model_to_dict(sender))
        if changes:
            audit.record("sender.saved", "sender", sender.pk, now, changes=changes, name=sender.name)
    return sender


class NotReadyError(ValueError):
    """The message may not be sent; `problems` says why, in the language in force."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__(" / ".join(found))
        self.problems = list(found)


def queue_from(
    select: sql.Composable,
    *,
    message_id: int,
    now: datetime,
    scenario_id: int | None = None,
    broadcast_id: int | None = None,
) -> int:
    """Queue one mail per row of `select` (lead_id, occurrence, due_at), in the caller's transaction; returns how many.

    A send key (lead, message, occurrence) queued before is left alone, so repeating a step sends nothing twice.
    """
    params = {"message_id": message_id, "now": now, "scenario_id": scenario_id, "broadcast_id": broadcast_id}
    return SQL.queue_from.run(params, source=select)


# --- what is wrong with a message


def problems(message: Message) -> list[str]:
    """Why this message may not be sent: missing display items by name, template mistakes. Empty = it may."""
    if found := [problem for _part, problem in template_problems(message)]:
        return sender_problems(message.sender) + found
    try:
        task = partial(confined.call, law.rehearse, for_real=law.server_is_real(), language=get_language())
        return list(task(**_parts(message), kind=message.kind, identity=_identity(message)))
    except (TemplateProblemError, confined.ConfinedError) as error:
        return [*sender_problems(message.sender), _words(error)]


def sender_problems(sender: Sender) -> list[str]:
    """What the law and the receivers' rules find wrong with this sender, a sentence each."""
    return law.sender_problems(identity_of(sender))


def template_problems(message: Message) -> list[tuple[str, str]]:
    """Mistakes as (part, sentence), parts being the message's columns: syntax, unknown variables, links."""
    keys = frozenset(Field.objects.values_list("key", flat=True))
    task = partial(confined.call, render.check, field_keys=keys, language=get_language())
    try:
        return list(task(**_parts(message)))
    except confined.ConfinedError as error:
        return [("mjml", _words(error))]


def template_warnings(message: Message) -> list[tuple[str, str]]:
    """What would go out as typed though it looks like a slip, as (part, sentence): other tools' placeholders, HTML."""
    return slips.warnings(**_parts(message))


def preview(message: Message, lead_id: int | None) -> render.Rendered:
    """The message as this lead would see it, nothing tracked. TemplateProblemError when it is broken."""
    try:
        task = partial(confined.call, render.preview, facts=facts_of(lead_id), language=get_language())
        made: render.Rendered = task(**_parts(message), kind=message.kind, identity=_identity(message))
    except confined.ConfinedError as error:
        raise TemplateProblemError(_words(error)) from error
    return made


def _parts(message: Message) -> dict[str, Any]:
    return {
        "subject": message.subject, "preheader": message.preheader, "source": message.mjml, "text": message.text,
    }  # fmt: skip


def _identity(message: Message) -> render.Identity:
    return identity_of(message.sender)


def _words(error: Exception) -> str:
    return render.too_much() if isinstance(error, confined.ConfinedError) else str(error)


# --- broadcasts


@dataclass(frozen=True)
class Audience:
    """What the gate would do now: `going` people would get the mail, `skipped` maps reason codes to people."""

    going: int
    skipped: dict[str, int]

    @property
    def total(self) -> int:
        return self.going + sum(self.skipped.values())


def gate_preview(message_id: int, segment_id: int, now: datetime) -> Audience:
    """How a broadcast to the segment's present members would fare at `now` (the daily cap is of its day)."""
    judged = SQL.verdicts.compose(picked=SQL.segment_audience.text)
    params = {
        "message_id": message_id,
        "segment_id": segment_id,
        "now": now,
        "day_start": clock.jst_midnight(clock.jst_date(now)),
        "next_day": rules.carry_over(now),
        "carry_days": timedelta(days=rules.CARRY_DAYS),
    }
    found = {row["verdict"]: row["people"] for row in SQL.gate_preview.rows(params, judged=judged)}
    return Audience(found.pop("", 0), found)


def stopped_reach(segment_id: int | None = None) -> int:
    """How many people who stopped mail an operational mail would reach, in the segment or among everybody."""
    row = SQL.stopped_reach.row({"segment_id": segment_id})
    return int(row["people"]) if row else 0


def schedule(broadcast: Broadcast, at: datetime) -> None:
    """Fix the time of a draft. NotReadyError when its message may not be sent."""
    if found := problems(broadcast.message):
        raise NotReadyError(found)
    Broadcast.objects.filter(pk=broadcast.pk, state="draft").update(state="scheduled", scheduled_at=at)


def step(now: datetime) -> int:
    """The heart's step: start broadcasts whose time has come, close those with nothing left; ask who is to be asked.

    Returns rows changed.
    """
    changed = queue_asked(now)
    turn = definitions.turn("broadcast", now)
    for row in SQL.due_broadcasts.rows({"now": now}):
        if row["state"] == "sending":
            changed += SQL.finish_broadcast.run({"id": row["id"]})
            continue
        if turn.skips(row["id"]):
            continue
        with turn.attempt(row["id"]):
            changed += _start(row, now)
    return changed


def _start(row: dict[str, Any], now: datetime) -> int:
    if not SQL.start_broadcast.run({"id": row["id"], "now": now}):
        return 0
    members = sql.SQL(
        "SELECT m.lead_id, {key}::text AS occurrence, {now}::timestamptz AS due_at FROM segment_member m"
        " WHERE m.segment_id = {segment}"
    ).format(key=sql.Literal(f"b{row['id']}"), now=sql.Literal(now.isoformat()), segment=sql.Literal(row["segment_id"]))
    return 1 + queue_from(members, message_id=row["message_id"], now=now, broadcast_id=row["id"])


def pause(broadcast_id: int) -> bool:
    """Hold what has not gone out; what is in hand at this moment still goes. False when it was not sending."""
    return bool(Broadcast.objects.filter(pk=broadcast_id, state="sending").update(state="paused"))


def resume(broadcast_id: int, now: datetime) -> bool:
    """Let a paused broadcast go on. False when it was not paused."""
    with transaction.atomic():
        if not Broadcast.objects.filter(pk=broadcast_id, state="paused").update(state="sending"):
            return False
        message_id = Broadcast.objects.values_list("message_id", flat=True).get(pk=broadcast_id)
        SQL.resume_queued.run(
            {"id": broadcast_id, "message_id": message_id, "now": now, "until_resumed": rules.UNTIL_RESUMED}
        )
    return True


def cancel(broadcast_id: int) -> int | None:
    """Stop a broadcast for good; returns how many mails will not go out, None when it was over already."""
    with transaction.atomic():
        states_open = ("draft", "scheduled", "sending", "paused")
        if not Broadcast.objects.filter(pk=broadcast_id, state__in=states_open).update(state="cancelled"):
            return None
        message_id = Broadcast.objects.values_list("message_id", flat=True).get(pk=broadcast_id)
        return SQL.cancel_queued.run({"id": broadcast_id, "message_id": message_id})


def resend(lead_id: int, delivery_id: int, now: datetime) -> bool:
    """Queue one failed, skipped or unknown mail again, because a person said so. False when it is in no such state."""
    with transaction.atomic():
        if not SQL.resend.run({"lead_id": lead_id, "id": delivery_id, "now": now}):
            return False
        row = SQL.delivery_of.row({"lead_id": lead_id, "id": delivery_id})
        if row and row["broadcast_id"]:
            SQL.reopen_broadcast.run({"id": row["broadcast_id"]})
        audit.record("delivery.resent", "delivery", delivery_id, now, lead_id=lead_id)
    return True


def resend_all(message_id: int, broadcast_id: int | None, reason: str, now: datetime) -> int:
    """Queue again what failed or was skipped for this reason, because a person said so; returns how many.

    ValueError for a reason that only the person it is about can lift.
    """
    if reason not in rules.RESENDABLE:
        raise ValueError(reason)
    with transaction.atomic():
        again = SQL.resend_reason.run(
            {"message_id": message_id, "broadcast_id": broadcast_id, "reason": reason, "now": now}
        )
        if again and broadcast_id:
            SQL.reopen_broadcast.run({"id": broadcast_id})
    return again


def states(message_id: int, broadcast_id: int | None = None) -> list[dict[str, Any]]:
    """Rows of (state, reason, mails, parked) of a message or one of its broadcasts; their sum is the audience."""
    return SQL.states.rows(
        {"message_id": message_id, "broadcast_id": broadcast_id, "until_resumed": rules.UNTIL_RESUMED}
    )


def broadcasts(*, before: int = 2**62, limit: int = 30, only: int | None = None) -> list[dict[str, Any]]:
    """Broadcasts, newest first, each with its audience by state; the six states add up to `audience`."""
    return SQL.broadcasts.rows({"before": before, "limit": limit, "id": only})


def message_totals() -> list[dict[str, Any]]:
    """Messages in use, last changed first, with mails sent and audience; `incomplete`: a display item is missing."""
    return SQL.message_totals.rows()


def deliveries(
    message_id: int,
    broadcast_id: int | None,
    *,
    state: str = "",
    reason: str = "",
    after: tuple[int, int] = (0, 0),
    limit: int = 50,
) -> list[dict[str, Any]]:
    """One page of mails by (lead_id, id), each with whom it was for, the server's words, and whether it was read."""
    return SQL.deliveries.rows(
        {
            "message_id": message_id,
            "broadcast_id": broadcast_id,
            "state": state,
            "reason": reason,
            "after_lead": after[0],
            "after_id": after[1],
            "limit": limit,
            "opened": kinds.MAIL_OPENED.code,
            "clicked": kinds.MAIL_CLICKED.code,
        }
    )


# --- a person stops mail


def unsubscribe(lead_id: int, delivery_id: int, *, evidence: str, now: datetime) -> bool:
    """Stop mail for the recipient of this delivery. True only the first time; False also for no such mail."""
    with transaction.atomic():
        row = SQL.delivery_of.row({"lead_id": lead_id, "id": delivery_id})
        if row is None:
            return False
        lead_id, address = _present_owner(row)
        changed = consent.withdraw(lead_id, address=address, reason="unsubscribe", evidence=evidence, now=now)
        if changed:
            ledger.record([Fact(lead_id, "unsubscribed", now, object_id=row["message_id"])])
    return changed


def resubscribe(lead_id: int, delivery_id: int, *, evidence: str, now: datetime) -> bool:
    """The recipient takes the stop back, in their own hand. False where there is no such mail."""
    row = SQL.delivery_of.row({"lead_id": lead_id, "id": delivery_id})
    if row is None:
        return False
    owner, address = _present_owner(row)
    select = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(
        sql.Literal(owner), sql.Literal(address)
    )
    consent.grant_from(select, basis="optin", text_id=None, evidence=evidence, now=now, over_stop=True)
    return True


def recipient(lead_id: int, delivery_id: int) -> tuple[int, str, str] | None:
    """(lead_id, address, sender's legal name) of a delivery, the lead as merged since; None where there is none."""
    row = SQL.delivery_of.row({"lead_id": lead_id, "id": delivery_id})
    return (*_present_owner(row), row["legal_name"]) if row else None


def _present_owner(row: dict[str, Any]) -> tuple[int, str]:
    lead = Lead.objects.filter(pk=row["lead_id"]).first()
    while lead is not None and lead.merged_into:
        lead = Lead.objects.filter(pk=lead.merged_into).first()
    if lead is None:
        return row["lead_id"], row["address"]
    return lead.lead_id, row["address"] or lead.email
