"""商談: deals by stage, one deal, won and lost with a reason."""

from datetime import timedelta
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
from hagukumi.kit import clock
from hagukumi.people.leads import reads as leads
from hagukumi.sales.deals import reads, services
from hagukumi.sales.deals.models import DealStage
from hagukumi.sales.deals.rules import LOSS_REASONS, reason
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, SALES, Request, access


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
    stages = reads.stages()
    for stage in stages:
        stage.label = words.own(stage)  # type: ignore[attr-defined]
    return stages


@access(EVERYONE)
def deals(request: Request) -> HttpResponse:
    """Open deals as columns by stage, and what was closed in the last 90 days."""
    rows = reads.open_deals(clock.jst_date(request.now))
    columns = [(stage, [row for row in rows if row["stage"] == stage.key]) for stage in _stages()]
    closed = reads.closed_deals(request.now - timedelta(days=90))
    won = reads.won_since(request.now - timedelta(days=90))
    context = {
        "columns": [
            {"stage": stage, "rows": found, "total": sum(row["amount_yen"] or 0 for row in found)}
            for stage, found in columns
        ],
        "count": len(rows),
        "total": sum(row["amount_yen"] or 0 for row in rows),
        "closed": [{**row, "reason": reason(row["reason"])} for row in closed],
        "won": won,
    }
    return render(request, "sales/deals/deals.html", context)


@access(SALES)
def deal_create(request: Request, lead_id: int) -> HttpResponse:
    lead = leads.one(lead_id)
    if lead is None or not lead.known_at:
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
    found = reads.one(lead_id, deal_id)
    if found is None:
        raise Http404
    context = {
        "deal": found,
        "reason": reason(found.reason),
        "lead": leads.one(lead_id),
        "owner": staff.member(found.owner_id),
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
    if stage not in {known.key for known in reads.stages()}:
        raise Http404
    try:
        services.move_stage(lead_id, deal_id, stage, now=request.now)
    except services.AlreadyClosedError:
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
    except services.AlreadyClosedError:
        messages.warning(request, _("この商談は、すでに終了しています。"))
    return redirect("deal", lead_id, deal_id)


urlpatterns = [
    path("deals/", deals, name="deals"),
    path("leads/<int:lead_id>/deals/new/", deal_create, name="deal_create"),
    path("deals/<int:lead_id>/<int:deal_id>/", deal, name="deal"),
    path("deals/<int:lead_id>/<int:deal_id>/stage/", deal_stage, name="deal_stage"),
    path("deals/<int:lead_id>/<int:deal_id>/close/", deal_close, name="deal_close"),
]
