"""引き渡し and 商談: the desk where sales answers, and the deals that follow."""

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
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.accounts.models import User
from hagukumi.judge.phases.models import Phase
from hagukumi.judge.scoring import services as scoring
from hagukumi.kit import clock
from hagukumi.ledger import kinds
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.leads.models import Lead
from hagukumi.sales.deals import services
from hagukumi.sales.deals.models import Deal, DealStage, Handover
from hagukumi.sales.deals.rules import LOSS_REASONS, RETURN_REASONS
from hagukumi.screens.shell.access import EVERYONE, SALES, Request, access

STATES = {
    "open": gettext_lazy("回答待ち"),
    "accepted": gettext_lazy("受け入れ済み"),
    "returned": gettext_lazy("差し戻し"),
}
PAGE = 50


class ReturnForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("差し戻しの理由"), choices=[("", gettext_lazy("選んでください")), *RETURN_REASONS.items()]
    )
    note = forms.CharField(
        label=gettext_lazy("補足"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )


class DealForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("商談名"), max_length=160)
    amount_yen = forms.IntegerField(label=gettext_lazy("金額（円）"), required=False, min_value=0, max_value=10**13)
    stage = forms.ChoiceField(label=gettext_lazy("ステージ"))
    expected_on = forms.DateField(
        label=gettext_lazy("受注予定日"), required=False, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stage"].choices = [(stage.key, stage.label) for stage in _stages()]  # type: ignore[attr-defined]


class CloseForm(forms.Form):
    amount_yen = forms.IntegerField(label=gettext_lazy("確定金額（円）"), required=False, min_value=0, max_value=10**13)
    outcome = forms.ChoiceField(choices=[("won", gettext_lazy("受注")), ("lost", gettext_lazy("失注"))])
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=200)


def _stages() -> list[DealStage]:
    stages = list(DealStage.objects.order_by("position"))
    for stage in stages:
        stage.label = stage.name if get_language() == "ja" else stage.name_en  # type: ignore[attr-defined]
    return stages


@access(EVERYONE)
def handovers(request: Request) -> HttpResponse:
    """The desk: what waits for an answer, what was accepted, what came back."""
    state = request.GET.get("state", "open")
    if state not in STATES:
        raise Http404
    page = max(int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdigit() else 1, 1)
    rows = services.desk(state, request.now, limit=PAGE + 1, offset=(page - 1) * PAGE)
    strongest = _told([_strongest(json.loads(row["packet"])) for row in rows])
    for row, row["evidence"] in zip(rows, strongest, strict=True):
        row["reason_label"] = RETURN_REASONS.get(row["return_reason"], row["return_reason"])
    context = {
        "state": state,
        "states": STATES,
        "rows": rows[:PAGE],
        "next_page": page + 1 if len(rows) > PAGE else None,
        "previous_page": page - 1 if page > 1 else None,
        "counts": services.desk_counts(request.now - timedelta(days=30), request.now),
        "may_answer": request.user.role in SALES,
    }
    return render(request, "sales/deals/handovers.html", context)


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
    found = Handover.objects.filter(lead_id=lead_id, id=handover_id).first()
    lead = Lead.objects.filter(lead_id=lead_id).select_related("owner", "source").first()
    if found is None or lead is None:
        raise Http404
    found.reason_label = RETURN_REASONS.get(found.return_reason, found.return_reason)  # type: ignore[attr-defined]
    context = {
        "handover": found,
        "lead": lead,
        "phase": Phase.objects.filter(id=found.packet.get("phase_id") or 0).first(),
        "evidence": scoring.explain(lead_id, request.now),
        "facts": _told([found.packet.get("facts", ())])[0],
        "answered_by": User.objects.filter(id=found.answered_by_id or 0).first(),
        "is_late": found.state == "open" and found.due_at < request.now,
        "may_answer": request.user.role in SALES and found.state == "open",
        "form": ReturnForm(),
    }
    return render(request, "sales/deals/handover.html", context)


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


@access(EVERYONE)
def deals(request: Request) -> HttpResponse:
    """Open deals as columns by stage, and what was closed in the last 90 days."""
    rows = services.open_deals(clock.jst_date(request.now))
    columns = [(stage, [row for row in rows if row["stage"] == stage.key]) for stage in _stages()]
    closed = services.closed_deals(request.now - timedelta(days=90))
    won = services.won_since(request.now - timedelta(days=90))
    context = {
        "columns": [
            {"stage": stage, "rows": found, "total": sum(row["amount_yen"] or 0 for row in found)}
            for stage, found in columns
        ],
        "count": len(rows),
        "total": sum(row["amount_yen"] or 0 for row in rows),
        "closed": closed,
        "won": won,
    }
    return render(request, "sales/deals/deals.html", context)


@access(SALES)
def deal_create(request: Request, lead_id: int) -> HttpResponse:
    lead = Lead.objects.filter(lead_id=lead_id, known_at__isnull=False).first()
    if lead is None:
        raise Http404
    start = {"name": _("%(company)s様 ご導入") % {"company": lead.company_name}, "stage": "approach"}
    form = DealForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        deal = services.create_deal(lead_id, owner_id=request.user.id, now=request.now, **form.cleaned_data)
        messages.success(request, _("商談を作成しました。"))
        return redirect("deal", lead_id, deal.id)
    return render(request, "sales/deals/deal_form.html", {"form": form, "lead": lead})


@access(EVERYONE)
def deal(request: Request, lead_id: int, deal_id: int) -> HttpResponse:
    found = Deal.objects.filter(lead_id=lead_id, id=deal_id).first()
    if found is None:
        raise Http404
    context = {
        "deal": found,
        "lead": Lead.objects.get(lead_id=lead_id),
        "owner": User.objects.filter(id=found.owner_id or 0).first(),
        "stages": _stages(),
        "close_form": CloseForm(initial={"amount_yen": found.amount_yen}),
        "loss_reasons": LOSS_REASONS.values(),
        "may_edit": request.user.role in SALES and not found.outcome,
    }
    return render(request, "sales/deals/deal.html", context)


@require_POST
@access(SALES)
def deal_stage(request: Request, lead_id: int, deal_id: int) -> HttpResponse:
    stage = request.POST.get("stage", "")
    if not DealStage.objects.filter(key=stage).exists():
        raise Http404
    try:
        services.move_stage(lead_id, deal_id, stage, now=request.now)
    except services.AlreadyAnsweredError:
        messages.warning(request, _("この商談は、すでに終了しています。"))
    return redirect("deal", lead_id, deal_id)


@require_POST
@access(SALES)
def deal_close(request: Request, lead_id: int, deal_id: int) -> HttpResponse:
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("受注・失注の理由を入力してください。"))
        return redirect("deal", lead_id, deal_id)
    answer = form.cleaned_data
    try:
        services.close_deal(
            lead_id,
            deal_id,
            won=answer["outcome"] == "won",
            amount_yen=answer["amount_yen"],
            reason=answer["reason"],
            now=request.now,
            user_id=request.user.id,
        )
        messages.success(
            request,
            _("受注しました。おめでとうございます。") if answer["outcome"] == "won" else _("失注として記録しました。"),
        )
    except services.AlreadyAnsweredError:
        messages.warning(request, _("この商談は、すでに終了しています。"))
    return redirect("deal", lead_id, deal_id)


urlpatterns = [
    path("handovers/", handovers, name="handovers"),
    path("handovers/<int:lead_id>/<int:handover_id>/", handover, name="handover"),
    path("handovers/<int:lead_id>/<int:handover_id>/accept/", handover_accept, name="handover_accept"),
    path("handovers/<int:lead_id>/<int:handover_id>/return/", handover_return, name="handover_return"),
    path("leads/<int:lead_id>/hand-over/", handover_create, name="handover_create"),
    path("deals/", deals, name="deals"),
    path("leads/<int:lead_id>/deals/new/", deal_create, name="deal_create"),
    path("deals/<int:lead_id>/<int:deal_id>/", deal, name="deal"),
    path("deals/<int:lead_id>/<int:deal_id>/stage/", deal_stage, name="deal_stage"),
    path("deals/<int:lead_id>/<int:deal_id>/close/", deal_close, name="deal_close"),
]
