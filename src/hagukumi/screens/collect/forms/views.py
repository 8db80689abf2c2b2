"""フォーム: list, settings, builder. The answers are in `answered`, the page that the public fills in is `hosted`."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hagukumi.collect.content import reads as contents
from hagukumi.collect.forms import reads, rules, services
from hagukumi.collect.forms.models import Form
from hagukumi.ledger import uses
from hagukumi.people.sources import reads as sources
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access
from hagukumi.screens.shell.found import or_404

from . import answered, hosted
from .builder import Draft

DAYS = 30
OPEN = ("source", "content")
"""Settings that may be left empty: not being there is an answer."""
PROBLEMS = {
    "no_title": lazy("タイトルを入力してください。"),
    "no_fields": lazy("質問を1つ以上追加してください。"),
    "no_label": lazy("見出しのない質問があります。"),
    "no_choices": lazy("選択肢のない質問があります。"),
    "twice": lazy("同じ項目に保存する質問が2つあります。"),
    "no_person": lazy("氏名、メール、電話のいずれかをたずねてください。誰の回答か分からなくなります。"),
}


class NewForm(forms.Form):
    name = forms.CharField(label=lazy("フォームの名前"), max_length=120, help_text=lazy("社内での呼び名です。"))
    kind = forms.ChoiceField(label=lazy("種類"), choices=lambda: words.labels(rules.KINDS))
    slug = forms.SlugField(
        label=lazy("アドレス"),
        max_length=60,
        required=False,
        help_text=lazy("英数字とハイフン。空欄なら自動で付きます。"),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if slug and reads.is_taken(slug):
            raise forms.ValidationError(_("このアドレスはすでに使われています。"))
        return slug


class SettingsForm(forms.Form):
    name = forms.CharField(label=lazy("フォームの名前"), max_length=120)
    source = forms.ModelChoiceField(
        sources.by_name(), label=lazy("ソース"), required=False,
        help_text=lazy("回答した人のリードソースになります。"),
    )  # fmt: skip
    content = forms.ModelChoiceField(contents.with_file(), label=lazy("回答後に渡す資料"), required=False)
    double_optin = forms.NullBooleanField(
        label=lazy("同意を確認メールで確かめる"), required=False,
        help_text=lazy("同意の欄に印を付けた人に確認メールを送り、本人が確定してから案内を送ります。"),
    )  # fmt: skip
    challenge = forms.ChoiceField(
        label=lazy("迷惑送信への備え"), choices=lambda: words.labels(rules.CHALLENGES), required=False
    )
    per_caller = forms.IntegerField(
        label=lazy("1時間に受け付ける回答（同じ住所）"), min_value=0, max_value=100_000, required=False
    )
    per_network = forms.IntegerField(
        label=lazy("1時間に受け付ける回答（同じネットワーク）"), min_value=0, max_value=100_000, required=False
    )
    per_form = forms.IntegerField(
        label=lazy("1時間に受け付ける回答（全体）"), min_value=0, max_value=1_000_000, required=False,
        help_text=lazy("超えた回答は捨てずに保留し、担当者が受け付けるかどうかを決めます。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].label_from_instance = lambda source: source.name  # type: ignore[attr-defined]
        for name in ("source", "content"):
            self.fields[name].empty_label = _("選ばない")  # type: ignore[attr-defined]
        self.fields["double_optin"].widget.choices = [  # type: ignore[attr-defined]
            ("unknown", _("全体の設定に従う")), ("true", _("する")), ("false", _("しない")),
        ]  # fmt: skip
        self.fields["content"].label_from_instance = lambda piece: piece.title  # type: ignore[attr-defined]


@access(MARKETING)
@require_GET
def form_list(request: Request) -> HttpResponse:
    rows = reads.forms(request.now, timedelta(days=DAYS), settings.BASE_URL)
    kinds, states = dict(words.labels(rules.KINDS)), dict(words.labels(rules.STATES))
    for row in rows:
        row["kind_label"], row["state_label"] = kinds[row["kind"]], states[row["state"]]
    return render(request, "collect/forms/forms.html", {"rows": rows, "days": DAYS})


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def new(request: Request) -> HttpResponse:
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        slug = data["slug"] or _free_slug(data["name"], data["kind"])
        made = services.create(name=data["name"], slug=slug, kind=data["kind"], now=request.now)
        messages.success(request, _("下書きを作りました。質問を確かめて、公開してください。"))
        return redirect("form_edit", made.pk)
    return render(request, "collect/forms/new.html", {"form": form})


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def form_page(request: Request, pk: int) -> HttpResponse:
    """A form's own screen: state, address, embedding, settings."""
    form = or_404(reads.one(pk))
    known = {name: getattr(form, name) for name in SettingsForm.base_fields}
    chosen = SettingsForm(request.POST or None, initial=known)
    if request.method == "POST" and chosen.is_valid():
        given = {name: value for name, value in chosen.cleaned_data.items() if name in request.POST or name in OPEN}
        services.configure(form, given, request.now)
        messages.success(request, _("設定を保存しました。"))
        return redirect("form", pk)
    address = f"{settings.BASE_URL}/f/{form.slug}"
    context = {
        "form": form,
        "settings_form": chosen,
        "state_label": dict(words.labels(rules.STATES))[form.state],
        "address": address,
        "embed_tag": f'<div data-hagukumi-form="{address}"></div>',
        "embed_frame": f'<iframe src="{address}?embed=1" style="border:0;width:100%;height:640px"></iframe>',
        "tag": f'<script async src="{settings.COLLECTOR_URL}/tag.js"></script>',
        "held": reads.count_held(pk),
        "stats": reads.stats(form.pk, request.now, timedelta(days=DAYS)),
        "days": DAYS,
    }
    return render(request, "collect/forms/form.html", context)


@access(MARKETING)
@require_POST
def set_state(request: Request, pk: int) -> HttpResponse:
    form = or_404(reads.one(pk))
    state = request.POST.get("state", "")
    if state not in rules.STATES:
        return HttpResponse(status=422)
    try:
        found = services.set_state(form, state, request.now, sure=request.POST.get("sure") == "1")
    except uses.InUseError as error:
        context = {"form": form, "state": state, "uses": error.uses, "english": words.english()}
        return render(request, "collect/forms/in_use.html", context, status=409)
    if found:
        messages.error(request, " ".join(str(PROBLEMS[code]) for code in found))
        return redirect("form_edit", pk)
    said = {
        "open": _("公開しました。数秒で回答を受け付けます。"),
        "closed": _("受付を終了しました。これまでの回答は残ります。"),
        "draft": _("下書きに戻しました。"),
    }
    messages.success(request, said[state])
    return redirect("form", pk)


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """The builder. Its whole state is in the page: buttons post it and get it back changed; only 保存 keeps it."""
    form = or_404(reads.one(pk))
    if request.method == "GET":
        draft = Draft.of(form.version)
    else:
        draft = Draft.read(request.POST)
        act = request.POST.get("do", "")
        if act == "save":
            return _save(request, form, draft)
        draft.act(act)
    template = "collect/forms/builder.html" if request.headers.get("HX-Request") else "collect/forms/edit.html"
    return render(request, template, _builder(form, draft))


@access(MARKETING)
@require_POST
def preview(request: Request, pk: int) -> HttpResponse:
    form = or_404(reads.one(pk))
    draft = Draft.read(request.POST)
    return render(request, "collect/forms/preview.html", _builder(form, draft))


def _save(request: Request, form: Form, draft: Draft) -> HttpResponse:
    found = rules.problems(draft.definition())
    if found and form.state == "open":
        context = {**_builder(form, draft), "problems": [PROBLEMS[code] for code in found]}
        return render(request, "collect/forms/edit.html", context, status=422)
    services.save(form, draft.definition(), consent_text=draft.consent_text, now=request.now)
    messages.success(request, _("保存しました。"))
    if found:
        messages.warning(request, _("公開する前に:") + " " + " ".join(str(PROBLEMS[code]) for code in found))
    return redirect("form", form.pk)


def _builder(form: Form, draft: Draft) -> dict[str, Any]:
    language = words.language()
    return {
        "form": form,
        "draft": draft,
        "types": words.labels(rules.TYPES),
        "columns": words.labels(rules.COLUMNS) + reads.own_fields(language),
        "shown": hosted.shown(draft.definition(), draft.consent_text, language, {}, {}),
    }


def _free_slug(name: str, kind: str) -> str:
    """A free address from the name's Latin letters, else from the kind."""
    return reads.free_slug(slugify(name)[:50] or kind)


urlpatterns = [
    path("forms/", form_list, name="forms"),
    path("forms/new/", new, name="form_new"),
    path("forms/<int:pk>/", form_page, name="form"),
    path("forms/<int:pk>/state/", set_state, name="form_state"),
    path("forms/<int:pk>/edit/", edit, name="form_edit"),
    path("forms/<int:pk>/preview/", preview, name="form_preview"),
    *answered.urlpatterns,
    *hosted.urlpatterns,
]
