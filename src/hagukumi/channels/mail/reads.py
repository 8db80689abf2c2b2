"""What screens and other rooms read of mails."""

import re
from collections.abc import Iterator
from typing import Any

from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.forms import reads as forms
from hagukumi.kit.sql import Queries
from hagukumi.ledger.uses import Use
from hagukumi.ledger.uses import of as users
from hagukumi.people.leads.models import Lead

from . import kinds
from .models import Message, Sender

SQL = Queries(__file__, "reads.sql")
EXAMPLES = 20


def choices() -> list[tuple[int, str]]:
    """(id, name) of the mails in use, the last changed first."""
    return list(Message.objects.filter(archived_at=None).order_by("-updated_at").values_list("id", "name"))


def one(message_id: int) -> Message | None:
    """A mail that is in use; None where there is none, or it was put away."""
    return Message.objects.select_related("sender").filter(pk=message_id, archived_at=None).first()


def subjects() -> list[tuple[int, str, str]]:
    """(id, name, subject) of the mails in use, the last changed first."""
    return list(Message.objects.filter(archived_at=None).order_by("-updated_at").values_list("id", "name", "subject"))


def senders() -> list[Sender]:
    """Every sender in use, the first made first."""
    return list(Sender.objects.filter(archived_at=None).order_by("id"))


def sender(sender_id: int) -> Sender | None:
    """A sender in use; None where there is none, or it was put away."""
    return Sender.objects.filter(pk=sender_id, archived_at=None).first()


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The mails in use that a sender signs; what the house sends a mail for; who sends one that leads to a form."""
    if table == "sender":
        signed = Message.objects.filter(sender_id=object_id, archived_at=None).order_by("id")
        for key, name in signed.values_list("id", "name"):
            yield Use("メール", "mail", name, f"/messages/templates/{key}/")
    if table == "message" and Message.objects.filter(pk=object_id, purpose="confirm").exists():
        yield Use("フォームの機能", "feature of forms", "ダブルオプトイン", "/forms/")
    for message_id in _leading_to(object_id) if table == "form" else ():
        yield from users("message", message_id)


def _leading_to(form_id: int) -> list[int]:
    """Ids of the mails in use whose text leads to a form's page."""
    form = forms.one(form_id)
    if form is None:
        return []
    page = re.compile(rf"/f/{re.escape(form.slug)}(?![A-Za-z0-9_-])")
    found = Message.objects.filter(archived_at=None, mjml__contains=f"/f/{form.slug}").order_by("id")
    return [key for key, text in found.values_list("id", "mjml") if page.search(text)]


def examples() -> list[Lead]:
    """The newest known people with an address, for whom a template may be shown."""
    known = Lead.objects.filter(known_at__isnull=False, merged_into=None).exclude(email="")
    return list(known.order_by("-known_at", "-lead_id")[:EXAMPLES])


def names() -> dict[int, str]:
    """id -> name of every mail, archived ones too: history names them."""
    return dict(Message.objects.values_list("id", "name"))


def of_lead(lead_id: int, limit: int = 8) -> list[dict[str, Any]]:
    """The latest and the planned mails of one person: rows of `row` (a Delivery) and its mail's `name`."""
    rows = list(Delivery.objects.filter(lead_id=lead_id).order_by("-queued_at")[:limit])
    told = dict(Message.objects.filter(id__in={row.message_id for row in rows}).values_list("id", "name"))
    return [{"row": row, "name": told.get(row.message_id, "")} for row in rows]


def standing_lines() -> list[dict[str, Any]]:
    """Lines that stand still and for which mails wait: the columns of `mail_line` with `waiting`, oldest first."""
    return SQL.standing_lines.rows()


def stopped_reach(segment_id: int | None = None) -> int:
    """How many people who stopped mail an operational mail would reach, in the segment or among everybody."""
    return int(SQL.stopped_reach.value({"segment_id": segment_id}) or 0)


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
