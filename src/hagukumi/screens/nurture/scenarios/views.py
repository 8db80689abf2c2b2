"""シナリオ: the list, one scenario with its live graph, and the people on their way."""

from datetime import datetime
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from hagukumi.kit import keyset
from hagukumi.ledger import definitions
from hagukumi.nurture.scenarios import drafts, reads, rules, services
from hagukumi.nurture.scenarios.models import Scenario, ScenarioVersion
from hagukumi.nurture.scenarios.rules import ENTRY, Graph
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from .drawing import drawn, dress, get, steps
from .editing import scenario_edit, scenario_rename
from .forms import NameForm
from .running import scenario_publish, scenario_turn
from .trial import scenario_try


@access(EVERYONE)
def scenario_list(request: Request) -> HttpResponse:
    """Every scenario with its state and how many people are on it."""
    totals = reads.totals()
    aside = definitions.broken("scenario")
    rows = [dress(row) for row in reads.every()]
    for row in rows:
        row.totals = totals.get(row.id, reads.Totals())  # type: ignore[attr-defined]
        row.fault = aside.get(row.id, "")  # type: ignore[attr-defined]
        graph = reads.in_force(row)
        row.entry = graph.entry.says(graph.names())  # type: ignore[attr-defined]
    return render(request, "nurture/scenarios/list.html", {"rows": rows, "may_edit": request.user.role in MARKETING})


@access(MARKETING)
def scenario_new(request: Request) -> HttpResponse:
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = services.create(form.cleaned_data["name"], now=request.now)
        return redirect("scenario_edit", made.id)
    return render(request, "nurture/scenarios/new.html", {"form": form}, status=422 if form.errors else 200)


# -- one scenario ------------------------------------------------------------------------------------------------


@access(EVERYONE)
def scenario(request: Request, scenario_id: int) -> HttpResponse:
    """The graph of a version with live counts; the one in force unless `v` names another."""
    found = get(scenario_id)
    versions = reads.versions(scenario_id)
    shown = _shown(versions, found, request.GET.get("v"))
    graph = reads.graph_of(shown) if shown else reads.draft_of(found)
    counts = reads.node_counts(shown) if shown else None
    names = graph.names()
    context = {
        "scenario": found,
        "versions": versions,
        "shown": shown,
        "entry": graph.entry.says(names),
        "again": not graph.entry.once,
        "steps": steps(graph, names, counts),
        "entry_here": counts.here[ENTRY] if counts else 0,
        "totals": reads.totals_of(found.id),
        "changed": reads.is_changed(found),
        "fault": definitions.broken("scenario").get(found.id),
        "may_edit": request.user.role in MARKETING,
        **drawn(graph, names, counts),
    }
    return render(request, "nurture/scenarios/scenario.html", context)


def _shown(versions: list[ScenarioVersion], found: Scenario, number: str | None) -> ScenarioVersion | None:
    if number is None:
        return found.version
    for version in versions:
        if str(version.number) == number:
            return version
    raise Http404


@require_GET
@access(EVERYONE)
def scenario_counts(request: Request, scenario_id: int, number: int) -> JsonResponse:
    """Live counts of a version, for the graph: nodes -> people there, edges -> people who went that way."""
    counts = reads.node_counts(_version(scenario_id, number))
    return JsonResponse({"nodes": counts.here, "edges": counts.edges()})


def _version(scenario_id: int, number: int) -> ScenarioVersion:
    found = reads.version(scenario_id, number)
    if found is None:
        raise Http404
    return found


# -- people ------------------------------------------------------------------------------------------------------


@access(EVERYONE)
def scenario_people(request: Request, scenario_id: int, number: int) -> HttpResponse:
    """The people at one node of a version (`node`), or those who have come through (`node=through`); keyset pages."""
    found, version = get(scenario_id), _version(scenario_id, number)
    offered = _places(reads.graph_of(version), reads.node_counts(version))
    chosen = request.GET.get("node") or max(offered, key=lambda place: place["here"])["id"]
    after = keyset.read(request.GET.get("after"), datetime, int)
    if request.GET.get("after") and not after:
        raise BadRequest("after")
    if chosen == "through":
        rows, following = keyset.page(reads.people_through(found.id, after), "at", "id")
    else:
        rows, following = keyset.page(reads.people_at(version.id, chosen, after), "due_at", "lead_id")
    context = {
        "scenario": found,
        "version": version,
        "places": offered,
        "chosen": chosen,
        "through": chosen == "through",
        "totals": reads.totals_of(found.id),
        "rows": rows,
        "next": following,
    }
    return render(request, "nurture/scenarios/people.html", context)


def _places(graph: Graph, counts: reads.NodeCounts) -> list[dict[str, Any]]:
    """Where people may stand: the door first, then along the way."""
    names = graph.names()
    found = [{"id": ENTRY, "title": _("入口"), "here": counts.here[ENTRY]}]
    found += [
        {"id": node.id, "title": rules.title(node, names), "here": counts.here[node.id]}
        for node in drafts.in_order(graph)
        if node.stands and not node.ends
    ]
    return found


urlpatterns = [
    path("scenarios/", scenario_list, name="scenarios"),
    path("scenarios/new/", scenario_new, name="scenario_new"),
    path("scenarios/<int:scenario_id>/", scenario, name="scenario"),
    path("scenarios/<int:scenario_id>/counts/<int:number>.json", scenario_counts, name="scenario_counts"),
    path("scenarios/<int:scenario_id>/edit/", scenario_edit, name="scenario_edit"),
    path("scenarios/<int:scenario_id>/rename/", scenario_rename, name="scenario_rename"),
    path("scenarios/<int:scenario_id>/publish/", scenario_publish, name="scenario_publish"),
    path("scenarios/<int:scenario_id>/<str:act>/turn/", scenario_turn, name="scenario_turn"),
    path("scenarios/<int:scenario_id>/people/<int:number>/", scenario_people, name="scenario_people"),
    path("scenarios/<int:scenario_id>/try/", scenario_try, name="scenario_try"),
]
