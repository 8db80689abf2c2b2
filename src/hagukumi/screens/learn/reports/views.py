"""振り返る: the funnel, what each source brought, and the way back from a 受注 target to the leads it needs."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.kit import clock
from hagukumi.learn.reports import reads, services
from hagukumi.learn.reports.rules import STAGES
from hagukumi.people.sources import reads as sources
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

ADVICE = {
    "enough": gettext_lazy("目標に届いています。"),
    "collect": gettext_lazy("いまの歩留まりでは、リードの数が足りません。集める施策を増やすのが近道です。"),
    "nurture": gettext_lazy("リードの数は足りています。途中の歩留まりを上げる（育成の）施策が効きます。"),
}


class WindowForm(forms.Form):
    first = forms.DateField(label=gettext_lazy("開始日"), widget=forms.DateInput({"type": "date"}))
    last = forms.DateField(label=gettext_lazy("終了日"), widget=forms.DateInput({"type": "date"}))
    source = forms.ModelChoiceField(
        sources.by_name(),
        label=gettext_lazy("ソース"),
        required=False,
        empty_label=gettext_lazy("すべて"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].label_from_instance = lambda source: source.name  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        answer = super().clean() or {}
        first, last = answer.get("first"), answer.get("last")
        if first and last and first > last:
            self.add_error("last", _("終了日は開始日より後にしてください。"))
        if first and not 2000 <= first.year <= 2099:
            self.add_error("first", _("2000年から2099年の間で指定してください。"))
        if last and not 2000 <= last.year <= 2099:
            self.add_error("last", _("2000年から2099年の間で指定してください。"))
        return answer


class PlanForm(forms.Form):
    """A target and one rate in percent between each two stages."""

    target = forms.IntegerField(label=gettext_lazy("受注の目標（件）"), min_value=1, max_value=100_000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for stage in STAGES[1:]:
            self.fields[f"rate_{stage.key}"] = forms.FloatField(label=str(stage.label), min_value=0.01, max_value=100)

    def rates(self, measured: list[float]) -> list[float]:
        """The rates as given, 0-1; one left at the measured percent (shown rounded) is the measured rate itself.

        Otherwise last year's own wins would ask for a few more leads than last year had.
        """
        given = [self.cleaned_data[f"rate_{stage.key}"] for stage in STAGES[1:]]
        pairs = zip(given, measured, strict=True)
        return [rate if percent == _percent(rate) else percent / 100 for percent, rate in pairs]


def _percent(rate: float) -> float | None:
    """A rate as it stands in the plan's fields; None for a stage never reached."""
    return round(rate * 100, 2) or None


def _a_year_back(today: date) -> date:
    return today.replace(year=today.year - 1, day=1)


def _window(request: Request) -> tuple[WindowForm, reads.Window]:
    today = clock.jst_date(request.now)
    usual = {"first": _a_year_back(today), "last": today}
    form = WindowForm(request.GET if "first" in request.GET else usual)
    if not form.is_valid():
        return form, reads.Window(usual["first"], usual["last"])
    source = form.cleaned_data["source"]
    return form, reads.Window(form.cleaned_data["first"], form.cleaned_data["last"], source.id if source else None)


@access(EVERYONE)
def funnel(request: Request) -> HttpResponse:
    """Stages with 歩留まり and loss, for a period and a source; yield per source; months."""
    form, window = _window(request)
    steps = reads.funnel(window, request.now)
    by_source = reads.source_yield(window)
    months = reads.monthly(window)
    context = {
        "form": form,
        "steps": steps,
        "worst": _worst(steps),
        "happened": reads.happened(window),
        "sources": by_source,
        "months": months,
        "funnel_chart": _funnel_chart(steps),
        "months_chart": _months_chart(months),
    }
    return render(request, "learn/reports/funnel.html", context)


def _worst(steps: list[Any]) -> Any:
    """The step (below the first) that loses the largest share, where there are enough people to say so."""
    rated = [step for step in steps[1:] if step.rate is not None and step.people + (step.lost or 0) >= 20]
    return min(rated, key=lambda step: step.rate, default=None)


def _funnel_chart(steps: list[Any]) -> dict[str, Any]:
    top = steps[0].people or 1
    return {
        "grid": {"left": 90, "right": 60, "top": 8, "bottom": 8},
        "xAxis": {"type": "value", "show": False, "max": top},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [str(step.stage.label) for step in steps],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
        },
        "series": [
            {
                "type": "bar",
                "barWidth": "62%",
                "itemStyle": {"borderRadius": 3},
                "label": {"show": True, "position": "right"},
                "data": [{"value": step.people, "label": {"formatter": words.number(step.people)}} for step in steps],
            }
        ],
    }


def _months_chart(months: list[dict[str, Any]]) -> dict[str, Any]:
    labels = [f"{row['month'].year}/{row['month'].month}" for row in months]
    return {
        "grid": {"left": 44, "right": 44, "top": 34, "bottom": 24},
        "legend": {"top": 0, "type": "scroll"},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": labels},
        "yAxis": [
            {"type": "value", "minInterval": 1},
            {"type": "value", "minInterval": 1, "splitLine": {"show": False}},
        ],
        "series": [
            {
                "name": _("新規リード（右軸）"),
                "type": "bar",
                "yAxisIndex": 1,
                "data": [row["leads"] for row in months],
                "color": "--chart-pale",
            },
            {"name": _("MQL"), "type": "line", "data": [row["mql"] for row in months], "color": "--chart-3"},
            {"name": _("商談"), "type": "line", "data": [row["deals"] for row in months], "color": "--chart-2"},
            {"name": _("受注"), "type": "line", "data": [row["won"] for row in months], "color": "--chart-strong"},
        ],
    }


@access(EVERYONE)
def plan(request: Request) -> HttpResponse:
    """The reverse calculation: how many leads a 受注 target needs, at the rates of the past year or the user's own."""
    window_form, window = _window(request)
    steps = reads.funnel(window, request.now)
    live = reads.live_rates(steps)
    saved = reads.plan()
    start: dict[str, Any] = {"target": saved.won_target if saved else max(steps[-1].people, 1)}
    rates = saved.rates.get("steps", live) if saved else live
    start |= {f"rate_{stage.key}": _percent(rate) for stage, rate in zip(STAGES[1:], rates, strict=True)}
    asked = "target" in request.GET
    form = PlanForm(request.GET if asked else start)
    result = None
    if not form.is_valid() and not asked:  # a stage that nobody has reached has no rate: nothing was typed wrong
        form = PlanForm(initial=start)
    elif form.is_valid():
        result = reads.reverse_plan(form.cleaned_data["target"], form.rates(live), steps)
    context = {
        "window_form": window_form,
        "form": form,
        "steps": steps,
        "result": result,
        "advice": ADVICE[result.advice] if result else "",
        "rows": _plan_rows(steps, result, form),
        "saved": saved,
        "unknown": not result and not asked,
        "may_save": request.user.role in MARKETING,
    }
    return render(request, "learn/reports/plan.html", context)


def _plan_rows(steps: list[Any], result: Any, form: PlanForm) -> list[dict[str, Any]]:
    return [
        {
            "stage": step.stage,
            "have": step.people,
            "live": step.rate,
            "field": form[f"rate_{step.stage.key}"] if position else None,
            "needed": result.needed[position] if result else None,
            "short": max(result.needed[position] - step.people, 0) if result else None,
        }
        for position, step in enumerate(steps)
    ]


@access(MARKETING)
def plan_save(request: Request) -> HttpResponse:
    form = PlanForm(request.POST)
    if request.method == "POST" and form.is_valid():
        month = clock.jst_date(request.now).replace(day=1)
        live = reads.live_rates(reads.funnel(_window(request)[1], request.now))
        services.save_plan(month, form.cleaned_data["target"], form.rates(live), request.now)
        messages.success(request, _("目標を保存しました。次に開いたときも、この目標から計算します。"))
    return redirect("plan")


urlpatterns = [
    path("funnel/", funnel, name="funnel"),
    path("plan/", plan, name="plan"),
    path("plan/save/", plan_save, name="plan_save"),
]
