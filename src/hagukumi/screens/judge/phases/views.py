"""フェーズ: the board, moves by hand, and each model's rules as sentences."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from hagukumi.judge.phases import reads, services
from hagukumi.judge.phases.models import PhaseModel, PhaseRule
from hagukumi.judge.phases.rules import START
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import definitions
from hagukumi.people.leads import reads as leads
from hagukumi.sales.handovers.rules import RETURN_REASONS, RETURNED
from hagukumi.screens.judge.segments import builder as conditions
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

CARDS = 12


class MoveForm(forms.Form):
    lead_id = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    phase: Any = forms.ModelChoiceField(label=gettext_lazy("移動先"), queryset=None, empty_label=None)
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=200)

    def __init__(self, model: PhaseModel, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["phase"]
        field.queryset = services.phases_in(model.id)
        field.label_from_instance = words.own


class RuleForm(forms.Form):
    source: Any = forms.ModelChoiceField(label=gettext_lazy("いまのフェーズ"), queryset=None, empty_label=None)
    target: Any = forms.ModelChoiceField(label=gettext_lazy("移動先"), queryset=None, empty_label=None)
    reason = forms.CharField(label=gettext_lazy("理由（履歴に残る言葉）"), max_length=120)
    reason_en = forms.CharField(label=gettext_lazy("英語の理由"), max_length=120, required=False)
    priority = forms.IntegerField(
        label=gettext_lazy("優先順"),
        min_value=0,
        max_value=1000,
        help_text=gettext_lazy("同時に当てはまるときは、数の小さいルールで動きます。"),
    )

    def __init__(self, model: PhaseModel, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("source", "target"):
            field: Any = self.fields[name]
            field.queryset = services.phases_in(model.id)
            field.label_from_instance = words.own


@access(EVERYONE)
def phases(request: Request) -> HttpResponse:
    """The board of a model; the part that htmx asks for again is the columns."""
    key = request.GET.get("model", "")
    model = _model(key) if key else services.primary()
    if model is None:
        return render(request, "judge/phases/board.html", {"model": None})
    columns = services.board(model.id, request.now, CARDS)
    for card in (card for column in columns for card in column["cards"]):
        card["said"] = why(card)
    context = {
        "model": model,
        "models": reads.models(),
        "columns": columns,
        "leads": sum(column["leads"] for column in columns),
        "form": MoveForm(model),
    }
    template = "judge/phases/_columns.html" if request.htmx else "judge/phases/board.html"
    return render(request, template, context)


@access(EVERYONE)
def phase_move(request: Request, model_key: str, lead_id: int) -> HttpResponse:
    """Move one person by hand, with a reason."""
    model = _model(model_key)
    lead = leads.one(lead_id)
    if lead is None or not lead.known_at or lead.merged_into:
        raise Http404
    stands = services.standing(lead_id, model.key)
    start = {"lead_id": lead_id, "phase": stands["id"] if stands else None}
    form = MoveForm(
        model, {**request.POST.dict(), "lead_id": lead_id} if request.method == "POST" else None, initial=start
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        moved = services.move(
            [lead_id], phase_id=chosen["phase"].id, reason=chosen["reason"], now=request.now, user_id=request.user.id
        )
        said = _("%(name)s様を「%(phase)s」に移しました。") if moved else _("%(name)s様はすでに「%(phase)s」にいます。")
        name = lead.last_name or lead.email
        messages.success(request, said % {"name": name, "phase": words.own(chosen["phase"])})
        return redirect(f"/phases/?model={model.key}")
    context = {"model": model, "lead": lead, "stands": stands, "form": form}
    return render(request, "judge/phases/move.html", context, status=422 if form.errors else 200)


@access(EVERYONE)
def phase_rules(request: Request, model_key: str) -> HttpResponse:
    """A model's rules, by the phase in which they are asked, as sentences."""
    model = _model(model_key)
    broken = definitions.broken("phase")
    lang = words.language()
    rows: list[dict[str, Any]] = [
        {
            "rule": rule,
            "forward": rule.target_phase.position > rule.source_phase.position,
            "sentence": _sentence(rule, lang),
            "reason": why({"reason": rule.reason, "reason_en": rule.reason_en}),
            "problem": broken.get(rule.id, ""),
        }
        for rule in reads.rules(model.id)
    ]
    context = {
        "model": model,
        "models": reads.models(),
        "steps": [
            {"phase": one, "rows": [row for row in rows if row["rule"].source_phase_id == one.id]}
            for one in services.phases_of(model.id)
        ],
        "may_edit": request.user.role in MARKETING,
    }
    return render(request, "judge/phases/rules.html", context)


@access(MARKETING)
def phase_rule(request: Request, model_key: str, rule_id: int | None = None) -> HttpResponse:
    """One rule, new or again; the next beat asks it of everybody."""
    model = _model(model_key)
    rule = _rule(model, rule_id) if rule_id else None
    start: dict[str, Any] = {"priority": 10}
    if rule:
        start = {"source": rule.source_phase_id, "target": rule.target_phase_id, "priority": rule.priority}
        start |= {"reason": rule.reason, "reason_en": rule.reason_en}
    form = RuleForm(model, request.POST or None, initial=start)
    tree: Any = rule.tree if rule else None
    problem = ""
    if request.method == "POST" and form.is_valid():
        answers = form.cleaned_data
        try:
            tree = conditions.read(request.POST.get("tree", ""))
            services.save_rule(
                model.id,
                rule_id=rule_id,
                source_id=answers["source"].id,
                target_id=answers["target"].id,
                tree=tree,
                reason=answers["reason"],
                reason_en=answers["reason_en"],
                priority=answers["priority"],
                now=request.now,
            )
        except segments.ConditionError as error:
            problem = str(error)
        else:
            messages.success(request, _("ルールを保存しました。当てはまる人は数秒で移ります。"))
            return redirect("phase_rules", model.key)
    context = {
        "model": model,
        "rule": rule,
        "form": form,
        "problem": problem,
        "builder": conditions.builder(tree, request.now),
    }
    return render(request, "judge/phases/rule.html", context, status=422 if problem or form.errors else 200)


@require_POST
@access(MARKETING)
def phase_rule_delete(request: Request, model_key: str, rule_id: int) -> HttpResponse:
    rule = _rule(_model(model_key), rule_id)
    services.delete_rule(rule.id, request.now)
    messages.success(request, _("ルールを削除しました。いまの位置は変わりません。"))
    return redirect("phase_rules", model_key)


def _model(key: str) -> PhaseModel:
    found = reads.model(key)
    if found is None:
        raise Http404
    return found


def _rule(model: PhaseModel, rule_id: int) -> PhaseRule:
    found = reads.rule(model.id, rule_id)
    if found is None:
        raise Http404
    return found


def why(place: Mapping[str, Any]) -> str:
    """Why somebody is in a phase, in the reader's language. `place`: cause, reason and reason_en of a move."""
    if place.get("cause") == START:
        return _("新しく登録")
    reason = str(place.get("reason") or "")
    if place.get("cause") == RETURNED:
        return _("営業からの差し戻し（%(why)s）") % {"why": RETURN_REASONS.get(reason, reason)}
    return str(place.get("reason_en") or reason) if words.english() else reason


def _sentence(rule: PhaseRule, lang: str) -> str:
    try:
        clause = segments.clause(rule.tree, lang)
    except segments.ConditionError as error:
        return str(error)
    return f"{clause}とき" if lang == "ja" else f"when {clause}"


urlpatterns = [
    path("phases/", phases, name="phases"),
    path("phases/<slug:model_key>/move/<int:lead_id>/", phase_move, name="phase_move"),
    path("phases/<slug:model_key>/rules/", phase_rules, name="phase_rules"),
    path("phases/<slug:model_key>/rules/new/", phase_rule, name="phase_rule_new"),
    path("phases/<slug:model_key>/rules/<int:rule_id>/", phase_rule, name="phase_rule"),
    path("phases/<slug:model_key>/rules/<int:rule_id>/delete/", phase_rule_delete, name="phase_rule_delete"),
]
