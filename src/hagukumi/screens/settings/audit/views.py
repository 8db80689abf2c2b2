"""操作の記録: who did what to what, from where and from what to what, in words; searched, and taken out as CSV."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hagukumi.accounts import audit as trail
from hagukumi.accounts import reads as staff
from hagukumi.accounts import throttle
from hagukumi.accounts.models import AuditEntry, User
from hagukumi.collect.forms import reads as form_reads
from hagukumi.kit import clock, ja, keyset
from hagukumi.ledger import objects
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import ADMIN, Request, access

from . import wording

CSV_PAGE = 1000
TABLES = {
    "member": "staff", "token": "api_token", "message": "message", "sender": "sender", "broadcast": "broadcast",
    "scenario": "scenario", "score": "score_model", "segment": "segment", "form": "form",
}  # fmt: skip
"""Kinds of objects that are called what they are called now, and the table that they lie in (`ledger.objects`)."""
PAGES = {
    "message": "message", "sender": "sender", "broadcast": "broadcast", "scenario": "scenario", "segment": "segment",
    "form": "form",
}  # fmt: skip
"""Kinds of objects that have a page of their own, and its name in the addresses."""

Names = dict[tuple[str, str], str]
"""What the objects of entries are called, by (kind, id); one that is gone has no name."""


class SearchForm(forms.Form):
    """What the log is asked for; whatever is no answer to a question is left out of it."""

    who = forms.ModelChoiceField(staff.by_name(), label=lazy("だれが"), required=False)
    action = forms.ChoiceField(label=lazy("何を"), required=False)
    door = forms.ChoiceField(label=lazy("入口"), required=False)
    first = forms.DateField(label=lazy("いつから"), required=False, widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(label=lazy("いつまで"), required=False, widget=forms.DateInput({"type": "date"}))
    q = forms.CharField(label=lazy("語句"), max_length=120, required=False, strip=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = _("すべて")
        self.fields["who"].empty_label = everybody  # type: ignore[attr-defined]
        self.fields["action"].choices = [("", everybody), *wording.ACTIONS.items()]  # type: ignore[attr-defined]
        self.fields["door"].choices = [("", everybody), *wording.DOORS.items()]  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """The questions that are asked, by name."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def query(self) -> str:
        """The same questions as an address carries them, each with an & before it."""
        return "".join(f"&{urlencode({name: self.data[name]})}" for name in self.given())


@access(ADMIN)
def audit(request: Request) -> HttpResponse:
    """Who did what, newest first, by keyset."""
    form = SearchForm(request.GET)
    before = keyset.read(request.GET.get("before"), datetime, int)
    asked = staff.Asked(**form.given())
    entries, older = keyset.page(staff.entries(asked, before=before, limit=keyset.PAGE_SIZE + 1), "at", "id")
    context = {
        "entries": list(_shown(entries)),
        "older": older,
        "form": form,
        "query": form.query(),
        "asked": bool(form.given()),
    }
    return render(request, "settings/audit/audit.html", context)


@access(ADMIN)
def audit_csv(request: Request) -> StreamingHttpResponse:
    """The entries asked for as CSV, newest first; that they were taken out is an entry itself."""
    given = SearchForm(request.GET).given()
    asked = staff.Asked(**given)
    told = {name: value.pk if isinstance(value, User) else value for name, value in given.items()}
    trail.record("audit.exported", "audit", "", request.now, count=staff.count_entries(asked), filter=told)
    response = StreamingHttpResponse(_csv(asked, request.now), content_type="text/csv; charset=utf-8")
    stamp = f"{clock.jst_date(request.now):%Y%m%d}"
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{stamp}.csv"'
    return response


@access(ADMIN)
def limits(request: Request) -> HttpResponse:
    """What was refused or held in the last 30 days because it was tried too often."""
    names = {str(pk): name for pk, name in staff.names().items()}
    forms_ = {str(pk): name for pk, name in form_reads.choices()}
    rows = []
    for row in throttle.refused(request.now):
        first, _blank, rest = row["subject"].partition(" ")
        known = forms_ if row["scope"].startswith("form.") else names
        who = first if row["scope"] == "sign_in.caller" else known.get(first, _("登録のないアドレス"))
        rows.append({**row, "label": wording.SCOPES_TRIED.get(row["scope"], row["scope"]), "who": who, "where": rest})
    return render(request, "settings/audit/limits.html", {"rows": rows})


def _shown(entries: list[AuditEntry]) -> Iterator[dict[str, Any]]:
    names = _names(entries)
    for entry in entries:
        name, url = _object(entry, names)
        yield {
            "entry": entry,
            "who": _who(entry),
            "where": " ".join(part for part in (str(wording.DOORS.get(entry.door, entry.door)), entry.origin) if part),
            "action": wording.ACTIONS.get(entry.action, entry.action),
            "name": name,
            "url": url,
            "facts": wording.said(entry.details),
        }


def _who(entry: AuditEntry) -> str:
    who = entry.user.name if entry.user else ""
    if entry.token:
        return f"{entry.token.name} ({who})"
    return who or (_("サインイン前の人") if entry.door == "public" else entry.origin or _("システム"))


def _csv(asked: staff.Asked, now: datetime) -> Iterator[bytes]:
    heads = ("at", "who", "door", "origin", "action", "what", "object_kind", "object_id", "name", "details")
    yield b"\xef\xbb\xbf" + _line(heads)
    before: tuple[datetime, int] | None = (now, 0)
    while entries := staff.entries(asked, before=before, limit=CSV_PAGE):
        for row in _shown(entries):
            entry = row["entry"]
            yield _line(
                (
                    entry.at.astimezone(clock.JST).isoformat(), row["who"], entry.door, entry.origin, entry.action,
                    row["action"], entry.object_kind, entry.object_id, row["name"],
                    json.dumps(entry.details, ensure_ascii=False),
                )
            )  # fmt: skip
        before = (entries[-1].at, entries[-1].id)


def _line(cells: Iterable[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([ja.escape_formula(str(cell)) for cell in cells])
    return out.getvalue().encode()


def _names(entries: Iterable[AuditEntry]) -> Names:
    """The names of the objects of a page of entries, in one statement."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.object_kind in TABLES and entry.object_id.isdecimal():
            wanted.setdefault(TABLES[entry.object_kind], set()).add(int(entry.object_id))
    known = objects.names(wanted)
    tables = {table: kind for kind, table in TABLES.items()}
    return {(tables[table], str(pk)): words.pick(name) or name[0] for (table, pk), name in known.items()}


def _object(entry: AuditEntry, names: Names) -> tuple[str, str]:
    """What the act was done to: its name ('' where the action says it all) and its page ('' where it has none)."""
    name = names.get((entry.object_kind, entry.object_id), "") or str(entry.details.get("name", ""))
    lead_id = entry.object_id if entry.object_kind == "lead" else entry.details.get("lead_id")
    if lead_id and str(lead_id).isdecimal() and not name:
        return _("リード %(n)s") % {"n": lead_id}, reverse("lead", args=[lead_id])
    known = (entry.object_kind, entry.object_id) in names and entry.object_kind in PAGES
    return name, reverse(PAGES[entry.object_kind], args=[entry.object_id]) if known else ""


urlpatterns = [
    path("settings/audit/", audit, name="audit"),
    path("settings/audit/limits/", limits, name="limits"),
    path("settings/audit.csv", audit_csv, name="audit_csv"),
]
