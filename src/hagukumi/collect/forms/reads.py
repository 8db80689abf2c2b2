"""What the forms screens read."""

import csv as writer
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from hagukumi.collect.tracking import kinds
from hagukumi.kit import answers as kit
from hagukumi.kit import clock
from hagukumi.people.fields import reads as fields

from .models import Form, HeldAnswer
from .queries import SQL

CSV_PAGE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def forms(now: datetime, window: timedelta, base_url: str) -> list[dict[str, Any]]:
    """Every form with answers in all, answers in the window, the hosted page's visitors in it and the rate of the two.

    `rate` (0-1) is None where nobody was seen on the hosted page, or where more answers than visitors were counted
    (a form that is embedded elsewhere).
    """
    rows = SQL.forms.rows({"since": now - window})
    urls = [f"{base_url}/f/{row['slug']}" for row in rows]
    first = clock.jst_date(now - window)
    counted = SQL.page_people.rows({"urls": urls, "view": kinds.PAGE_VIEW.code, "first": first})
    people = {row["url"]: row["people"] for row in counted}
    for row, url in zip(rows, urls, strict=True):
        seen = row["visitors"] = people.get(url)
        row["rate"] = row["recent"] / seen if seen and row["recent"] <= seen else None
    return rows


def stats(form_id: int, now: datetime, window: timedelta) -> dict[str, Any]:
    """`answers`, `recent`, `last_at` of one form."""
    found = SQL.form_stats.row({"form_id": form_id, "since": now - window})
    assert found is not None
    return found


def answers(form_id: int, *, before: tuple[datetime, int] | None, limit: int) -> list[dict[str, Any]]:
    """Answers with their person, newest first; `before` is (at, id) of the last one shown."""
    at, number = before or (None, None)
    rows = SQL.answers.rows({"form_id": form_id, "before_at": at, "before_id": number, "limit": limit})
    return [{**row, "answers": json.loads(row["answers"])} for row in rows]


def own_fields(language: str) -> list[tuple[str, str]]:
    """The workspace's own fields as targets of a question."""
    found = sorted(fields.own(), key=lambda one: one.label_ja)
    return [(f"fields.{one.key}", one.label_en if language == "en" else one.label_ja) for one in found]


def csv(form: Form, language: str) -> Iterator[bytes]:
    """The answers as CSV with a BOM, newest first, a page at a time; no cell begins a formula."""
    definition = kit.definition(form.version.definition) if form.version else kit.Definition()
    keys = [question.key for question in definition.fields]
    heads = ("日時", "リードID", "同意") if language == "ja" else ("At (JST)", "Lead ID", "Agreed")
    yield b"\xef\xbb\xbf" + _line([*heads, *(question.label(language) for question in definition.fields)])
    before = None
    while rows := answers(form.pk, before=before, limit=CSV_PAGE):
        for row in rows:
            local = row["at"].astimezone(clock.JST)
            given = [row["answers"].get(key, "") for key in keys]
            yield _line([f"{local:%Y-%m-%d %H:%M:%S}", row["lead_id"], "1" if row["consent_text_id"] else "", *given])
        before = (rows[-1]["at"], rows[-1]["id"])


def _line(cells: list[Any]) -> bytes:
    out = io.StringIO()
    writer.writer(out, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return out.getvalue().encode()


def _safe(cell: Any) -> str:
    text = "1" if cell is True else "" if cell is False or cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def choices() -> list[tuple[int, str]]:
    """(id, name) of every form, by name."""
    return list(Form.objects.order_by("name").values_list("id", "name"))


def one(form_id: int) -> Form | None:
    """A form with its live version and text, its source and its content at hand."""
    return _whole().filter(pk=form_id).first()


def open_one(slug: str, *, also_closed: bool = False) -> Form | None:
    """The form that the public sees at an address; None where nothing has been published there."""
    states = ("open", "closed") if also_closed else ("open",)
    return _whole().filter(slug=slug, state__in=states, version__isnull=False).first()


def _whole() -> QuerySet[Form]:
    return Form.objects.select_related("version", "version__consent_text", "source", "content")


def is_taken(slug: str) -> bool:
    """Whether another form has this address."""
    return Form.objects.filter(slug=slug).exists()


def free_slug(base: str) -> str:
    """`base`, or where that is another form's address, the first of `base-2`, `base-3` ... that is free."""
    taken = set(Form.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def held(form_id: int, limit: int) -> list[HeldAnswer]:
    """Answers that wait for a person, newest first."""
    return list(HeldAnswer.objects.filter(form_id=form_id).select_related("version").order_by("-at", "-id")[:limit])


def count_held(form_id: int) -> int:
    return HeldAnswer.objects.filter(form_id=form_id).count()


def held_one(form_id: int, held_id: int) -> HeldAnswer | None:
    return HeldAnswer.objects.filter(form_id=form_id, pk=held_id).first()
