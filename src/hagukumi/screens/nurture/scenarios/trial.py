"""シナリオを試しに通す: one lead's way through the draft; nothing is written, nothing is sent."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hagukumi.nurture.scenarios import reads
from hagukumi.nurture.scenarios.rehearsal import Stop, rehearse
from hagukumi.overview.leads import reads as lead_list
from hagukumi.people.leads import reads as leads
from hagukumi.people.leads.models import Lead
from hagukumi.screens.shell.access import MARKETING, Request, access

from .drawing import EXITS, get


@require_GET
@access(MARKETING)
def scenario_try(request: Request, scenario_id: int) -> HttpResponse:
    """Choose a lead, then follow its way, waits skipped; at a question another answer can be chosen."""
    found = get(scenario_id)
    graph = reads.draft_of(found)
    problems = reads.problems(graph)
    query = request.GET.get("q", "").strip()
    lead = _lead(request.GET.get("lead"))
    choices = {key[3:]: str(value) for key, value in request.GET.items() if key.startswith("at_")}
    way = rehearse(graph, lead.lead_id, choices, request.now) if lead and not problems else []
    context = {
        "scenario": found,
        "problems": problems,
        "query": query,
        "found": lead_list.page(lead_list.Filters(q=query), size=10).cards if not lead else [],
        "lead": lead,
        "way": [{"stop": stop, "icon": stop.node.icon, "ways": _other_ways(stop, request)} for stop in way],
        "entry": graph.entry.says(graph.names()),
    }
    return render(request, "nurture/scenarios/try.html", context)


def _other_ways(stop: Stop, request: Request) -> list[dict[str, Any]]:
    if not stop.node.asks:
        return []
    ways = []
    for name in stop.node.exits():
        query = request.GET.copy()
        query[f"at_{stop.node.id}"] = name
        ways.append({"label": EXITS[name], "url": f"?{query.urlencode()}", "taken": stop.exit == name})
    return ways


def _lead(value: str | None) -> Lead | None:
    found = leads.one(int(value)) if value and value.isdecimal() else None
    return found if found and found.known_at else None
