"""Verbs of the scenarios: edit, publish, pause, resume, stop, look in. What happens by itself is in `tick`."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import ValidationError

from hagukumi.accounts import audit
from hagukumi.kit import keyset
from hagukumi.ledger import definitions

from . import kinds, rules
from .behaviour import passing
from .models import Scenario, ScenarioVersion
from .naming import Names
from .queries import SQL
from .rules import ENTRY, Branch, Graph, Problem, Wait
from .tick import causes, step

__all__ = ["causes", "step"]
PAGE = keyset.PAGE_SIZE


class ConflictError(ValueError):
    """Somebody else has changed the scenario since it was read; `theirs` is how it is now."""

    def __init__(self, theirs: Scenario) -> None:
        super().__init__(_("ほかの人が先に変更しました。最新の内容を表示しています。"))
        self.theirs = theirs


class NotPublishableError(ValueError):
    """The draft may not run; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" / ".join(problem.text for problem in problems))
        self.problems = problems


# -- editing -----------------------------------------------------------------------------------------------------


def create(name: str, *, now: datetime, graph: Graph | None = None) -> Scenario:
    """A new scenario, as a draft."""
    draft = (graph or rules.empty()).stored()
    return Scenario.objects.create(name=name, draft=draft, created_at=now, updated_at=now)


def draft_of(scenario: Scenario) -> Graph:
    """The graph being edited."""
    try:
        return Graph.model_validate(scenario.draft)
    except ValidationError:
        return rules.empty()


def save_draft(scenario_id: int, graph: Graph, *, seen: str, now: datetime) -> Scenario:
    """Store an edited graph. `seen` is `revision` of what the editor read; ConflictError where it has changed since."""
    with transaction.atomic():
        scenario = _locked(scenario_id)
        if revision(scenario) != seen:
            raise ConflictError(scenario)
        scenario.draft, scenario.updated_at = graph.stored(), max(now, scenario.updated_at)
        scenario.save(update_fields=["draft", "updated_at"])
    return scenario


def rename(scenario_id: int, name: str, *, now: datetime) -> None:
    Scenario.objects.filter(id=scenario_id).update(name=name)


def revision(scenario: Scenario) -> str:
    """Changes whenever the draft does."""
    return hashlib.blake2b(json.dumps(scenario.draft, sort_keys=True).encode(), digest_size=8).hexdigest()


def _locked(scenario_id: int) -> Scenario:
    return Scenario.objects.select_for_update(of=("self",)).get(id=scenario_id)


def problems(graph: Graph) -> list[Problem]:
    """All that stands in the way of publishing: the graph's own faults, and things it names that are not there."""
    return rules.problems(graph) + Names.of(graph).problems(graph)


def is_changed(scenario: Scenario) -> bool:
    """Whether the draft differs from the version in force."""
    return scenario.version is None or scenario.version.graph != scenario.draft


# -- running -----------------------------------------------------------------------------------------------------


def publish(scenario_id: int, *, now: datetime, user_id: int | None = None, take_in: bool = False) -> ScenarioVersion:
    """Make the draft an immutable version and put it in force: who enters from now on follows it.

    People already inside stay on their version. A paused scenario stays paused. `take_in`: members who are in the
    entry segment already enter too, over the next beats. NotPublishableError where the draft may not run.
    """
    with transaction.atomic():
        scenario = _locked(scenario_id)
        graph = draft_of(scenario)
        found = problems(graph)
        if scenario.state == "stopping":
            found.append(Problem("", _("停止の処理中です。終わってから公開してください。")))
        if found:
            raise NotPublishableError(found)
        last = scenario.scenarioversion_set.order_by("-number").first()
        version = ScenarioVersion.objects.create(
            scenario=scenario, number=last.number + 1 if last else 1, graph=graph.stored(), published_at=now,
            layout=rules.layout(graph), published_by_id=user_id,
        )  # fmt: skip
        scenario.version = version
        scenario.state = "paused" if scenario.state == "paused" else "running"
        by_segment = isinstance(graph.entry, rules.SegmentEntry)
        scenario.take_in_after = 0 if take_in and by_segment else None
        scenario.updated_at = now
        scenario.save()
        definitions.reinstate("scenario", scenario_id)
        audit.record(
            "scenario.published",
            "scenario",
            scenario_id,
            now,
            name=scenario.name,
            version=version.number,
            take_in=take_in,
        )
    return version


def pause(scenario_id: int, now: datetime) -> bool:
    """Hold everybody where they are. Who enters meanwhile is let in and held at the door. False if it did not run."""
    with transaction.atomic():
        done = bool(Scenario.objects.filter(id=scenario_id, state="running").update(state="paused"))
        if done:
            audit.record("scenario.pause", "scenario", scenario_id, now)
    return done


def resume(scenario_id: int, *, now: datetime) -> bool:
    """Go on: who became due during the pause, or did what a branch waits for, moves at the next beat.

    A wait for a slot (weekdays, an hour) that passed during the pause waits for the next one.
    """
    with transaction.atomic():
        scenario = _locked(scenario_id)
        definitions.reinstate("scenario", scenario_id)
        if scenario.state != "paused":
            return False
        for version in scenario.scenarioversion_set.all():
            _hurry(version, now)
            _find_slots(version, now)
        scenario.state = "running"
        scenario.save(update_fields=["state"])
        audit.record("scenario.resume", "scenario", scenario_id, now)
    return True


def _hurry(version: ScenarioVersion, now: datetime) -> None:
    """Facts of the pause were not looked at: whoever meets a branch's test by now is due at once."""
    for branch in Graph.model_validate(version.graph).nodes:
        if isinstance(branch, Branch):
            at = {"version_id": version.id, "scenario_id": version.scenario_id, "node": branch.id, "now": now}
            waiting = _WAITING.format(version_id=sql.Literal(version.id), node=sql.Literal(branch.id))
            SQL.hurry_branch.run(at, who=passing(branch, waiting, now))


def _find_slots(version: ScenarioVersion, now: datetime) -> None:
    """Whoever missed a wait's slot during the pause is due at its next one, not at whatever hour somebody resumes."""
    for wait in Graph.model_validate(version.graph).nodes:
        if isinstance(wait, Wait) and (wait.time or wait.weekdays):
            at = {"version_id": version.id, "node": wait.id, "now": now, "slot": rules.next_slot(now, wait)}
            SQL.miss_slot.run(at)


_WAITING = sql.SQL(
    "SELECT lead_id, visit, entered_at FROM enrollment WHERE version_id = {version_id} AND node = {node}"
    " AND state = 'active'"
)


def stop(scenario_id: int, now: datetime) -> bool:
    """End it: nobody enters any more; everybody inside is taken out over the next beats. False where it was over."""
    alive = Scenario.objects.filter(id=scenario_id, state__in=("running", "paused"))
    with transaction.atomic():
        done = bool(alive.update(state="stopping", take_in_after=None))
        if done:
            audit.record("scenario.stop", "scenario", scenario_id, now)
    return done


# -- looking in --------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class NodeCounts:
    """`here`: people at the node now (at an end: arrived ever); `left`: by exit, how many have left it."""

    here: dict[str, int]
    left: dict[tuple[str, str], int]


def node_counts(version: ScenarioVersion) -> NodeCounts:
    """Live counts of one version, as the tick keeps them."""
    rows = SQL.counts.rows({"version_ids": [version.id]})
    left = {(row["node"], row["exit"]): row["count"] for row in rows}
    return NodeCounts(rules.standing(Graph.model_validate(version.graph), left), left)


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
    versions = ScenarioVersion.objects.in_bulk({row["version_id"] for row in rows})
    for row in rows:
        graph = Graph.model_validate(versions[row["version_id"]].graph)
        row["place"] = _("入口") if row["node"] == ENTRY else Names.of(graph).title(graph.node(row["node"]))
    return rows


def would_enter(scenario_id: int, graph: Graph) -> int:
    """How many members of the entry segment would be taken in if the draft were published now; 0 for a form."""
    if not isinstance(graph.entry, rules.SegmentEntry) or graph.entry.segment_id is None:
        return 0
    once = graph.entry.re_entry == "never"
    params = {"segment_id": graph.entry.segment_id, "scenario_id": scenario_id, "once": once}
    return int(SQL.would_enter.value(params))
