"""Verbs of the scenarios: edit, publish, pause, resume, stop. What happens by itself is in `tick`."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.ledger import definitions

from . import places, reads, rules
from .models import Scenario, ScenarioVersion
from .published import causes
from .queries import SQL
from .rules import Graph, Problem
from .tick import step

__all__ = ["causes", "step"]


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
    with transaction.atomic():
        made = Scenario.objects.create(name=name, draft=draft, created_at=now, updated_at=now)
        audit.record("scenario.created", "scenario", made.id, now, name=name)
    return made


def save_draft(scenario_id: int, graph: Graph, *, seen: str, now: datetime) -> Scenario:
    """Store an edited graph. `seen` is `revision` of what the editor read; ConflictError where it has changed since.

    A draft concerns nobody until it is published, and it is kept with every keystroke's change: the audit log tells of
    the publishing.
    """
    with transaction.atomic():
        scenario = _locked(scenario_id)
        if reads.revision(scenario) != seen:
            raise ConflictError(scenario)
        scenario.draft, scenario.updated_at = graph.stored(), max(now, scenario.updated_at)
        scenario.save(update_fields=["draft", "updated_at"])
    return scenario


def rename(scenario_id: int, name: str, *, now: datetime) -> None:
    with transaction.atomic():
        scenario = _locked(scenario_id)
        if scenario.name == name:
            return
        before, scenario.name = scenario.name, name
        scenario.save(update_fields=["name"])
        audit.record("scenario.renamed", "scenario", scenario_id, now, name=name, changes={"name": (before, name)})


def _locked(scenario_id: int) -> Scenario:
    return Scenario.objects.select_for_update(of=("self",)).get(id=scenario_id)


# -- running -----------------------------------------------------------------------------------------------------


def publish(scenario_id: int, *, now: datetime, user_id: int | None = None, take_in: bool = False) -> ScenarioVersion:
    """Make the draft an immutable version and put it in force: who enters from now on follows it.

    People already inside stay on their version. A paused scenario stays paused. `take_in`: members who are in the
    entry segment already enter too, over the next beats. NotPublishableError where the draft may not run.
    """
    with transaction.atomic():
        scenario = _locked(scenario_id)
        graph = reads.draft_of(scenario)
        found = reads.problems(graph)
        if scenario.state == "stopping":
            found.append(Problem("", _("停止の処理中です。終わってから公開してください。")))
        if found:
            raise NotPublishableError(found)
        version = _next_version(scenario, graph, now, user_id)
        scenario.version = version
        scenario.state = "paused" if scenario.state == "paused" else "running"
        scenario.take_in_after = 0 if take_in and graph.entry.present is not None else None
        scenario.updated_at = now
        scenario.save()
        definitions.reinstate("scenario", scenario_id)
        facts: dict[str, Any] = {"name": scenario.name, "version": version.number, "take_in": take_in}
        audit.record("scenario.published", "scenario", scenario_id, now, **facts)
    return version


def _next_version(scenario: Scenario, graph: Graph, now: datetime, user_id: int | None) -> ScenarioVersion:
    last = scenario.scenarioversion_set.order_by("-number").first()
    return ScenarioVersion.objects.create(
        scenario=scenario,
        number=last.number + 1 if last else 1,
        graph=graph.stored(),
        layout=places.layout(graph),
        published_at=now,
        published_by_id=user_id,
    )


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
    """Facts of the pause were not looked at: whoever a question is answered for by now is due at once."""
    for node in reads.graph_of(version).nodes:
        if node.asks:
            at = {"version_id": version.id, "scenario_id": version.scenario_id, "node": node.id, "now": now}
            waiting = _WAITING.format(version_id=sql.Literal(version.id), node=sql.Literal(node.id))
            SQL.hurry_branch.run(at, who=node.passing(waiting, now))


def _find_slots(version: ScenarioVersion, now: datetime) -> None:
    """Whoever missed a slot during the pause is due at the next one, not at whatever hour somebody resumes."""
    for node in reads.graph_of(version).nodes:
        if slot := node.next_slot(now):
            SQL.miss_slot.run({"version_id": version.id, "node": node.id, "now": now, "slot": slot})


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
