"""Changing what is known of a person: facts, tags, notes, calls, state. Every change is a fact in the ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg import sql

from hagukumi.kit import ja
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.fields import profile
from hagukumi.people.fields.models import Field

from . import kinds
from .models import Lead, LeadIdentity
from .queries import SQL
from .rules import KNOWN

OWN = "fields."
"""How a customer's own field is named among changes: `fields.<key>`."""


def edit(lead_id: int, changes: Mapping[str, Any], *, user_id: int | None, now: datetime) -> dict[str, list[Any]]:
    """Change facts in place; returns {field: [old, new]} of what really changed. One field_changed fact each.

    Keys are those of `profile.COLUMNS`, `owner_id`, `source_id`, or `fields.<key>`; values as typed. Keeps the e-mail
    identity and the company in step. ValidationError({field: message}) leaves everything as it was; Lead.DoesNotExist.
    Locks the lead's row.
    """
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(lead_id=lead_id)
        cleaned = _clean(changes)
        changed: dict[str, list[Any]] = {}
        for key, value in cleaned.items():
            old = lead.fields.get(key[len(OWN) :]) if key.startswith(OWN) else getattr(lead, key)
            if old != value:
                changed[key] = [old, value]
                _set(lead, key, value)
        if not changed:
            return {}
        _follow(lead, changed, given=cleaned)
        lead.updated_at = now
        lead.save()
        ledger.record(
            [
                Fact(lead_id, "field_changed", now, details={"field": key, "old": old, "new": new, "by": user_id})
                for key, (old, new) in changed.items()
            ]
        )
    return changed


def make_nameless(count: int, now: datetime) -> list[int]:
    """New leads of whom nothing is known, for what was said by nobody in particular; returns their ids."""
    return [row["lead_id"] for row in SQL.make_nameless.rows({"count": count, "now": now})]


def company_changed(company_id: int, *, now: datetime) -> int:
    """A company's facts were corrected: conditions on them are asked of its people again. Returns how many."""
    return companies_changed([company_id], now=now)


def companies_changed(company_ids: Sequence[int], *, now: datetime) -> int:
    """`company_changed` for several companies at once."""
    if not company_ids:
        return 0
    people = sql.SQL("SELECT l.lead_id FROM lead l WHERE l.company_id = ANY({}::bigint[]) AND {}").format(
        sql.Literal(list(company_ids)), KNOWN
    )
    return ledger.ask_again(people, kinds.FIELD_CHANGED.key, now)


def _clean(changes: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    own = {field.key: field for field in Field.objects.all()} if any(key.startswith(OWN) for key in changes) else {}
    for key, value in changes.items():
        typed = "" if value is None else str(value).replace("\x00", "")
        try:
            if key in ("owner_id", "source_id"):
                cleaned[key] = int(typed) if typed else None
            elif key.startswith(OWN) and (field := own.get(key[len(OWN) :])):
                cleaned[key] = profile.clean_own(field.type, field.choices, typed)
            elif key in profile.COLUMNS:
                cleaned[key] = profile.COLUMNS[key].clean(typed)
            else:
                errors[key] = _("この項目は変更できません。")
        except ValidationError as error:
            errors[key] = error.messages
        if key in ("phone", "mobile") and key not in errors and (extension := ja.phone(typed)[1]):
            cleaned.setdefault("phone_extension", extension)
    if errors:
        raise ValidationError(errors)
    return cleaned


def _set(lead: Lead, key: str, value: Any) -> None:
    if not key.startswith(OWN):
        setattr(lead, key, value)
    elif value is None:
        lead.fields.pop(key[len(OWN) :], None)
    else:
        lead.fields[key[len(OWN) :]] = value


def _follow(lead: Lead, changed: dict[str, list[Any]], *, given: Mapping[str, Any]) -> None:
    """What depends on a changed fact: rank on the title, identity on the address, company on name and address."""
    if "title" in changed and "rank" not in given and lead.rank != (rank := ja.rank(lead.title)):
        changed["rank"] = [lead.rank, rank]
        lead.rank = rank
    if "email" in changed:
        _move_address(lead, *changed["email"])
    if "company_name" in changed or "email" in changed:
        lead.company_id = _company_of(lead)


def _move_address(lead: Lead, old: str, new: str) -> None:
    if new and not ja.is_role_address(new):
        holder = LeadIdentity.objects.filter(kind="email", value=new).first()
        if holder and holder.lead_id != lead.lead_id:
            raise ValidationError(
                {"email": _("このアドレスは別のリード（No.%(id)s）が使っています。") % {"id": holder.lead_id}}
            )
        if not holder:
            LeadIdentity.objects.create(kind="email", value=new, lead_id=lead.lead_id)
    if old:
        LeadIdentity.objects.filter(kind="email", value=ja.email(old), lead_id=lead.lead_id).delete()


def _company_of(lead: Lead) -> int | None:
    from hagukumi.people.companies import services as companies

    return companies.resolve([(lead.company_name, lead.email)], now=lead.updated_at)[0]


def tag_from(select: sql.Composable, tag: str, *, now: datetime, hop: int = 0) -> int:
    """Tag the leads of `select` (yields lead_id); returns how many did not have it. ValueError for an empty tag."""
    params = {"tag": _tag(tag), "now": now, "kind": kinds.TAGGED.code, "hop": hop}
    with transaction.atomic():
        ledger.open_beat_tables()
        tagged = SQL.tag.run(params, leads=select)
        ledger.record_pending()
    return tagged


def untag_from(select: sql.Composable, tag: str, *, now: datetime) -> int:
    """Take a tag off the leads of `select`; returns how many had it."""
    with transaction.atomic():
        ledger.open_beat_tables()
        untagged = SQL.untag.run({"tag": _tag(tag), "now": now, "kind": kinds.UNTAGGED.code}, leads=select)
        ledger.record_pending()
    return untagged


def _tag(tag: str) -> str:
    plain = " ".join(ja.visible(tag.replace("\x00", "")).split())
    if not plain or len(plain) > 60:
        raise ValueError("a tag has 1 to 60 characters")
    return plain


def undo_tagging(at: datetime, tag: str, *, now: datetime) -> int:
    """Take off again what one bulk act of the instant `at` put on; returns how many still had it."""
    ids = [row["lead_id"] for row in SQL.tagged_at.rows({"kind": kinds.TAGGED.code, "at": at, "tag": tag})]
    return untag_from(ids_sql(ids), tag, now=now)


def ids_sql(lead_ids: list[int]) -> sql.Composed:
    """A SELECT that yields exactly these lead_ids: for the verbs that take a `select`."""
    return sql.SQL("SELECT unnest({}::bigint[]) AS lead_id").format(sql.Literal(lead_ids))


def addresses_sql(lead_ids: list[int]) -> sql.Composed:
    """A SELECT that yields these leads with the address they have now, as the consent room's verbs take them."""
    return sql.SQL("SELECT lead_id, email AS address FROM lead WHERE lead_id = ANY({}::bigint[])").format(
        sql.Literal(lead_ids)
    )


def known_sql(lead_ids: list[int]) -> sql.Composed:
    """A SELECT of those of these ids that are known, unmerged people: for ids that came from outside."""
    return sql.SQL("SELECT l.lead_id FROM lead l WHERE l.lead_id = ANY({}::bigint[]) AND {}").format(
        sql.Literal(lead_ids), KNOWN
    )


def tag_preview(select: sql.Composable, tag: str) -> dict[str, int]:
    """`reached`: how many leads a bulk tag would reach; `already`: how many of them have it."""
    return SQL.tag_preview.row({"tag": tag}, leads=select) or {"reached": 0, "already": 0}


def add_note(lead_id: int, text: str, *, user_id: int | None, now: datetime) -> None:
    """Write a note on the timeline. ValidationError when it is empty or longer than 4,000 characters."""
    ledger.record([Fact(lead_id, "note", now, details={"text": _words(text), "by": user_id})])


CALL_RESULTS: dict[str, Any] = {
    "talked": gettext_lazy("話せた"),
    "absent": gettext_lazy("不在"),
    "refused": gettext_lazy("断られた"),
    "callback": gettext_lazy("かけ直し"),
}


def log_call(
    lead_id: int, *, result: str, text: str, user_id: int | None, now: datetime, seconds: float | None = None
) -> None:
    """Write a call on the timeline. `result` is a key of CALL_RESULTS, `seconds` its length where known."""
    if result not in CALL_RESULTS:
        raise ValidationError({"result": _("選択肢から選んでください。")})
    words = _words(text) if text.strip() else ""
    details = {"result": result, "text": words, "by": user_id}
    ledger.record([Fact(lead_id, "call", now, amount=seconds, details=details)])


def _words(text: str) -> str:
    plain = text.replace("\x00", "").strip()
    if not plain:
        raise ValidationError({"text": _("内容を入力してください。")})
    if len(plain) > 4000:
        raise ValidationError({"text": _("%(size)s 文字以内で入力してください。") % {"size": 4000}})
    return plain


def change_state(lead_id: int, state: str, *, reason: str, user_id: int | None, now: datetime) -> bool:
    """Say where the person stands at their company (`profile.STATES`); False when that is so already."""
    if state not in profile.STATES:
        raise ValidationError({"state": _("選択肢から選んでください。")})
    with transaction.atomic():
        lead = Lead.objects.select_for_update().get(lead_id=lead_id)
        if lead.state == state:
            return False
        details = {"old": lead.state, "new": state, "reason": reason.replace("\x00", "")[:200], "by": user_id}
        Lead.objects.filter(lead_id=lead_id).update(state=state, updated_at=now)
        ledger.record([Fact(lead_id, "state_changed", now, details=details)])
    return True
