"""取り込み: upload a file, see what its rows will become, start, watch, and fetch what was not taken."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hagukumi.kit import clock, keyset, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping
from hagukumi.people.imports import reads, results, rules
from hagukumi.people.imports import services as verbs
from hagukumi.people.imports.models import Import
from hagukumi.people.sources import reads as sources
from hagukumi.people.sources import services as sources_verbs
from hagukumi.people.sources.models import Source
from hagukumi.screens.people.sources.views import SourceForm, bases
from hagukumi.screens.shell.access import MARKETING, Request, access, uploads
from hagukumi.screens.shell.found import or_404

from . import columns

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

SHOWN_REJECTS = 20
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
    return [(str(source_id), name) for source_id, name in sources.latest(None)]


@access(MARKETING)
@require_GET
def imports(request: Request) -> HttpResponse:
    """Imports, newest first; what is under way moves by itself."""
    before = keyset.read(request.GET.get("before"), int)
    found = reads.imports(before=before[0] if before else None, limit=keyset.PAGE_SIZE + 1)
    rows, older = keyset.page(found, "id")
    shown = [_shown(item, request) for item in rows]
    moving = any(item.state in ACTIVE for item in rows)
    return render(
        request,
        "people/imports/imports.html",
        {"rows": shown, "moving": moving, "next": older, "kept_days": verbs.KEPT_DAYS},
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
        source: Source | None = sources_verbs.save(fresh.instance, request.now)
    else:
        source = sources.one(int(chosen))
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
    item = or_404(reads.one(import_id))
    if item.state != "draft":
        return _result(request, item)
    if request.method == "POST":
        if "encoding" in request.POST and request.POST["encoding"] != item.encoding:
            columns.change_encoding(request, item)
            return redirect("import", import_id=item.id)
        if "sheet" in request.POST and request.POST["sheet"] != item.mapping.get("sheet"):
            columns.change_sheet(request, item)
            return redirect("import", import_id=item.id)
        columns.change_mapping(request, item)
        if request.POST.get("act") == "start":
            if mapping.identifies(item.mapping["columns"]):
                verbs.start(item, request.now)
            else:
                messages.error(request, rules.reason("no_identity"))
        return redirect("import", import_id=item.id)
    return columns.show(request, item)


def _result(request: Request, item: Import) -> HttpResponse:
    rejects = reads.rejects(item.id, SHOWN_REJECTS)
    notices, left_out = reads.notices(item.id, SHOWN_REJECTS)
    context = {
        **_shown(item, request),
        "rejects": [(reject, rules.reason(reject.reason)) for reject in rejects],
        "notices": [(notice, rules.reason(notice.reason)) for notice in notices],
        "left_out": left_out,
        "has_result": results.kept(item),
    }
    return render(request, "people/imports/part.html" if request.htmx else "people/imports/import.html", context)


@access(MARKETING)
@require_POST
def import_cancel(request: Request, import_id: int) -> HttpResponse:
    """Stop an import; nothing of it stays."""
    or_404(reads.one(import_id))
    if verbs.ask_cancel(import_id, request.now):
        messages.success(request, _("取り込みを中止しました。この取り込みによる変更はありません。"))
    else:
        messages.info(request, _("この取り込みはもう終わっています。"))
    return redirect("import", import_id=import_id)


@access(MARKETING)
@require_GET
def import_rejects(request: Request, import_id: int) -> HttpResponse:
    """The rows that were not taken, as they were, with the reason: to mend in Excel and upload again."""
    item = or_404(reads.one(import_id))
    found = reads.rejects(item.id)
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


@access(MARKETING)
@require_GET
def import_result(request: Request, import_id: int) -> FileResponse:
    """How each row of the file came out, a line a row: the file that `hagukumi import --result` writes."""
    item = or_404(reads.one(import_id))
    if not results.kept(item):
        raise Http404
    file = tempfile.TemporaryFile()  # noqa: SIM115 -- the response closes it
    results.write(item, file, request.now)
    file.seek(0)
    name = _("取り込みの結果")
    return FileResponse(
        file, as_attachment=True, filename=f"{name}-{item.id}.csv", content_type="text/csv; charset=utf-8"
    )


urlpatterns = [
    path("imports/", imports, name="imports"),
    path("imports/new/", import_new, name="import_new"),
    path("imports/<int:import_id>/", import_one, name="import"),
    path("imports/<int:import_id>/cancel/", import_cancel, name="import_cancel"),
    path("imports/<int:import_id>/rejects.csv", import_rejects, name="import_rejects"),
    path("imports/<int:import_id>/result.csv", import_result, name="import_result"),
]
