"""取り込み: upload a file, see what its rows will become, start, watch, and fetch what was not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hagukumi.kit import clock, ja, keyset, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.columns import COLUMNS
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping
from hagukumi.people.fields.models import Field
from hagukumi.people.imports import rules
from hagukumi.people.imports import services as verbs
from hagukumi.people.imports.models import Import, ImportNotice, ImportReject
from hagukumi.people.sources.models import Source
from hagukumi.screens.people.sources.views import SourceForm, bases
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access, uploads

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

SHOWN_REJECTS = 20
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
ACTIVE = ("queued", "running")


class UploadForm(forms.Form):
    """The file, the source it comes from (or a new one), and on which basis its people may be mailed."""

    file = forms.FileField(
        label=lazy("ファイル"),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods,.vcf"}),
        help_text=lazy("CSV、Excel、vCard のファイル、500 MB まで。ここにファイルを落とすこともできます。"),
        error_messages={"empty": rules.FILE_ERRORS["empty"]},
    )
    source = forms.ChoiceField(label=lazy("ソース"), choices=lambda: [("new", _("新しいソースを作る")), *_sources()])
    basis = forms.ChoiceField(
        label=lazy("配信の根拠"),
        choices=lambda: [("none", _("記録しない（この人たちにはまだ配信しません）")), *bases("")[1:]],
        help_text=lazy(
            "特定電子メール法の記録です。名刺をいただいた相手なら「名刺など書面での通知」を選びます。"
            "配信を断った人には、根拠があっても送りません。"
        ),
    )


def _sources() -> list[tuple[str, str]]:
    return [(str(source.id), source.name) for source in Source.objects.order_by("-id")]


@access(MARKETING)
@require_GET
def imports(request: Request) -> HttpResponse:
    """Imports, newest first; what is under way moves by itself."""
    before = keyset.read(request.GET.get("before"), int)
    found = Import.objects.select_related("source", "user").order_by("-id")
    if before:
        found = found.filter(id__lt=before[0])
    rows, older = keyset.page(list(found[: keyset.PAGE_SIZE + 1]), "id")
    shown = [_shown(item, request) for item in rows]
    moving = any(item.state in ACTIVE for item in rows)
    return render(
        request,
        "people/imports/imports.html",
        {"rows": shown, "moving": moving, "next": older, "before": before, "kept_days": verbs.KEPT_DAYS},
    )


def _shown(item: Import, request: Request) -> dict[str, Any]:
    """An import as its screens show it: label of its state, rate (rows/s) and seconds left while it runs."""
    spent = (request.now - item.started_at).total_seconds() if item.started_at and item.state == "running" else 0
    rate = round(item.done_rows / spent) if spent > 0 and item.done_rows else 0
    return {
        "item": item,
        "state": rules.STATES.get(item.state, item.state),
        "active": item.state in ACTIVE,
        "rate": rate,
        "left": round((item.rows - item.done_rows) / rate) if rate else None,
        "error": rules.file_error(item.message),
    }


@uploads(verbs.MAX_UPLOAD_MB)
@access(MARKETING)
@require_http_methods(["GET", "POST"])
def import_new(request: Request) -> HttpResponse:
    """Upload a file and go on to its columns."""
    form = UploadForm(request.POST or None, request.FILES or None)
    start = {"type": "card", "date": clock.jst_date(request.now)}
    fresh = SourceForm(request.POST or None, prefix="new", initial=start, use_required_attribute=False)
    if request.method == "POST" and form.is_valid() and (form.cleaned_data["source"] != "new" or fresh.is_valid()):
        item = _draft(request, form, fresh)
        if item:
            return redirect("import", import_id=item.id)
    chosen = form["source"].value() not in (None, "new")
    if request.method == "POST" and chosen:
        fresh = SourceForm(prefix="new", initial=start, use_required_attribute=False)
    return render(request, "people/imports/new.html", {"form": form, "fresh": fresh, "fresh_asked": not chosen})


def _draft(request: Request, form: UploadForm, fresh: SourceForm) -> Import | None:
    """Keep the file and note it as a draft; None with an error beside the field when it cannot be read."""
    upload, chosen, basis = (form.cleaned_data[name] for name in ("file", "source", "basis"))
    try:
        path = verbs.store(upload)
        try:
            tables.open_table(path)
        except TableError:
            path.unlink()
            raise
    except TableError as error:
        form.add_error("file", rules.file_error({"code": error.code, **error.values}))
        return None
    if chosen == "new":
        fresh.instance.created_at = request.now
    source = fresh.save() if chosen == "new" else Source.objects.get(id=int(chosen))
    return verbs.draft(
        path,
        file_name=upload.name,
        source=source,
        basis="" if basis == "none" else basis,
        user_id=request.user.id,
        now=request.now,
    )


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def import_one(request: Request, import_id: int) -> HttpResponse:
    """A draft shows its columns and what they will become; any other state how far it is or how it ended."""
    item = get_object_or_404(Import.objects.select_related("source", "user"), id=import_id)
    if item.state != "draft":
        return _result(request, item)
    if request.method == "POST":
        if "encoding" in request.POST and request.POST["encoding"] != item.encoding:
            _change_encoding(request, item)
            return redirect("import", import_id=item.id)
        if "sheet" in request.POST and request.POST["sheet"] != item.mapping.get("sheet"):
            _change_sheet(request, item)
            return redirect("import", import_id=item.id)
        _change_mapping(request, item)
        if request.POST.get("act") == "start":
            if mapping.identifies(item.mapping["columns"]):
                verbs.start(item, request.now)
            else:
                messages.error(request, rules.reason("no_identity"))
        return redirect("import", import_id=item.id)
    return _columns(request, item)


def _change_encoding(request: Request, item: Import) -> None:
    try:
        verbs.change_encoding(item, request.POST["encoding"])
    except TableError as error:
        messages.error(request, rules.file_error({"code": error.code, **error.values}))


def _change_sheet(request: Request, item: Import) -> None:
    try:
        verbs.change_sheet(item, request.POST["sheet"])
    except TableError as error:
        messages.error(request, rules.file_error({"code": error.code, **error.values}))


def _change_mapping(request: Request, item: Import) -> None:
    """Take over the selects: one per column, by place. `own` makes a new field of the column's name."""
    columns = {}
    table = verbs.open_import(item)
    fields = {field.key: field.label_ja for field in Field.objects.all()}
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


def _columns(request: Request, item: Import) -> HttpResponse:
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
    comma = ", " if words.english() else "、"
    context = {
        "item": item, "encodings": ENCODINGS, "columns": sampled, "groups": _choices(columns), "rows": rows,
        "head": [_label(key) for key in head], "missing": comma.join(_label(key) for key in mapping.missing(columns)),
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
        return COLUMNS[key].label("en" if words.english() else "ja")
    return mapping.TARGETS[key].label("en" if words.english() else "ja") if key in mapping.TARGETS else key


def _cell(key: str, value: Any) -> str:
    if COLUMNS[key].type == "phone":
        return ja.show_phone(value) if value else ""
    return "" if value is None else str(value)


def _choices(columns: dict[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Targets by group, own fields with those that this import is going to make of its `columns`, and a new one."""
    language = "en" if words.english() else "ja"
    groups = []
    for key, pair in mapping.GROUPS.items():
        targets = [(t.key, t.label(language)) for t in mapping.TARGETS.values() if t.group == key]
        groups.append((pair[1 if language == "en" else 0], targets))
    own = [(f"field:{field.key}", words.own(field, "label")) for field in Field.objects.order_by("id")]
    known = dict(own)
    own += [(target, name) for name, target in columns.items() if target.startswith("field:") and target not in known]
    return [*groups, (_("独自の項目"), [*own, ("own", _("＋ この列を新しい項目にする"))])]


def _result(request: Request, item: Import) -> HttpResponse:
    rejects = ImportReject.objects.filter(import_id=item.id).order_by("row_no")[:SHOWN_REJECTS]
    left_out = ImportNotice.objects.filter(import_id=item.id)
    notices = left_out.order_by("row_no", "column")[:SHOWN_REJECTS]
    context = {
        **_shown(item, request),
        "rejects": [(reject, rules.reason(reject.reason)) for reject in rejects],
        "notices": [(notice, rules.reason(notice.reason)) for notice in notices],
        "left_out": left_out.count(),
    }
    return render(request, "people/imports/part.html" if request.htmx else "people/imports/import.html", context)


@access(MARKETING)
@require_POST
def import_cancel(request: Request, import_id: int) -> HttpResponse:
    """Stop an import; nothing of it stays."""
    get_object_or_404(Import, id=import_id)
    if verbs.ask_cancel(import_id, request.now):
        messages.success(request, _("取り込みを中止しました。この取り込みによる変更はありません。"))
    else:
        messages.info(request, _("この取り込みはもう終わっています。"))
    return redirect("import", import_id=import_id)


@access(MARKETING)
@require_GET
def import_rejects(request: Request, import_id: int) -> HttpResponse:
    """The rows that were not taken, as they were, with the reason: to mend in Excel and upload again."""
    item = get_object_or_404(Import, id=import_id)
    found = list(ImportReject.objects.filter(import_id=item.id).order_by("row_no"))
    if not found:
        raise Http404
    raws = [dict(reject.raw) for reject in found]
    header = list(dict.fromkeys(name for raw in raws for name in raw))
    rows = [
        [*(raw.get(name, "") for name in header), reject.row_no, reject.column, rules.reason(reject.reason)]
        for reject, raw in zip(found, raws, strict=True)
    ]
    content, _lost = tables.write_csv([*header, _("元の行"), _("問題の列"), _("理由")], rows)
    verbs.told_of_rejects(item, len(rows), request.now)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_('取り込めなかった行'))}-{item.id}.csv"
    return response


urlpatterns = [
    path("imports/", imports, name="imports"),
    path("imports/new/", import_new, name="import_new"),
    path("imports/<int:import_id>/", import_one, name="import"),
    path("imports/<int:import_id>/cancel/", import_cancel, name="import_cancel"),
    path("imports/<int:import_id>/rejects.csv", import_rejects, name="import_rejects"),
]
