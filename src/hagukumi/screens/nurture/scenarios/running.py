"""シナリオの公開・一時停止・再開・停止."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.nurture.scenarios import reads, rules, services
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.rules import Graph, Problem
from hagukumi.screens.shell.access import MARKETING, Request, access

from .drawing import get, steps


@access(MARKETING)
def scenario_publish(request: Request, scenario_id: int) -> HttpResponse:
    """What would be published, what is in the way, and how many would enter at once; then publish."""
    found = get(scenario_id)
    graph = reads.draft_of(found)
    if request.method != "POST":
        return _confirm(request, found, graph, reads.problems(graph))
    take_in = request.POST.get("take_in") == "1"
    try:
        version = services.publish(found.id, now=request.now, user_id=request.user.id, take_in=take_in)
    except services.NotPublishableError as error:
        return _confirm(request, found, graph, error.problems)
    messages.success(request, _("第%(n)s版を公開しました。") % {"n": version.number})
    return redirect("scenario", found.id)


def _confirm(request: Request, found: Scenario, graph: Graph, problems: list[Problem]) -> HttpResponse:
    names = graph.names()
    shown = steps(graph, names)
    titles = {step["node"].id: f"{step['number']}. {rules.title(step['node'], names)}" for step in shown}
    context = {
        "scenario": found,
        "entry": graph.entry.says(names),
        "again": not graph.entry.once,
        "steps": shown,
        "problems": [(titles.get(problem.node, _("入口と全体")), problem.text) for problem in problems],
        "number": (found.version.number if found.version else 0) + 1,
        "by_segment": graph.entry.present is not None,
        "would_enter": 0 if problems else reads.would_enter(found.id, graph),
        "totals": reads.totals_of(found.id),
    }
    return render(request, "nurture/scenarios/publish.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@access(MARKETING)
def scenario_turn(request: Request, scenario_id: int, act: str) -> HttpResponse:
    """Pause, resume or stop, and say what that means in numbers."""
    get(scenario_id)
    inside = {"n": f"{reads.totals_of(scenario_id).inside:,}"}
    if act == "pause" and services.pause(scenario_id, request.now):
        messages.success(request, _("一時停止しました。進行中の %(n)s 名は、いまの場所で待ちます。") % inside)
    elif act == "resume" and services.resume(scenario_id, now=request.now):
        messages.success(request, _("再開しました。%(n)s 名が続きから進みます。") % inside)
    elif act == "stop" and services.stop(scenario_id, request.now):
        messages.success(request, _("停止しました。進行中の %(n)s 名は外れ、以後のメールは送られません。") % inside)
    else:
        messages.warning(request, _("すでに状態が変わっています。最新の内容を表示しています。"))
    return redirect("scenario", scenario_id)
