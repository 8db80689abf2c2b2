"""セグメント: the list with live counts, the builder, the members and why each of them is in."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.judge.segments import reads, services
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import keyset
from hagukumi.ledger import definitions
from hagukumi.people.leads import reads as leads
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from . import builder as conditions


@access(EVERYONE)
def segments(request: Request) -> HttpResponse:
    """Every segment with its sentence, its members now, and what is wrong with it."""
    counts = services.member_counts()
    broken = _broken()
    rows = [
        {
            "segment": segment,
            "sentence": _sentence(segment),
            "members": counts.get(segment.id, 0),
            "problem": broken.get(segment.id, ""),
        }
        for segment in services.active()
    ]
    context = {"rows": rows, "may_edit": request.user.role in MARKETING}
    return render(request, "judge/segments/segments.html", context)


@access(EVERYONE)
def segment(request: Request, segment_id: int) -> HttpResponse:
    """One segment: its sentence and its members, newest first."""
    found = _segment(segment_id)
    rows, following = services.member_page(segment_id, keyset.read(request.GET.get("after"), datetime, int))
    context = {
        "segment": found,
        "sentence": _sentence(found),
        "members": services.member_counts().get(segment_id, 0),
        "rows": rows,
        "next": following,
        "problem": _broken().get(segment_id, ""),
        "may_edit": request.user.role in MARKETING,
    }
    return render(request, "judge/segments/segment.html", context)


@access(EVERYONE)
def segment_why(request: Request, segment_id: int, lead_id: int) -> HttpResponse:
    """Why this person is in the segment (or not): each part of the condition with the facts behind it."""
    found = _segment(segment_id)
    lead = leads.one(lead_id)
    if lead is None or not lead.known_at:
        raise Http404
    try:
        reasons = services.explain(found.tree, lead_id, request.now)
    except services.ConditionError:
        raise Http404 from None
    context = {"segment": found, "lead": lead, "reasons": reasons}
    template = "judge/segments/_why.html" if request.htmx else "judge/segments/why.html"
    return render(request, template, context)


@access(MARKETING)
def segment_edit(request: Request, segment_id: int | None = None) -> HttpResponse:
    """Build a segment, new or again; the beat brings its members in line."""
    found = _segment(segment_id) if segment_id else None
    name = request.POST.get("name", found.name if found else "")
    action = request.POST.get("next_action", found.next_action if found else "")
    tree: Any = found.tree if found else None
    problem = ""
    if request.method == "POST":
        try:
            tree = conditions.read(request.POST.get("tree", ""))
            saved = services.save(name, tree, now=request.now, segment_id=segment_id, next_action=action)
        except services.ConditionError as error:
            problem = str(error)
        else:
            messages.success(request, _("保存しました。メンバーは数秒でそろいます。"))
            return redirect("segment", saved.id)
    context = {
        "segment": found,
        "name": name,
        "next_action": action,
        "problem": problem,
        "builder": conditions.builder(tree, request.now, without_segment=segment_id),
    }
    return render(request, "judge/segments/edit.html", context, status=422 if problem else 200)


@require_POST
@access(MARKETING)
def segment_archive(request: Request, segment_id: int) -> HttpResponse:
    found = _segment(segment_id)
    try:
        left = services.archive(segment_id, now=request.now)
    except services.ConditionError as error:
        messages.error(request, str(error))
        return redirect("segment", segment_id)
    said = _("セグメント「%(name)s」をしまいました。%(count)s人が外れました。")
    messages.success(request, said % {"name": found.name, "count": f"{left:,}"})
    return redirect("segments")


def _segment(segment_id: int) -> Segment:
    found = reads.one(segment_id)
    if found is None:
        raise Http404
    return found


def _sentence(found: Segment) -> str:
    try:
        return services.sentence(found.tree, words.language())
    except services.ConditionError as error:
        return str(error)


def _broken() -> dict[int, str]:
    return definitions.broken("segment")


urlpatterns = [
    path("segments/", segments, name="segments"),
    path("segments/new/", segment_edit, name="segment_new"),
    path("segments/<int:segment_id>/", segment, name="segment"),
    path("segments/<int:segment_id>/edit/", segment_edit, name="segment_edit"),
    path("segments/<int:segment_id>/archive/", segment_archive, name="segment_archive"),
    path("segments/<int:segment_id>/why/<int:lead_id>/", segment_why, name="segment_why"),
    path("conditions/preview/", conditions.preview, name="condition_preview"),
]
