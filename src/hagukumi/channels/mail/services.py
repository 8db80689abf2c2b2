"""Verbs of the mail room: queue mails, check templates, show how they look, ask who is to be asked."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.channels.outbox import services as outbox
from hagukumi.kit import confined
from hagukumi.ledger import uses
from hagukumi.people.fields.models import Field

from . import law, render, slips
from .channel import EMAIL
from .compiled import Rendered
from .confirming import asked, confirm, queue_asked
from .expressions import TemplateProblemError, too_much
from .figures import CONVERSION_DAYS, Figures, by_message_and_month, of_broadcast, total
from .identity import Identity, identity_of
from .lines import standing_still
from .models import Message, Sender
from .outbox import Job, Outbox
from .testing import send_test
from .values import facts_of

__all__ = [
    "CONVERSION_DAYS",
    "EMAIL",
    "Figures",
    "InFlightError",
    "Job",
    "Outbox",
    "TemplateProblemError",
    "archive",
    "archive_sender",
    "asked",
    "by_message_and_month",
    "confirm",
    "of_broadcast",
    "preview",
    "problems",
    "queue_asked",
    "queue_from",
    "save",
    "save_sender",
    "send_test",
    "sender_problems",
    "standing_still",
    "template_problems",
    "template_warnings",
    "total",
]


class InFlightError(ValueError):
    """The message is going out at this moment; the sentence says what to do, in the language in force."""


def save(message: Message, now: datetime) -> Message:
    """Keep a template as it stands; what differs from before is written down.

    InFlightError while a broadcast of it is going out: all its recipients get one text.
    """
    with transaction.atomic():
        before = Message.objects.filter(pk=message.pk).first() if message.pk else None
        if before and outbox.in_flight(message.pk, now):
            raise InFlightError(_("このメールは配信中です。変更するには、先に配信を一時停止してください。"))
        message.created_at, message.updated_at = message.created_at or now, now
        message.save()
        changes = audit.changed(_content(before) if before else {}, _content(message))
        told: dict[str, Any] = {"reason": message.kind_reason} if message.kind_reason else {}
        audit.record("message.saved", "message", message.pk, now, changes=changes, name=message.name, **told)
    return message


def _content(message: Message) -> dict[str, Any]:
    names = ("name", "kind", "subject", "preheader", "mjml", "text", "sender_id")
    return {name: getattr(message, name) for name in names}


def archive(message_id: int, now: datetime) -> None:
    """Put a template away; what was sent of it stays. InUseError names what still sends it."""
    with transaction.atomic():
        uses.refuse("message", message_id)
        if Message.objects.filter(pk=message_id, archived_at=None).update(archived_at=now):
            name = Message.objects.values_list("name", flat=True).get(pk=message_id)
            audit.record("message.archived", "message", message_id, now, name=name)


def save_sender(sender: Sender, now: datetime) -> Sender:
    """Keep a sender as it stands; what differs from before is written down."""
    with transaction.atomic():
        before = Sender.objects.filter(pk=sender.pk).first() if sender.pk else None
        sender.save()
        changes = audit.changed(_identity_of(before) if before else {}, _identity_of(sender))
        if changes:
            audit.record("sender.saved", "sender", sender.pk, now, changes=changes, name=sender.name)
    return sender


def archive_sender(sender_id: int, now: datetime) -> None:
    """Put a sender away; mails that went out in its name keep it. InUseError names the mails that it signs."""
    with transaction.atomic():
        uses.refuse("sender", sender_id)
        if Sender.objects.filter(pk=sender_id, archived_at=None).update(archived_at=now):
            name = Sender.objects.values_list("name", flat=True).get(pk=sender_id)
            audit.record("sender.archived", "sender", sender_id, now, name=name)


def _identity_of(sender: Sender) -> dict[str, Any]:
    return model_to_dict(sender, exclude=("id", "archived_at"))


def queue_from(
    select: sql.Composable,
    *,
    message_id: int,
    now: datetime,
    scenario_id: int | None = None,
    broadcast_id: int | None = None,
) -> int:
    """Queue one mail per row of `select` (lead_id, occurrence, due_at); see `outbox.queue_from`."""
    return outbox.queue_from(
        select, EMAIL, message_id=message_id, now=now, scenario_id=scenario_id, broadcast_id=broadcast_id
    )


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


def preview(message: Message, lead_id: int | None) -> Rendered:
    """The message as this lead would see it, nothing tracked. TemplateProblemError when it is broken."""
    try:
        task = partial(confined.call, render.preview, facts=facts_of(lead_id), language=get_language())
        made: Rendered = task(**_parts(message), kind=message.kind, identity=_identity(message))
    except confined.ConfinedError as error:
        raise TemplateProblemError(_words(error)) from error
    return made


def _parts(message: Message) -> dict[str, Any]:
    return {
        "subject": message.subject, "preheader": message.preheader, "source": message.mjml, "text": message.text,
    }  # fmt: skip


def _identity(message: Message) -> Identity:
    return identity_of(message.sender)


def _words(error: Exception) -> str:
    return too_much() if isinstance(error, confined.ConfinedError) else str(error)
