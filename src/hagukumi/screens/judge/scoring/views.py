"""スコア: the model in force, both sides with their maxima, the spread; a draft, its effect, publishing it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.judge.scoring import reads, rules, services
from hagukumi.judge.scoring.models import ScoreVersion
from hagukumi.judge.scoring.rules import Rule
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import definitions
from hagukumi.screens.judge.segments import builder as conditions
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

SIDES = (("attribute", gettext_lazy("属性スコア")), ("behaviour", gettext_lazy("行動スコア")))
GROUPS = {
    "sales": gettext_lazy("売上の帯"), "industry": gettext_lazy("業種の帯"), "rank": gettext_lazy("職位の帯"),
}  # fmt: skip
"""The groups of the ready-made rules, as one reads them; other groups are read as they were typed."""


class FrameForm(forms.Form):
    """The maxima and the line of a version."""

    attribute_max = forms.IntegerField(label=gettext_lazy("属性の上限"), min_value=0, max_value=1000)
    behaviour_max = forms.IntegerField(label=gettext_lazy("行動の上限"), min_value=0, max_value=1000)
    threshold = forms.IntegerField(label=gettext_lazy("基準点"), min_value=1, max_value=2000)


class RuleForm(forms.Form):
    label_ja = forms.CharField(label=gettext_lazy("名前"), max_length=60)
    label_en = forms.CharField(label=gettext_lazy("英語の名前"), max_length=60, required=False)
    side = forms.ChoiceField(label=gettext_lazy("種別"), choices=SIDES)
    points = forms.IntegerField(label=gettext_lazy("点数"), min_value=-100, max_value=100)
    group = forms.CharField(
        label=gettext_lazy("まとまり"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("同じまとまりのルールは、いちばん高い点だけを数えます（例: 売上の帯）。"),
    )

    def clean_group(self) -> str:
        """The key of a ready-made group whose name was typed, else what was typed."""
        typed = str(self.cleaned_data["group"])
        return next((key for key, name in GROUPS.items() if typed == str(name)), typed)


def _known(model_id: int) -> None:
    if not reads.exists(model_id):
        raise Http404


@access(EVERYONE)
def scoring(request: Request) -> HttpResponse:
    """The model in force."""
    model = services.default_model()
    if model is None or model.live is None:
        return render(request, "judge/scoring/scoring.html", {"model": None})
    spread = services.distribution(model.id)
    context = {
        "model": model,
        "version": model.live,
        "sides": _sides(model.live),
        "chart": _chart(spread, model.live.threshold),
        "leads": sum(leads for _total, leads in spread),
        "over": sum(leads for total, leads in spread if total >= model.live.threshold),
        "versions": reads.published(model.id),
        "draft": reads.draft(model.id),
        "problem": definitions.broken("score").get(model.live.pk),
        "may_edit": request.user.role in MARKETING,
    }
    return render(request, "judge/scoring/scoring.html", context)


@access(EVERYONE)
def score_version(request: Request, version_id: int) -> HttpResponse:
    """An earlier version, as it was in force."""
    version = reads.version(version_id)
    if version is None:
        raise Http404
    if version.published_at is None:
        return redirect("score_draft", version.model_id)
    context = {"model": version.model, "version": version, "sides": _sides(version), "earlier": True}
    return render(request, "judge/scoring/version.html", context)


@access(MARKETING)
def score_draft(request: Request, model_id: int) -> HttpResponse:
    """The draft: its rules, maxima and line, and what publishing it would change."""
    _known(model_id)
    version = services.draft_of(model_id, now=request.now, user_id=request.user.id)
    start = {name: getattr(version, name) for name in FrameForm.base_fields}
    form = FrameForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        services.change_draft(version.id, **form.cleaned_data)
        messages.success(request, _("下書きを保存しました。"))
        return redirect("score_draft", model_id)
    effect = services.preview(version, request.now)
    context = {
        "model": version.model,
        "version": version,
        "sides": _sides(version),
        "form": form,
        "effect": effect,
        "change": effect.over - effect.over_now,
        "chart": _chart(effect.distribution, version.threshold),
    }
    return render(request, "judge/scoring/draft.html", context, status=422 if form.errors else 200)


@access(MARKETING)
def score_rule(request: Request, model_id: int, key: str = "") -> HttpResponse:
    """One rule of the draft, new or again."""
    _known(model_id)
    version = services.draft_of(model_id, now=request.now, user_id=request.user.id)
    all_rules = rules.rules_of(version.rules)
    found = next((rule for rule in all_rules if rule.key == key), None)
    if key and found is None:
        raise Http404
    start: dict[str, Any] = (
        {name: getattr(found, name) for name in RuleForm.base_fields} if found else {"side": "behaviour", "points": 1}
    )
    start["group"] = GROUPS.get(start.get("group", ""), start.get("group", ""))
    form = RuleForm(request.POST or None, initial=start)
    tree: Any = found.tree if found else None
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            tree = conditions.read(request.POST.get("tree", ""))
            changed = Rule(key=key or _free_key(all_rules), tree=tree, **form.cleaned_data)
            kept = [changed if rule.key == key else rule for rule in all_rules]
            services.change_draft(version.id, changed=kept if found else [*kept, changed])
        except segments.ConditionError as error:
            problem = str(error)
        else:
            messages.success(request, _("ルールを下書きに入れました。公開すると全員の点数が変わります。"))
            return redirect("score_draft", model_id)
    context = {
        "model": version.model,
        "rule": found,
        "form": form,
        "problem": problem,
        "builder": conditions.builder(tree, request.now),
    }
    return render(request, "judge/scoring/rule.html", context, status=422 if problem or form.errors else 200)


@require_POST
@access(MARKETING)
def score_rule_delete(request: Request, model_id: int, key: str) -> HttpResponse:
    _known(model_id)
    version = services.draft_of(model_id, now=request.now, user_id=request.user.id)
    services.change_draft(version.id, changed=[rule for rule in rules.rules_of(version.rules) if rule.key != key])
    messages.success(request, _("ルールを下書きから外しました。"))
    return redirect("score_draft", model_id)


@require_POST
@access(MARKETING)
def score_publish(request: Request, model_id: int) -> HttpResponse:
    """Put the draft in force."""
    draft = reads.draft(model_id)
    if draft is None:
        raise Http404
    try:
        services.publish(draft.id, now=request.now)
    except segments.ConditionError as error:
        messages.error(request, str(error))
        return redirect("score_draft", model_id)
    said = _("版%(number)sを公開しました。全員の点数を計算し直しています。")
    messages.success(request, said % {"number": draft.number})
    return redirect("scoring")


@require_POST
@access(MARKETING)
def score_discard(request: Request, model_id: int) -> HttpResponse:
    draft = reads.draft(model_id)
    if draft is not None:
        services.discard(draft.id)
        messages.success(request, _("下書きを捨てました。公開中の版はそのままです。"))
    return redirect("scoring")


def _sides(version: ScoreVersion) -> list[dict[str, Any]]:
    """Both sides with their rules, each rule with its bar (percent) and its sentence."""
    lang = words.language()
    found = rules.rules_of(version.rules)
    biggest = max((abs(rule.points) for rule in found), default=1)
    return [
        {
            "key": side,
            "label": label,
            "maximum": version.attribute_max if side == "attribute" else version.behaviour_max,
            "rules": [
                {
                    "rule": rule,
                    "label": rule.label(lang),
                    "sentence": _sentence(rule, lang),
                    "group": GROUPS.get(rule.group, rule.group),
                    "bar": round(100 * abs(rule.points) / biggest),
                    "shares": bool(rule.group) and sum(other.band == rule.band for other in found) > 1,
                }
                for rule in found
                if rule.side == side
            ],
        }
        for side, label in SIDES
    ]


def _sentence(rule: Rule, lang: str) -> str:
    try:
        return segments.clause(rule.tree, lang)
    except segments.ConditionError as error:
        return str(error)


def _free_key(found: list[Rule]) -> str:
    taken = {rule.key for rule in found}
    return next(key for number in range(1, len(taken) + 2) if (key := f"rule_{number}") not in taken)


def _chart(spread: list[tuple[int, int]], threshold: int) -> dict[str, Any]:
    """How many leads have each total; those at the line or above are deep green."""
    top = max([threshold + 2, *(total for total, _leads in spread)])
    leads = dict(spread)
    return {
        "xAxis": {"type": "category", "data": [str(total) for total in range(top + 1)]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "name": _("人数"),
                "barCategoryGap": "20%",
                "data": [
                    {
                        "value": leads.get(total, 0),
                        "itemStyle": {"color": "--chart-strong" if total >= threshold else "--chart-pale"},
                    }
                    for total in range(top + 1)
                ],
                "markLine": {
                    "symbol": "none",
                    "data": [{"xAxis": str(threshold)}],
                    "label": {"formatter": _("基準 %(points)s点") % {"points": threshold}},
                    "lineStyle": {"color": "--chart-3"},
                },
            }
        ],
        "table": {
            "columns": [_("点"), _("人数")],
            "rows": [[str(total), count] for total, count in spread],
        },
    }


urlpatterns = [
    path("scoring/", scoring, name="scoring"),
    path("scoring/versions/<int:version_id>/", score_version, name="score_version"),
    path("scoring/<int:model_id>/draft/", score_draft, name="score_draft"),
    path("scoring/<int:model_id>/draft/rules/new/", score_rule, name="score_rule_new"),
    path("scoring/<int:model_id>/draft/rules/<slug:key>/", score_rule, name="score_rule"),
    path("scoring/<int:model_id>/draft/rules/<slug:key>/delete/", score_rule_delete, name="score_rule_delete"),
    path("scoring/<int:model_id>/publish/", score_publish, name="score_publish"),
    path("scoring/<int:model_id>/discard/", score_discard, name="score_discard"),
]
