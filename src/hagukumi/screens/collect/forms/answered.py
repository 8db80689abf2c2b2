"""Answers of a form: the list, the file, and those that are held until a person says whether they are answers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from hagukumi.collect.forms import limits, reads, rules, services
from hagukumi.collect.forms.models import Form
from hagukumi.kit import answers, clock, keyset
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import MARKETING, Request, access
from hagukumi.screens.shell.found import or_404


@access(MARKETING)
@require_GET
def answer_list(request: Request, pk: int) -> HttpResponse:
    form = or_404(reads.one(pk))
    before = keyset.read(request.GET.get("before"), datetime, int)
    rows, older = keyset.page(reads.answers(pk, before=before, limit=keyset.PAGE_SIZE + 1), "at", "id")
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
    form = or_404(reads.one(pk))
    if request.method == "POST":
        _settle_held(request, form)
        return redirect("form_held", pk)
    reasons = dict(words.labels(rules.HELD))
    waiting = reads.held(pk, keyset.PAGE_SIZE)
    rows = [
        {"held": one, "reason": reasons[one.reason], "given": one.details.get("answers", {}).items()} for one in waiting
    ]
    context = {"form": form, "rows": rows, "all": reads.count_held(pk)}
    return render(request, "collect/forms/held.html", context)


def _settle_held(request: Request, form: Form) -> None:
    wanted, thrown = request.POST.get("release", ""), request.POST.get("discard", "")
    if thrown == "all":
        limits.discard(form.pk, request.now)
        return
    chosen = wanted or thrown
    found = reads.held_one(form.pk, int(chosen)) if chosen.isdecimal() else None
    if found and wanted:
        limits.release(found, request.now)
        messages.success(request, _("回答として受け付けました。数秒でリードに反映されます。"))
    elif found:
        limits.discard(form.pk, request.now, only=found.pk)


@access(MARKETING)
@require_GET
def answer_csv(request: Request, pk: int) -> StreamingHttpResponse:
    form = or_404(reads.one(pk))
    language = words.language()
    services.told_of_export(form, request.now)
    response = StreamingHttpResponse(reads.csv(form, language), content_type="text/csv; charset=utf-8")
    stamp = f"{clock.jst_date(request.now):%Y%m%d}"
    response.headers["Content-Disposition"] = f'attachment; filename="{form.slug}-{stamp}.csv"'
    return response


def _given(row: dict[str, Any], form: Form) -> Iterator[tuple[str, Any]]:
    """(label, answer) pairs of one answer, in the form's present order, older questions after."""
    language = words.language()
    definition = answers.definition(form.version.definition) if form.version else answers.Definition()
    names = {question.key: question.label(language) for question in definition.fields}
    given = row["answers"]
    for key in [*(key for key in names if key in given), *(key for key in given if key not in names)]:
        value = given[key]
        yield names.get(key, key), _("はい") if value is True else _("いいえ") if value is False else value


urlpatterns = [
    path("forms/<int:pk>/answers/", answer_list, name="form_answers"),
    path("forms/<int:pk>/held/", held, name="form_held"),
    path("forms/<int:pk>/answers.csv", answer_csv, name="form_answers_csv"),
]
