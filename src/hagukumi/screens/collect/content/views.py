"""コンテンツ: the pieces that can be downloaded, and the signed door through which they are."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from hagukumi.collect.content import reads, rules, services
from hagukumi.collect.content.models import Content
from hagukumi.collect.tracking import services as tracking
from hagukumi.ledger import services as ledger
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access, public, uploads
from hagukumi.screens.shell.found import or_404

REFUSALS = {
    "type": lazy("この種類のファイルは登録できません。PDF、Office、ZIP、画像、MP4 が使えます。"),
    "empty": lazy("ファイルが空です。"),
    "large": lazy("100 MB までのファイルを選んでください。"),
    "content": lazy("ファイルの中身が拡張子と合っていません。"),
}


def kind_choices() -> list[tuple[str, str]]:
    return words.labels(rules.KINDS)


class ContentForm(forms.Form):
    title = forms.CharField(label=lazy("タイトル"), max_length=160)
    kind = forms.ChoiceField(label=lazy("種類"), choices=kind_choices)
    summary = forms.CharField(label=lazy("概要"), required=False, max_length=1000, widget=forms.Textarea({"rows": 3}))
    file = forms.FileField(
        label=lazy("ファイル"), required=False, help_text=lazy("PDF、Office、ZIP、画像、MP4。100 MB まで。")
    )

    def clean_file(self) -> Any:
        upload = self.cleaned_data.get("file")
        if upload:
            head = upload.read(16)
            upload.seek(0)
            if reason := rules.refusal(upload.name, upload.size, head):
                raise ValidationError(REFUSALS[reason])
        return upload


@access(MARKETING)
@require_GET
def contents(request: Request) -> HttpResponse:
    rows = reads.contents()
    names = dict(kind_choices())
    for row in rows:
        row["kind_label"] = names.get(row["kind"], row["kind"])
    return render(request, "collect/content/contents.html", {"rows": rows})


@uploads(rules.MAX_BYTES // 2**20 + 1)
@access(MARKETING)
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int | None = None) -> HttpResponse:
    piece = or_404(reads.piece(pk)) if pk else None
    known = {"title": piece.title, "kind": piece.kind, "summary": piece.summary} if piece else None
    form = ContentForm(request.POST or None, request.FILES or None, initial=known)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        fields = {key: data[key] for key in ("title", "kind", "summary")}
        if piece is None:
            piece = Content(created_at=request.now)
        services.save(piece, data["file"] or None, request.now, **fields)
        messages.success(request, _("「%(title)s」を保存しました。") % {"title": piece.title})
        return redirect("content")
    return render(request, "collect/content/edit.html", {"form": form, "piece": piece})


@access(MARKETING)
@require_GET
def preview(request: Request, pk: int) -> HttpResponseBase:
    return _stream(or_404(reads.piece(pk)))


@public
@never_cache
@require_GET
def download(request: Request, token: str) -> HttpResponseBase:
    """The gated file of a signed link; who opened it is recorded."""
    opened = services.open_link(token, request.now)
    if opened is None:
        return render(request, "collect/content/gone.html", status=410)
    response = _stream(opened.content)
    _record(request, opened)
    return response


def _record(request: Request, opened: services.Opened) -> None:
    if opened.lead_id:
        fact = ledger.Fact(opened.lead_id, "content_downloaded", request.now, object_id=opened.content.pk)
        ledger.record([fact])
    elif opened.event:
        tracking.put_in_inbox(
            "content", now=request.now, event_id=uuid.uuid4(), object_id=opened.content.pk,
            details={"event": opened.event},
        )  # fmt: skip


def _stream(piece: Content) -> FileResponse:
    path_ = services.file_path(piece)
    if path_ is None:
        raise Http404
    response = FileResponse(
        path_.open("rb"), as_attachment=True, filename=piece.file_name, content_type=rules.type_of(piece.file_name)
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


urlpatterns = [
    path("content/", contents, name="content"),
    path("content/new/", edit, name="content_new"),
    path("content/<int:pk>/", edit, name="content_edit"),
    path("content/<int:pk>/file/", preview, name="content_file"),
    path("d/<str:token>", download, name="download"),
]
