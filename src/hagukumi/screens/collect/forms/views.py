"""フォーム: list, builder, answers; and the public page that people fill in."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hagukumi.collect.content.models import Content
from hagukumi.collect.forms import limits, rules, services
from hagukumi.collect.forms import reads as screens
from hagukumi.collect.forms.models import Form, HeldAnswer
from hagukumi.kit import answers, clock, keyset
from hagukumi.people.sources.models import Source
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access

from . import hosted as public_forms
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


def labels(pairs: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    return [(code, pair[1 if words.english() else 0]) for code, pair in pairs.items()]


class NewForm(forms.Form):
    name = forms.CharField(label=lazy("フォームの名前"), max_length=120, help_text=lazy("社内での呼び名です。"))
    kind = forms.ChoiceField(label=lazy("種類"), choices=lambda: labels(rules.KINDS))
    slug = forms.SlugField(
        label=lazy("アドレス"),
        max_length=60,
        required=False,
        help_text=lazy("英数字とハイフン。空欄なら自動で付きます。"),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if slug and Form.objects.filter(slug=slug).exists():
            raise forms.ValidationError(_("このアドレスはすでに使われています。"))
        return slug


class SettingsForm(forms.Form):
    name = forms.CharField(label=lazy("フォームの名前"), max_length=120)
    source = forms.ModelChoiceField(
        Source.objects.order_by("name"), label=lazy("ソース"), required=False,
        help_text=lazy("回答した人のリードソースになります。"),
    )  # fmt: skip
    content = forms.ModelChoiceField(
        Content.objects.exclude(path="").order_by("title"), label=lazy("回答後に渡す資料"), required=False
    )
    double_optin = forms.NullBooleanField(
        label=lazy("同意を確認メールで確かめる"), required=False,
        help_text=lazy("同意の欄に印を付けた人に確認メールを送り、本人が確定してから案内を送ります。"),
    )  # fmt: skip
    challenge = forms.ChoiceField(
        label=lazy("迷惑送信への備え"), choices=lambda: labels(rules.CHALLENGES), required=False
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
    rows = screens.forms(request.now, timedelta(days=DAYS), settings.BASE_URL)
    kinds, states = dict(labels(rules.KINDS)), dict(labels(rules.STATES))
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
    form = get_object_or_404(Form.objects.select_related("version", "source", "content"), pk=pk)
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
        "state_label": dict(labels(rules.STATES))[form.state],
        "address": address,
        "embed_tag": f'<div data-hagukumi-form="{address}"></div>',
        "embed_frame": f'<iframe src="{address}?embed=1" style="border:0;width:100%;height:640px"></iframe>',
        "tag": f'<script async src="{settings.COLLECTOR_URL}/tag.js"></script>',
        "held": HeldAnswer.objects.filter(form=form).count(),
        "stats": screens.stats(form.pk, request.now, timedelta(days=DAYS)),
        "days": DAYS,
    }
    return render(request, "collect/forms/form.html", context)


@access(MARKETING)
@require_POST
def set_state(request: Request, pk: int) -> HttpResponse:
    form = get_object_or_404(Form.objects.select_related("version"), pk=pk)
    state = request.POST.get("state", "")
    if state not in rules.STATES:
        return HttpResponse(status=422)
    if found := services.set_state(form, state, request.now):
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
    form = get_object_or_404(Form.objects.select_related("version", "version__consent_text"), pk=pk)
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
    form = get_object_or_404(Form, pk=pk)
    draft = Draft.read(request.POST)
    return render(request, "collect/forms/preview.html", _builder(form, draft))


@access(MARKETING)
@require_GET
def answer_list(request: Request, pk: int) -> HttpResponse:
    form = get_object_or_404(Form.objects.select_related("version"), pk=pk)
    before = keyset.read(request.GET.get("before"), datetime, int)
    rows, older = keyset.page(screens.answers(pk, before=before, limit=keyset.PAGE_SIZE + 1), "at", "id")
    context = {
        "form": form,
        "rows": [{**row, "given": _given(row, form)} for row in rows],
        "next": older,
    }
    return render(request, "collect/forms/answers.html", context)


@access(MARKETING)
@require_http_methods(["GET", "POST"])
def held(request: Request, pk: int) -> HttpResponse:
    """Answers beyond a limit: POST lets one in (`release`) or throws one or all away (`discard`)."""
    form = get_object_or_404(Form, pk=pk)
    if request.method == "POST":
        _settle_held(request, form)
        return redirect("form_held", pk)
    reasons = dict(labels(rules.HELD))
    found = HeldAnswer.objects.filter(form=form).select_related("version").order_by("-at", "-id")[: keyset.PAGE_SIZE]
    rows = [
        {"held": one, "reason": reasons[one.reason], "given": one.details.get("answers", {}).items()} for one in found
    ]
    context = {"form": form, "rows": rows, "all": HeldAnswer.objects.filter(form=form).count()}
    return render(request, "collect/forms/held.html", context)


def _settle_held(request: Request, form: Form) -> None:
    wanted, thrown = request.POST.get("release", ""), request.POST.get("discard", "")
    if thrown == "all":
        limits.discard(form.pk, request.now)
        return
    chosen = wanted or thrown
    found = HeldAnswer.objects.filter(form=form, pk=int(chosen)).first() if chosen.isdecimal() else None
    if found and wanted:
        limits.release(found, request.now)
        messages.success(request, _("回答として受け付けました。数秒でリードに反映されます。"))
    elif found:
        limits.discard(form.pk, request.now, only=found.pk)


@access(MARKETING)
@require_GET
def answer_csv(request: Request, pk: int) -> StreamingHttpResponse:
    form = get_object_or_404(Form.objects.select_related("version"), pk=pk)
    language = "en" if words.english() else "ja"
    services.told_of_export(form, request.now)
    response = StreamingHttpResponse(screens.csv(form, language), content_type="text/csv; charset=utf-8")
    stamp = f"{clock.jst_date(request.now):%Y%m%d}"
    response.headers["Content-Disposition"] = f'attachment; filename="{form.slug}-{stamp}.csv"'
    return response


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
    language = "en" if words.english() else "ja"
    return {
        "form": form,
        "draft": draft,
        "types": labels(rules.TYPES),
        "columns": labels(rules.COLUMNS) + screens.own_fields(language),
        "shown": public_forms.shown(draft.definition(), draft.consent_text, language, {}, {}),
    }


def _given(row: dict[str, Any], form: Form) -> Iterator[tuple[str, Any]]:
    """(label, answer) pairs of one answer, in the form's present order, older questions after."""
    language = "en" if words.english() else "ja"
    definition = answers.definition(form.version.definition) if form.version else answers.Definition()
    names = {question.key: question.label(language) for question in definition.fields}
    given = row["answers"]
    for key in [*(key for key in names if key in given), *(key for key in given if key not in names)]:
        value = given[key]
        yield names.get(key, key), _("はい") if value is True else _("いいえ") if value is False else value


def _free_slug(name: str, kind: str) -> str:
    """A free address from the name's Latin letters, else from the kind."""
    base = slugify(name)[:50] or kind
    taken = set(Form.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number = next(n for n in range(1, 10_000) if (base if n == 1 else f"{base}-{n}") not in taken)
    return base if number == 1 else f"{base}-{number}"


urlpatterns = [
    path("forms/", form_list, name="forms"),
    path("forms/new/", new, name="form_new"),
    path("forms/<int:pk>/", form_page, name="form"),
    path("forms/<int:pk>/state/", set_state, name="form_state"),
    path("forms/<int:pk>/edit/", edit, name="form_edit"),
    path("forms/<int:pk>/preview/", preview, name="form_preview"),
    path("forms/<int:pk>/answers/", answer_list, name="form_answers"),
    path("forms/<int:pk>/held/", held, name="form_held"),
    path("forms/<int:pk>/answers.csv", answer_csv, name="form_answers_csv"),
    *public_forms.urlpatterns,
]
