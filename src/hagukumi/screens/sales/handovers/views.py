"""引き渡し: the desk where sales accepts a lead or returns it with a reason."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.accounts import reads as staff
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.kit import keyset
from hagukumi.ledger import kinds
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.leads import reads as leads
from hagukumi.sales.handovers import reads, services
from hagukumi.sales.handovers.rules import RETURN_REASONS
from hagukumi.screens.shell.access import EVERYONE, SALES, Request, access

STATES = {
    "open": gettext_lazy("回答待ち"),
    "accepted": gettext_lazy("受け入れ済み"),
    "returned": gettext_lazy("差し戻し"),
}


class ReturnForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("差し戻しの理由"), choices=[("", gettext_lazy("選んでください")), *RETURN_REASONS.items()]
    )
    note = forms.CharField(
        label=gettext_lazy("補足"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )


@access(EVERYONE)
def handovers(request: Request) -> HttpResponse:
    """The desk: what waits for an answer, what was accepted, what came back."""
    state = request.GET.get("state", "open")
    if state not in STATES:
        raise Http404
    rows, following = reads.desk(state, request.now, after=keyset.read(request.GET.get("after"), datetime, int))
    strongest = _told([_strongest(json.loads(row["packet"])) for row in rows])
    for row, row["evidence"] in zip(rows, strongest, strict=True):
        row["reason_label"] = RETURN_REASONS.get(row["return_reason"], row["return_reason"])
    context = {
        "state": state,
        "states": STATES,
        "rows": rows,
        "next": following,
        "counts": reads.counts(request.now - timedelta(days=30), request.now),
        "may_answer": request.user.role in SALES,
    }
    return render(request, "sales/handovers/handovers.html", context)


def _strongest(packet: dict[str, Any]) -> list[dict[str, Any]]:
    """A packet's three strongest facts, each thing once."""
    rank = {kind.code: kind.evidence for kind in kinds.evidence()}
    things: dict[tuple[int, int | None], dict[str, Any]] = {}
    for fact in packet.get("facts", ()):  # newest first: the latest of each thing is kept
        things.setdefault((fact["kind"], fact["object_id"]), fact)
    return sorted(things.values(), key=lambda fact: rank.get(fact["kind"], len(rank) + 1))[:3]


def _told(packets: Sequence[Sequence[dict[str, Any]]]) -> list[list[timelines.Entry]]:
    """The facts of each packet with the names of what they point to, all named by one statement."""
    every = [(f["kind"], f["object_id"], datetime.fromisoformat(f["at"])) for facts in packets for f in facts]
    named = iter(timelines.named(every))
    return [list(islice(named, len(facts))) for facts in packets]


@access(EVERYONE)
def handover(request: Request, lead_id: int, handover_id: int) -> HttpResponse:
    """One handover: the packet as it was, and the answer."""
    found = reads.one(lead_id, handover_id)
    lead = leads.one(lead_id)
    if found is None or lead is None:
        raise Http404
    found.reason_label = RETURN_REASONS.get(found.return_reason, found.return_reason)  # type: ignore[attr-defined]
    context = {
        "handover": found,
        "lead": lead,
        "phase": phases.by_id(found.packet.get("phase_id")),
        "evidence": scoring.explain(lead_id, request.now),
        "facts": _told([found.packet.get("facts", ())])[0],
        "answered_by": staff.member(found.answered_by_id),
        "is_late": found.state == "open" and found.due_at < request.now,
        "may_answer": request.user.role in SALES and found.state == "open",
        "form": ReturnForm(),
    }
    return render(request, "sales/handovers/handover.html", context)


@require_POST
@access(SALES)
def handover_accept(request: Request, lead_id: int, handover_id: int) -> HttpResponse:
    try:
        services.accept(lead_id, handover_id, user_id=request.user.id, now=request.now)
        messages.success(request, _("引き渡しを受け入れました。あなたが担当者になりました。"))
    except services.AlreadyAnsweredError:
        messages.warning(request, _("この引き渡しは、すでに別の人が回答しています。"))
    return redirect("lead", lead_id)


@require_POST
@access(SALES)
def handover_return(request: Request, lead_id: int, handover_id: int) -> HttpResponse:
    form = ReturnForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("差し戻しの理由を選んでください。"))
        return redirect("handover", lead_id, handover_id)
    try:
        services.give_back(lead_id, handover_id, user_id=request.user.id, now=request.now, **form.cleaned_data)
        messages.success(request, _("差し戻しました。フェーズを一つ前に戻し、育成を続けます。"))
    except services.AlreadyAnsweredError:
        messages.warning(request, _("この引き渡しは、すでに別の人が回答しています。"))
    return redirect("handovers")


@require_POST
@access(EVERYONE)
def handover_create(request: Request, lead_id: int) -> HttpResponse:
    cause = _("%(name)sさんが手動で引き渡し") % {"name": request.user.name}
    if services.hand_over(lead_id, cause=cause, now=request.now):
        messages.success(request, _("営業に引き渡しました。回答の期限は引き渡し画面で見られます。"))
    else:
        messages.info(request, _("このリードは、すでに引き渡し中です。"))
    return redirect("lead", lead_id)


urlpatterns = [
    path("handovers/", handovers, name="handovers"),
    path("handovers/<int:lead_id>/<int:handover_id>/", handover, name="handover"),
    path("handovers/<int:lead_id>/<int:handover_id>/accept/", handover_accept, name="handover_accept"),
    path("handovers/<int:lead_id>/<int:handover_id>/return/", handover_return, name="handover_return"),
    path("leads/<int:lead_id>/hand-over/", handover_create, name="handover_create"),
]
