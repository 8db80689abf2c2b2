"""シナリオ: the list, one scenario with its live graph, the editor, publishing, people on the way, the test run."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from pydantic import ValidationError

from hagukumi.kit import keyset
from hagukumi.ledger import definitions
from hagukumi.nurture.scenarios import drafts, rules, services
from hagukumi.nurture.scenarios.models import Scenario, ScenarioVersion
from hagukumi.nurture.scenarios.naming import Names
from hagukumi.nurture.scenarios.rehearsal import rehearse
from hagukumi.nurture.scenarios.rules import ENTRY, Branch, End, Graph
from hagukumi.overview.leads import reads as lead_list
from hagukumi.people.leads import reads as leads
from hagukumi.people.leads.models import Lead
from hagukumi.screens.shell.access import EVERYONE, MARKETING, Request, access

from .forms import EntryForm, NameForm, form_of

STATES = {
    "draft": (gettext_lazy("下書き"), "secondary"),
    "running": (gettext_lazy("実行中"), "green"),
    "paused": (gettext_lazy("一時停止中"), "yellow"),
    "stopping": (gettext_lazy("停止の処理中"), "orange"),
    "stopped": (gettext_lazy("停止済み"), "secondary"),
}
EXITS = {"yes": gettext_lazy("はい"), "no": gettext_lazy("いいえ"), "next": gettext_lazy("次へ")}


def _dress(scenario: Scenario) -> Scenario:
    scenario.state_label, scenario.state_colour = STATES[scenario.state]  # type: ignore[attr-defined]
    return scenario


def _get(scenario_id: int) -> Scenario:
    return _dress(get_object_or_404(Scenario.objects.select_related("version"), id=scenario_id))


@access(EVERYONE)
def scenario_list(request: Request) -> HttpResponse:
    """Every scenario with its state and how many people are on it."""
    totals = services.totals()
    aside = definitions.broken("scenario")
    rows = [_dress(row) for row in Scenario.objects.select_related("version").order_by("-updated_at")]
    order = ("running", "paused", "draft", "stopping", "stopped")
    rows.sort(key=lambda row: order.index(row.state))
    for row in rows:
        row.totals = totals.get(row.id, services.Totals())  # type: ignore[attr-defined]
        row.fault = aside.get(row.id, "")  # type: ignore[attr-defined]
        graph = Graph.model_validate(row.version.graph) if row.version else services.draft_of(row)
        row.entry = Names.of(graph).entry(graph)  # type: ignore[attr-defined]
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
    found = _get(scenario_id)
    versions = list(found.scenarioversion_set.select_related("published_by").order_by("-number"))
    shown = _version(versions, found, request.GET.get("v"))
    graph = Graph.model_validate(shown.graph) if shown else services.draft_of(found)
    counts = services.node_counts(shown) if shown else None
    names = Names.of(graph)
    context = {
        "scenario": found,
        "versions": versions,
        "shown": shown,
        "entry": names.entry(graph),
        "again": graph.entry.re_entry == "per_fact",
        "steps": _steps(graph, names, counts),
        "entry_here": counts.here[ENTRY] if counts else 0,
        "graph": _drawing(graph, names, counts),
        "rows_drawn": max(row for _column, row in rules.layout(graph).values()) + 1,
        "totals": services.totals().get(found.id, services.Totals()),
        "changed": services.is_changed(found),
        "fault": definitions.broken("scenario").get(found.id),
        "may_edit": request.user.role in MARKETING,
    }
    return render(request, "nurture/scenarios/scenario.html", context)


def _version(versions: list[ScenarioVersion], found: Scenario, number: str | None) -> ScenarioVersion | None:
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
    version = get_object_or_404(ScenarioVersion, scenario_id=scenario_id, number=number)
    counts = services.node_counts(version)
    edges = {f"{node}-{name}": count for (node, name), count in counts.left.items()}
    return JsonResponse({"nodes": counts.here, "edges": edges})


def _steps(graph: Graph, names: Names, counts: services.NodeCounts | None) -> list[dict[str, Any]]:
    """The nodes in reading order, numbered, with what each does, where it leads and who is there."""
    order = drafts.in_order(graph)
    numbers = {node.id: place for place, node in enumerate(order, 1)}
    steps = []
    for node in order:
        ways = [
            {"exit": name, "label": EXITS[name], "target": target, "number": numbers.get(target)}
            | ({"count": counts.left.get((node.id, name), 0)} if counts else {})
            for name, target in rules.exits(node).items()
        ]
        steps.append(
            {
                "node": node, "number": numbers[node.id], "icon": rules.ICONS[node.type], "title": names.title(node),
                "does": names.does(node) if node.name else "", "type": rules.TYPES[node.type], "ways": ways,
                "branches": isinstance(node, Branch), "here": counts.here[node.id] if counts else None,
                "stands": isinstance(node, rules.REST), "ends": isinstance(node, End),
            }
        )  # fmt: skip
    return steps


def _drawing(graph: Graph, names: Names, counts: services.NodeCounts | None) -> dict[str, Any]:
    """What the graph island draws: nodes with place, title and count; edges with label."""
    places = rules.layout(graph)
    nodes: list[dict[str, Any]] = [{"id": ENTRY, "type": "entry", "title": names.entry(graph), "stands": True}]
    nodes += [
        {"id": node.id, "type": node.type, "title": names.title(node), "stands": isinstance(node, rules.REST)}
        for node in graph.nodes
        if node.id in places
    ]
    for node in nodes:
        node["column"], node["row"] = places[node["id"]]
        node["kind"] = str(rules.TYPES.get(node["type"], _("入口")))
    edges = [
        {"id": f"{source}-{name}", "source": source, "target": target}
        | {"label": str(EXITS[name]) if name != "next" else "", "exit": name}
        for source, name, target in rules.edges(graph)
        if source in places and target in places
    ]
    live = {"nodes": counts.here, "edges": {f"{n}-{e}": c for (n, e), c in counts.left.items()}} if counts else None
    return {"nodes": nodes, "edges": edges, "counts": live, "words": _graph_words()}


def _graph_words() -> dict[str, str]:
    """What the drawn graph says besides its steps."""
    return {
        "people": _("名"),
        "done": _("名が完了"),
        "controls": _("図の表示"),
        "zoomIn": _("拡大"),
        "zoomOut": _("縮小"),
        "fit": _("全体を表示"),
    }


# -- the editor --------------------------------------------------------------------------------------------------


@access(MARKETING)
def scenario_edit(request: Request, scenario_id: int) -> HttpResponse:
    """The draft: every change is kept at once; a change by somebody else is shown, never overwritten."""
    found = _get(scenario_id)
    if request.method != "POST":
        return render(request, "nurture/scenarios/edit.html", _editor(found, services.draft_of(found)))
    context: dict[str, Any] = {}
    graph, opened = services.draft_of(found), request.POST.get("node", "")
    try:
        graph, opened = _edited(request, graph)
        found = _dress(services.save_draft(found.id, graph, seen=request.POST.get("seen", ""), now=request.now))
    except services.ConflictError as error:
        found, graph = _get(scenario_id), services.draft_of(error.theirs)
        context = {"conflict": str(error)}
    except _InvalidError as error:
        context = {"faulty": error.form}
    except (KeyError, ValidationError) as error:
        raise BadRequest("no such step") from error
    context = {**_editor(found, graph, opened), **context}
    _put_faulty(context)
    if not request.htmx:
        if "conflict" in context:
            messages.warning(request, context["conflict"])
        elif "faulty" not in context:
            return redirect(reverse("scenario_edit", args=[found.id]) + f"?open={opened}")
        return render(request, "nurture/scenarios/edit.html", context, status=422)
    status = 422 if {"conflict", "faulty"} & set(context) else 200
    return render(request, "nurture/scenarios/editor.html", context, status=status)


class _InvalidError(ValueError):
    def __init__(self, form: Any) -> None:
        super().__init__("invalid")
        self.form = form


def _edited(request: Request, graph: Graph) -> tuple[Graph, str]:
    """The graph after the posted operation, and the node to show open."""
    act, node_id = request.POST.get("act", ""), request.POST.get("node", "")
    if act == "entry":
        form = EntryForm(request.POST, prefix="entry")
        if not form.is_valid():
            raise _InvalidError(form)
        return drafts.enter_by(graph, form.values()), ENTRY
    if act == "add":
        kind = request.POST.get("kind", "")
        if kind not in rules.TYPES:
            raise KeyError(kind)
        return drafts.add(graph, node_id, request.POST.get("exit", "next"), kind)
    if act == "remove":
        return drafts.remove(graph, node_id), ""
    if act == "lead":
        return drafts.lead_to(graph, node_id, request.POST.get("exit", ""), request.POST.get("target", "")), node_id
    if act == "change":
        changed = form_of(graph.node(node_id), request.POST)
        if not changed.is_valid():
            raise _InvalidError(changed)
        return drafts.change(graph, node_id, changed.values()), node_id
    raise KeyError(act)


def _editor(found: Scenario, graph: Graph, opened: str = "") -> dict[str, Any]:
    names = Names.of(graph)
    steps = _steps(graph, names, None)
    problems = services.problems(graph)
    for step in steps:
        step["form"] = form_of(step["node"])
        step["problems"] = [problem.text for problem in problems if problem.node == step["node"].id]
        step["open"] = step["node"].id == opened
        step["removable"] = bool(step["ways"])
    return {
        "scenario": found,
        "seen": services.revision(found),
        "entry": names.entry(graph),
        "entry_form": EntryForm(initial=graph.entry.model_dump(), prefix="entry"),
        "entry_type": graph.entry.type,
        "entry_problems": [problem.text for problem in problems if not problem.node],
        "entry_open": opened == ENTRY,
        "steps": steps,
        "types": [(key, label, rules.ICONS[key]) for key, label in rules.TYPES.items()],
        "problem_count": len(problems),
        "graph": _drawing(graph, names, None),
        "rows_drawn": max(row for _column, row in rules.layout(graph).values()) + 1,
    }


def _put_faulty(context: dict[str, Any]) -> None:
    """Show a form that was refused with its errors, in the place of the one that would stand there."""
    form = context.get("faulty")
    if form is None:
        return
    if form.prefix == "entry":
        context["entry_form"], context["entry_open"] = form, True
    for step in context["steps"]:
        if step["node"].id == form.prefix:
            step["form"], step["open"] = form, True


@require_POST
@access(MARKETING)
def scenario_rename(request: Request, scenario_id: int) -> HttpResponse:
    form = NameForm(request.POST)
    if form.is_valid():
        services.rename(scenario_id, form.cleaned_data["name"], now=request.now)
    else:
        messages.warning(request, _("名前を入れてください。"))
    return redirect("scenario_edit", scenario_id)


# -- running -----------------------------------------------------------------------------------------------------


@access(MARKETING)
def scenario_publish(request: Request, scenario_id: int) -> HttpResponse:
    """What would be published, what is in the way, and how many would enter at once; then publish."""
    found = _get(scenario_id)
    graph = services.draft_of(found)
    problems = services.problems(graph)
    if request.method == "POST" and not problems:
        try:
            version = services.publish(
                found.id, now=request.now, user_id=request.user.id, take_in=request.POST.get("take_in") == "1"
            )
        except services.NotPublishableError as error:
            problems = error.problems
        else:
            messages.success(request, _("第%(n)s版を公開しました。") % {"n": version.number})
            return redirect("scenario", found.id)
    names = Names.of(graph)
    titles = {step["node"].id: f"{step['number']}. {step['title']}" for step in _steps(graph, names, None)}
    context = {
        "scenario": found,
        "entry": names.entry(graph),
        "again": graph.entry.re_entry == "per_fact",
        "steps": _steps(graph, names, None),
        "problems": [(titles.get(problem.node, _("入口と全体")), problem.text) for problem in problems],
        "number": (found.version.number if found.version else 0) + 1,
        "by_segment": graph.entry.type == "segment",
        "would_enter": 0 if problems else services.would_enter(found.id, graph),
        "totals": services.totals().get(found.id, services.Totals()),
    }
    return render(request, "nurture/scenarios/publish.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@access(MARKETING)
def scenario_turn(request: Request, scenario_id: int, act: str) -> HttpResponse:
    """Pause, resume or stop, and say what that means in numbers."""
    inside = services.totals().get(scenario_id, services.Totals()).inside
    get_object_or_404(Scenario, id=scenario_id)
    if act == "pause" and services.pause(scenario_id, request.now):
        messages.success(
            request, _("一時停止しました。進行中の %(n)s 名は、いまの場所で待ちます。") % {"n": f"{inside:,}"}
        )
    elif act == "resume" and services.resume(scenario_id, now=request.now):
        messages.success(request, _("再開しました。%(n)s 名が続きから進みます。") % {"n": f"{inside:,}"})
    elif act == "stop" and services.stop(scenario_id, request.now):
        messages.success(
            request, _("停止しました。進行中の %(n)s 名は外れ、以後のメールは送られません。") % {"n": f"{inside:,}"}
        )
    else:
        messages.warning(request, _("すでに状態が変わっています。最新の内容を表示しています。"))
        return redirect("scenario", scenario_id)
    return redirect("scenario", scenario_id)


# -- people ------------------------------------------------------------------------------------------------------


@access(EVERYONE)
def scenario_people(request: Request, scenario_id: int, number: int) -> HttpResponse:
    """The people at one node of a version (`node`), or those who have come through (`node=through`); keyset pages."""
    found = _get(scenario_id)
    version = get_object_or_404(found.scenarioversion_set, number=number)
    graph = Graph.model_validate(version.graph)
    counts = services.node_counts(version)
    places = _places(graph, counts)
    chosen = request.GET.get("node") or max(places, key=lambda place: place["here"])["id"]
    after = keyset.read(request.GET.get("after"), datetime, int)
    if request.GET.get("after") and not after:
        raise BadRequest("after")
    if chosen == "through":
        rows = services.people_through(found.id, after)
        last = ("at", "id")
    else:
        rows = services.people_at(version.id, chosen, after)
        last = ("due_at", "lead_id")
    rows, following = keyset.page(rows, *last)
    context = {
        "scenario": found,
        "version": version,
        "places": places,
        "chosen": chosen,
        "through": chosen == "through",
        "totals": services.totals().get(found.id, services.Totals()),
        "rows": rows,
        "next": following,
    }
    return render(request, "nurture/scenarios/people.html", context)


def _places(graph: Graph, counts: services.NodeCounts) -> list[dict[str, Any]]:
    names = Names.of(graph)
    places = [{"id": ENTRY, "title": _("入口"), "here": counts.here[ENTRY]}]
    places += [
        {"id": node.id, "title": names.title(node), "here": counts.here[node.id]}
        for node in drafts.in_order(graph)
        if isinstance(node, rules.Wait | Branch)
    ]
    return places


# -- test run ----------------------------------------------------------------------------------------------------


@require_GET
@access(MARKETING)
def scenario_try(request: Request, scenario_id: int) -> HttpResponse:
    """One lead's way through the draft, waits skipped; nothing is written, nothing is sent."""
    found = _get(scenario_id)
    graph = services.draft_of(found)
    problems = services.problems(graph)
    query = request.GET.get("q", "").strip()
    lead = _lead(request.GET.get("lead"))
    choices = {key[3:]: str(value) for key, value in request.GET.items() if key.startswith("at_")}
    way = rehearse(graph, lead.lead_id, choices, request.now) if lead and not problems else []
    context = {
        "scenario": found,
        "problems": problems,
        "query": query,
        "found": _search(query) if not lead else [],
        "lead": lead,
        "way": [
            {"stop": stop, "icon": rules.ICONS[stop.node.type], "ways": _other_ways(stop, request)} for stop in way
        ],
        "entry": Names.of(graph).entry(graph),
    }
    return render(request, "nurture/scenarios/try.html", context)


def _other_ways(stop: Any, request: Request) -> list[dict[str, Any]]:
    if not isinstance(stop.node, Branch):
        return []
    ways = []
    for name in ("yes", "no"):
        query = request.GET.copy()
        query[f"at_{stop.node.id}"] = name
        ways.append({"label": EXITS[name], "url": f"?{query.urlencode()}", "taken": stop.exit == name})
    return ways


def _lead(value: str | None) -> Lead | None:
    found = leads.one(int(value)) if value and value.isdecimal() else None
    return found if found and found.known_at else None


def _search(query: str) -> list[dict[str, Any]]:
    return lead_list.page(lead_list.Filters(q=query), size=10).cards


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
