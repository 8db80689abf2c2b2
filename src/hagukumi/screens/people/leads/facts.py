"""A person's facts, by group, and the one that is edited in place."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _

from hagukumi.accounts import reads as staff
from hagukumi.kit import ja
from hagukumi.people.fields import reads as fields
from hagukumi.people.fields.models import Field
from hagukumi.people.leads import services
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import reads as sources
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, Request, access

from . import person

PHONES = ("phone", "mobile")


def of(found: Lead) -> list[dict[str, Any]]:
    """The facts by group: label, value as shown, and the key by which one is edited."""
    own = fields.own()
    groups = []
    for group, title in services.GROUPS.items():
        if group == "own":
            rows = [_own_fact(found, field) for field in own]
        else:
            rows = [_fact(found, key) for key, column in services.COLUMNS.items() if column.group == group]
        if group == "work":
            rows += [_fact(found, "owner_id"), _fact(found, "source_id")]
        if rows:
            groups.append({"title": title, "rows": rows})
    return groups


def _fact(found: Lead, key: str) -> dict[str, Any]:
    if key in ("owner_id", "source_id"):
        thing = found.owner if key == "owner_id" else found.source
        label = _("担当者") if key == "owner_id" else _("ソース")
        return {"key": key, "label": label, "shown": thing.name if thing else "", "widget": "choice"}
    column = services.COLUMNS[key]
    value = getattr(found, key)
    shown: Any = "" if value is None else value
    if key in PHONES and value:
        shown = ja.show_phone(value)
    if column.choices:
        shown = column.choices.get(value, value)
    asked = key in services.missing(found)
    return {"key": key, "label": column.label, "shown": shown, "widget": column.widget, "asked": asked}


def _own_fact(found: Lead, field: Field) -> dict[str, Any]:
    value = found.fields.get(field.key, "")
    if field.type == "bool" and value != "":
        value = _("はい") if value else _("いいえ")
    return {"key": f"fields.{field.key}", "label": words.own(field, "label"), "shown": value, "widget": field.type}


@access(EVERYONE)
def lead_fact(request: Request, lead_id: int, key: str) -> HttpResponse:
    """One fact in place: GET the field to type in (`?show=1`: the fact as it is), POST the new value."""
    found = person.one(lead_id)
    row = _row(found, key)
    if request.method == "POST":
        try:
            services.edit(lead_id, {key: request.POST.get("value", "")}, user_id=request.user.id, now=request.now)
        except ValidationError as error:
            said = [text for texts in error.message_dict.values() for text in texts]
            return _part(request, found, row, status=422, errors=said, typed=request.POST.get("value", ""))
        found = person.one(lead_id)
        if not request.htmx:
            return redirect("lead", lead_id)
        return render(request, "people/leads/fact_saved.html", {**person.top(found), "row": _row(found, key)})
    if request.GET.get("show"):
        return render(request, "people/leads/fact.html", {"lead": found, "row": row})
    return _part(request, found, row)


def _row(found: Lead, key: str) -> dict[str, Any]:
    if key.startswith("fields."):
        field = fields.by_key(key[7:])
        if not field:
            raise Http404
        return _own_fact(found, field)
    if key not in services.COLUMNS and key not in ("owner_id", "source_id"):
        raise Http404
    return _fact(found, key)


def _part(
    request: Request,
    found: Lead,
    row: dict[str, Any],
    *,
    status: int = 200,
    errors: Any = (),
    typed: str | None = None,
) -> HttpResponse:
    context = {
        "lead": found, "row": row, "errors": errors, "choices": list(_choices(row["key"])),
        "value": typed if typed is not None else _raw(found, row["key"]),
    }  # fmt: skip
    page = "people/leads/fact_form.html" if request.htmx else "people/leads/fact_page.html"
    return render(request, page, context, status=status)


def _choices(key: str) -> Iterator[tuple[str, Any]]:
    if key == "owner_id":
        yield from ((str(user.id), user.name) for user in staff.active())
    elif key == "source_id":
        yield from ((str(key), name) for key, name in sources.latest())
    elif key.startswith("fields."):
        field = fields.by_key(key[7:])
        yield from ((choice, choice) for choice in (field.choices if field else ()))
        if field and field.type == "bool":
            yield from (("1", _("はい")), ("0", _("いいえ")))
    else:
        yield from (services.COLUMNS[key].choices or {}).items()


def _raw(found: Lead, key: str) -> str:
    value = found.fields.get(key[7:]) if key.startswith("fields.") else getattr(found, key)
    if key in PHONES and value:
        return ja.show_phone(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


urlpatterns = [path("leads/<int:lead_id>/facts/<str:key>/", lead_fact, name="lead_fact")]
