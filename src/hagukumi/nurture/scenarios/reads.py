"""What screens read of scenarios: the list, drafts and versions, live counts, people on their way."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import ValidationError

from hagukumi.kit import keyset
from hagukumi.ledger.uses import Use

from . import kinds, places, published, rules
from .models import Scenario, ScenarioVersion
from .queries import SQL
from .rules import ENTRY, Graph, Problem

PAGE = keyset.PAGE_SIZE
ORDER = ("running", "paused", "draft", "stopping", "stopped")


def every() -> list[Scenario]:
    """Every scenario with the version in force: those at work first, then the last changed first."""
    rows = list(Scenario.objects.select_related("version").order_by("-updated_at"))
    return sorted(rows, key=lambda row: ORDER.index(row.state))


def one(scenario_id: int) -> Scenario | None:
    """A scenario with the version in force; None where there is none of this id."""
    return Scenario.objects.select_related("version").filter(id=scenario_id).first()


def versions(scenario_id: int) -> list[ScenarioVersion]:
    """Its versions with who published them, the newest first."""
    found = ScenarioVersion.objects.filter(scenario_id=scenario_id).select_related("published_by")
    return list(found.order_by("-number"))


def version(scenario_id: int, number: int) -> ScenarioVersion | None:
    return ScenarioVersion.objects.filter(scenario_id=scenario_id, number=number).first()


def graph_of(found: ScenarioVersion) -> Graph:
    return Graph.model_validate(found.graph)


def draft_of(scenario: Scenario) -> Graph:
    """The graph being edited."""
    try:
        return Graph.model_validate(scenario.draft)
    except ValidationError:
        return rules.empty()


def in_force(scenario: Scenario) -> Graph:
    """The graph of the version in force; of the draft while there is none."""
    return graph_of(scenario.version) if scenario.version else draft_of(scenario)


def revision(scenario: Scenario) -> str:
    """Changes whenever the draft does."""
    return hashlib.blake2b(json.dumps(scenario.draft, sort_keys=True).encode(), digest_size=8).hexdigest()


def is_changed(scenario: Scenario) -> bool:
    """Whether the draft differs from the version in force."""
    return scenario.version is None or scenario.version.graph != scenario.draft


def problems(graph: Graph) -> list[Problem]:
    """All that stands in the way of publishing: the graph's own faults, and things it names that are not there."""
    return rules.problems(graph) + rules.missing(graph, graph.names())


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The scenarios at work, or with people still inside, that need this definition."""
    found = {
        one.scenario_id: one.name
        for one in published.live()
        for part in one.graph.parts()
        if any((ref.table, ref.id) == (table, object_id) for ref in part.points_to())
    }
    for scenario_id, name in sorted(found.items()):
        yield Use("シナリオ", "scenario", name, f"/scenarios/{scenario_id}/")


# -- figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """People: ever entered, inside now, came to an end, taken out by a stop."""

    entered: int = 0
    done: int = 0
    stopped: int = 0

    @property
    def inside(self) -> int:
        return self.entered - self.done - self.stopped


def totals() -> dict[int, Totals]:
    """Per scenario that anybody has entered. Cost follows the graphs, not the people."""
    return {row.pop("scenario_id"): Totals(**row) for row in SQL.totals.rows()}


def totals_of(scenario_id: int) -> Totals:
    return totals().get(scenario_id, Totals())


@dataclass(frozen=True)
class NodeCounts:
    """`here`: people at the node now (at an end: arrived ever); `left`: by exit, how many have left it."""

    here: Mapping[str, int]
    left: Mapping[tuple[str, str], int]

    def edges(self) -> dict[str, int]:
        """How many have gone each way, by the name of the drawn edge (`node-exit`)."""
        return {f"{node}-{name}": count for (node, name), count in self.left.items()}


def node_counts(found: ScenarioVersion) -> NodeCounts:
    """Live counts of one version, as the tick keeps them."""
    rows = SQL.counts.rows({"version_ids": [found.id]})
    left = {(row["node"], row["exit"]): row["count"] for row in rows}
    return NodeCounts(places.standing(graph_of(found), left), left)


def would_enter(scenario_id: int, graph: Graph) -> int:
    """How many present members would be taken in if the graph were published now; 0 where nobody can be."""
    if graph.entry.present is None:
        return 0
    params = {"segment_id": graph.entry.present, "scenario_id": scenario_id, "once": graph.entry.once}
    return int(SQL.would_enter.value(params))


# -- people ------------------------------------------------------------------------------------------------------


def people_at(version_id: int, node: str, after: tuple[datetime, int] | None = None) -> list[dict[str, Any]]:
    """One page and one row more of the people at a node, who moves on first first. `after`: last (due_at, lead_id)."""
    page: sql.Composable = sql.SQL("true")
    if after:
        page = sql.SQL("(e.due_at, e.lead_id) > ({}, {})").format(sql.Literal(after[0]), sql.Literal(after[1]))
    return SQL.people_at.rows({"version_id": version_id, "node": node, "limit": PAGE + 1}, after=page)


def people_through(scenario_id: int, before: tuple[datetime, int] | None = None) -> list[dict[str, Any]]:
    """One page and one row more of those whose way has ended, newest first. `before`: last (at, id)."""
    page: sql.Composable = sql.SQL("true")
    if before:
        page = sql.SQL("(a.at, a.id) < ({}, {})").format(sql.Literal(before[0]), sql.Literal(before[1]))
    params = {"scenario_id": scenario_id, "kind": kinds.SCENARIO_ENDED.code, "limit": PAGE + 1}
    return SQL.people_through.rows(params, before=page)


def of_lead(lead_id: int) -> list[dict[str, Any]]:
    """The scenarios a person is or was in: name, state, `place` (the node in words), since, due; present ones first."""
    rows = SQL.of_lead.rows({"lead_id": lead_id})
    found = ScenarioVersion.objects.in_bulk({row["version_id"] for row in rows})
    for row in rows:
        graph = graph_of(found[row["version_id"]])
        row["place"] = _("入口") if row["node"] == ENTRY else rules.title(graph.node(row["node"]), graph.names())
    return rows
