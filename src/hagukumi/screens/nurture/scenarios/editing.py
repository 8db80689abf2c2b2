"""シナリオの編集: the draft as cards of forms; every change is kept at once."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.nurture.scenarios import drafts, reads, rules, services
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.nodes import NODES
from hagukumi.nurture.scenarios.parts import key_of
from hagukumi.nurture.scenarios.rules import ENTRY, Graph
from hagukumi.screens.shell.access import MARKETING, Request, access

from .drawing import drawn, dress, get, steps
from .forms import EntryForm, NameForm, NodeForm, PartForm


class _InvalidError(ValueError):
    def __init__(self, form: PartForm) -> None:
        super().__init__("invalid")
        self.form = form


@access(MARKETING)
def scenario_edit(request: Request, scenario_id: int) -> HttpResponse:
    """The draft: every change is kept at once; a change by somebody else is shown, never overwritten."""
    found = get(scenario_id)
    if request.method != "POST":
        return render(request, "nurture/scenarios/edit.html", _editor(found, reads.draft_of(found)))
    trouble: dict[str, Any] = {}
    graph, opened = reads.draft_of(found), request.POST.get("node", "")
    try:
        graph, opened = _edited(request, graph)
        found = dress(services.save_draft(found.id, graph, seen=request.POST.get("seen", ""), now=request.now))
    except services.ConflictError as error:
        found, graph = get(scenario_id), reads.draft_of(error.theirs)
        trouble = {"conflict": str(error)}
    except _InvalidError as error:
        trouble = {"faulty": error.form}
    except (KeyError, ValueError) as error:
        raise BadRequest("no such step") from error
    context = {**_editor(found, graph, opened), **trouble}
    if "faulty" in trouble:
        _put(trouble["faulty"], context)
    return _answer(request, found, context, opened)


def _answer(request: Request, found: Scenario, context: dict[str, Any], opened: str) -> HttpResponse:
    """The editor alone for htmx; without scripts a page of its own, and a redirect where all went well."""
    refused = bool({"conflict", "faulty"} & set(context))
    if request.htmx:
        return render(request, "nurture/scenarios/editor.html", context, status=422 if refused else 200)
    if "conflict" in context:
        messages.warning(request, context["conflict"])
    elif not refused:
        return redirect(reverse("scenario_edit", args=[found.id]) + f"?open={opened}")
    return render(request, "nurture/scenarios/edit.html", context, status=422)


def _edited(request: Request, graph: Graph) -> tuple[Graph, str]:
    """The graph after the posted operation, and the node to show open."""
    act, node_id = request.POST.get("act", ""), request.POST.get("node", "")
    match act:
        case "entry":
            return drafts.enter_by(graph, _valid(EntryForm(graph.entry, request.POST)).values()), ENTRY
        case "add":
            return drafts.add(graph, node_id, request.POST.get("exit", "next"), request.POST.get("kind", ""))
        case "remove":
            return drafts.remove(graph, node_id), ""
        case "lead":
            target = request.POST.get("target", "")
            return drafts.lead_to(graph, node_id, request.POST.get("exit", ""), target), node_id
        case "change":
            form = _valid(NodeForm(graph.node(node_id), request.POST))
            return drafts.change(graph, node_id, form.values()), node_id
    raise KeyError(act)


def _valid(form: PartForm) -> PartForm:
    if not form.is_valid():
        raise _InvalidError(form)
    return form


def _editor(found: Scenario, graph: Graph, opened: str = "") -> dict[str, Any]:
    names = graph.names()
    problems = rules.problems(graph) + rules.missing(graph, names)
    cards = steps(graph, names)
    for card in cards:
        card["form"] = NodeForm(card["node"])
        card["problems"] = [problem.text for problem in problems if problem.node == card["node"].id]
        card["open"] = card["node"].id == opened
        card["removable"] = bool(card["ways"])
    return {
        "scenario": found,
        "seen": reads.revision(found),
        "entry": graph.entry.says(names),
        "entry_form": EntryForm(graph.entry),
        "entry_problems": [problem.text for problem in problems if not problem.node],
        "entry_open": opened == ENTRY,
        "steps": cards,
        "types": [(key_of(kind), kind.label, kind.icon) for kind in NODES.offered()],
        "problem_count": len(problems),
        **drawn(graph, names),
    }


def _put(form: PartForm, context: dict[str, Any]) -> None:
    """Show a form that was refused with its errors, in the place of the one that would stand there."""
    if form.prefix == "entry":
        context["entry_form"], context["entry_open"] = form, True
    for card in context["steps"]:
        if card["node"].id == form.prefix:
            card["form"], card["open"] = form, True


@require_POST
@access(MARKETING)
def scenario_rename(request: Request, scenario_id: int) -> HttpResponse:
    form = NameForm(request.POST)
    get(scenario_id)
    if form.is_valid():
        services.rename(scenario_id, form.cleaned_data["name"], now=request.now)
    else:
        messages.warning(request, _("名前を入れてください。"))
    return redirect("scenario_edit", scenario_id)
