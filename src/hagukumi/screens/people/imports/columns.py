"""A draft's columns: what each becomes, how the first rows will read, and which encoding and sheet they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hagukumi.kit import ja
from hagukumi.kit import lazy as modules
from hagukumi.kit.columns import COLUMNS
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping
from hagukumi.people.fields import reads as own_fields
from hagukumi.people.imports import rules
from hagukumi.people.imports import services as verbs
from hagukumi.people.imports.models import Import
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import Request

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8（BOM 付き）",
    "cp932": "Shift_JIS（cp932）",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "mixed": "UTF-8 + Shift_JIS",
    "xlsx": "Excel",
    "vcard": "vCard",
}


def change_encoding(request: Request, item: Import) -> None:
    try:
        verbs.change_encoding(item, request.POST["encoding"])
    except TableError as error:
        messages.error(request, rules.file_error({"code": error.code, **error.values}))


def change_sheet(request: Request, item: Import) -> None:
    try:
        verbs.change_sheet(item, request.POST["sheet"])
    except TableError as error:
        messages.error(request, rules.file_error({"code": error.code, **error.values}))


def change_mapping(request: Request, item: Import) -> None:
    """Take over the selects: one per column, by place. `own` makes a new field of the column's name."""
    columns = {}
    table = verbs.open_import(item)
    fields = {field.key: field.label_ja for field in own_fields.own()}
    for name, target in item.mapping["columns"].items():  # those that the import is going to make
        if target.startswith("field:"):
            fields.setdefault(target.removeprefix("field:"), name[:60])
    allowed = mapping.TARGETS.keys() | {f"field:{key}" for key in fields}
    for place, name in enumerate(table.header):
        target = request.POST.get(f"c{place}", "")
        if target == "own":
            key = mapping.own_key(name[:60], fields)
            fields[key] = name[:60]
            target = f"field:{key}"
        elif target not in allowed:
            target = ""
        columns[name] = target
    day_first = request.POST.get("dates", item.mapping.get("dates")) == "day_first"
    verbs.change_mapping(item, columns, replace=request.POST.get("replace") == "1", day_first=day_first)


def show(request: Request, item: Import) -> HttpResponse:
    try:
        shown = verbs.preview(item)
    except TableError as error:
        message = rules.file_error({"code": error.code, **error.values})
        return render(request, "people/imports/columns.html", {"item": item, "error": message, "encodings": ENCODINGS})
    columns = item.mapping["columns"]
    sampled = [
        {
            "place": place,
            "name": name,
            "target": columns.get(name, ""),
            "samples": [cell for cell in shown.samples[place] if cell],
        }
        for place, name in enumerate(shown.table.header)
    ]
    head = [key for key in COLUMNS if key in shown.rows.columns and key != "rank" and _filled(shown.rows[key])]
    rows = [
        [row["row_no"], *(_cell(key, row[key]) for key in head)] 
        for row in shown.rows.select("row_no", *head).iter_rows(named=True)
    ] if shown.rows.height else []  # fmt: skip
    context = {
        "item": item, "encodings": ENCODINGS, "columns": sampled, "groups": _choices(columns), "rows": rows,
        "head": [_label(key) for key in head], "missing": words.joined(map(_label, mapping.missing(columns))),
        "ignored": sum(1 for column in sampled if not column["target"]), "identifies": mapping.identifies(columns),
        "rejects": [(reject, rules.row_error(reject)) for reject in shown.rejects],
        "notices": [(notice, rules.row_error(notice)) for notice in shown.notices],
        "replace": item.mapping.get("replace"), "sheets": shown.table.sheets, "sheet": shown.table.sheet,
        "two_readings": shown.two_readings, "day_first": item.mapping.get("dates") == "day_first",
    }  # fmt: skip
    return render(request, "people/imports/columns.html", context)


def _filled(column: pl.Series) -> bool:
    return bool((column.cast(pl.String).fill_null("") != "").any())


def _label(key: str) -> str:
    if key in COLUMNS:
        return COLUMNS[key].label(words.language())
    return mapping.TARGETS[key].label(words.language()) if key in mapping.TARGETS else key


def _cell(key: str, value: Any) -> str:
    if COLUMNS[key].type == "phone":
        return ja.show_phone(value) if value else ""
    return "" if value is None else str(value)


def _choices(columns: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Targets by group, own fields with those that this import is going to make of its `columns`, and a new one."""
    language = words.language()
    groups = []
    for key, pair in mapping.GROUPS.items():
        targets = [(t.key, t.label(language)) for t in mapping.TARGETS.values() if t.group == key]
        groups.append((words.pick(pair), targets))
    own = [(f"field:{field.key}", words.own(field, "label")) for field in own_fields.own()]
    known = dict(own)
    own += [(target, name) for name, target in columns.items() if target.startswith("field:") and target not in known]
    return [*groups, (_("独自の項目"), [*own, ("own", _("＋ この列を新しい項目にする"))])]
