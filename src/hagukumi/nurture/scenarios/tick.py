"""The scenarios' step of the beat: let people in, move everybody who is due or whom a fact has freed. All set-based.

The number of statements follows the graphs, never the number of people; an idle step asks two questions of the index.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql

from hagukumi.channels.mail import services as messages
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.judge.phases import services as phases
from hagukumi.judge.segments import kinds as segment_kinds
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.ledger import definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause, concern
from hagukumi.people.leads import services as leads
from hagukumi.sales.handovers import services as handovers

from . import kinds, rules
from .behaviour import branch_causes, passing
from .queries import SQL
from .rules import ENTRY, AnyNode, Branch, Graph, Leg

MOVES = 50_000
"""People that move in one beat at most; the others follow in the next."""
TAKE_IN = 20_000
"""Present members looked at in one beat when a scenario takes them in."""
LAST = 2**63 - 1


@dataclass(frozen=True)
class Live:
    """A version that may have work in this beat."""

    version_id: int
    scenario_id: int
    name: str
    state: str
    current: bool
    take_in_after: int | None
    graph: Graph

    @property
    def has_errands(self) -> bool:
        """Whether there is something to do here without a fact or a due time."""
        return self.state == "stopping" or (self.current and self.take_in_after is not None)

    def branches(self) -> list[Branch]:
        return [node for node in self.graph.nodes if isinstance(node, Branch)]

    def resting_places(self) -> list[str]:
        """Where people can stand: the door, waits and branches."""
        return [ENTRY, *(node.id for node in self.graph.nodes if isinstance(node, rules.Wait | Branch))]


@dataclass
class Tick:
    """One step under way: its legs so far, what has left which node, and how many may still move."""

    now: datetime
    room: int
    turn: definitions.Turn
    legs: int = 0
    changed: int = 0
    left: Counter[tuple[int, str, str]] = field(default_factory=Counter)


def step(now: datetime, moves: int = MOVES) -> int:
    """Everything scenarios do in one beat; returns how many people entered or moved."""
    versions = _live()
    if not versions:
        return 0
    touched = ledger.touched_kinds()
    running = {version.version_id: version for version in versions if version.state == "running"}
    if not touched and not any(version.has_errands for version in versions) and not _due(running, now):
        return 0
    SQL.open_stepped.run()
    SQL.clear_stepped.run()
    tick = Tick(now, moves, definitions.turn("scenario", now))
    if touched & {segment_kinds.SEGMENT_ENTERED.code, form_kinds.FORM_SUBMITTED.code}:
        _enrol(tick, versions)
    for version in versions:
        if version.current and version.take_in_after is not None and version.state != "stopping":
            _take_in(tick, version)
    _drain(tick, [version for version in versions if version.state == "stopping"])
    running = {key: version for key, version in running.items() if not tick.turn.skips(version.scenario_id)}
    if touched:
        _free_touched(tick, running, touched)
    _move_due(tick, running)
    _keep_counts(tick)
    return tick.changed


# -- what is live ------------------------------------------------------------------------------------------------

_graphs: dict[int, Graph] = {}
"""Published graphs by version: they never change, so they are read once a process."""


def _live() -> list[Live]:
    rows = SQL.live_versions.rows()
    if unknown := [row["version_id"] for row in rows if row["version_id"] not in _graphs]:
        for row in SQL.graphs.rows({"version_ids": unknown}):
            graph = json.loads(row["graph"]) if isinstance(row["graph"], str) else row["graph"]
            _graphs[row["version_id"]] = Graph.model_validate(graph)
    return [Live(**row, graph=_graphs[row["version_id"]]) for row in rows]


def causes() -> Iterator[Cause]:
    """The facts that open a door or free somebody at a branch, by the versions that people are on or may enter."""
    for version in _live():
        if version.current:
            kind, object_id = _door(version.graph)
            yield Cause(frozenset({kind}), sql.SQL("object_id = {}").format(sql.Literal(object_id)))
        for branch in version.branches():
            with suppress(ConditionError):
                yield from branch_causes(branch)


# -- in ----------------------------------------------------------------------------------------------------------


def _enrol(tick: Tick, versions: list[Live]) -> None:
    doors = [
        (*_door(version.graph), version) for version in versions if version.current and version.state != "stopping"
    ]
    entered = SQL.enrol.rows(
        {
            "kinds": [kind for kind, _object, _version in doors],
            "object_ids": [object_id for _kind, object_id, _version in doors],
            "scenario_ids": [version.scenario_id for _kind, _object, version in doors],
            "version_ids": [version.version_id for _kind, _object, version in doors],
            "once": [version.graph.entry.re_entry == "never" for _kind, _object, version in doors],
            "now": tick.now,
            "kind": kinds.SCENARIO_ENTERED.code,
        }
    )
    for row in entered:
        _count(tick, row["version_id"], [(ENTRY, "in")], row["count"])


def _door(graph: Graph) -> tuple[int, int]:
    """(kind of fact, its object) that lets people in."""
    if isinstance(graph.entry, rules.SegmentEntry):
        return segment_kinds.SEGMENT_ENTERED.code, graph.entry.segment_id or 0
    return form_kinds.FORM_SUBMITTED.code, graph.entry.form_id or 0


def _take_in(tick: Tick, version: Live) -> None:
    entry = version.graph.entry
    row = SQL.take_in.row(
        {
            "segment_id": entry.segment_id if isinstance(entry, rules.SegmentEntry) else 0,
            "scenario_id": version.scenario_id,
            "version_id": version.version_id,
            "after": version.take_in_after,
            "limit": TAKE_IN,
            "once": entry.re_entry == "never",
            "now": tick.now,
            "kind": kinds.SCENARIO_ENTERED.code,
        }
    )
    assert row is not None
    SQL.keep_take_in.run({"scenario_id": version.scenario_id, "after": row["last"]})
    _count(tick, version.version_id, [(ENTRY, "in")], row["count"])


# -- on ----------------------------------------------------------------------------------------------------------


def _free_touched(tick: Tick, running: dict[int, Live], touched: set[int]) -> None:
    """People at a branch to whom something has happened leave by `yes` as soon as the test holds."""
    watching = {
        (version.version_id, branch.id): branch_causes(branch)
        for version in running.values()
        for branch in version.branches()
    }
    heard = {place: found for place, found in watching.items() if any(cause.kinds & touched for cause in found)}
    if not heard:
        return
    met = SQL.touched_branches.rows(
        {"version_ids": [version_id for version_id, _node in heard], "nodes": [node for _version, node in heard]},
        concerned=concern(cause for found in heard.values() for cause in found),
    )
    for row in met:
        version = running[row["version_id"]]
        branch = version.graph.node(row["node"])
        assert isinstance(branch, Branch)
        waiting = _WAITING_TOUCHED.format(
            concerned=concern(heard[version.version_id, branch.id]),
            scenario_id=sql.Literal(version.scenario_id),
            version_id=sql.Literal(version.version_id),
            node=sql.Literal(branch.id),
        )
        with _apart(tick, version):
            _travel(tick, version, "yes", branch, passing(branch, waiting, tick.now))


_WAITING_TOUCHED = sql.SQL(
    "SELECT e.lead_id, e.visit, e.entered_at FROM"
    " (SELECT DISTINCT lead_id FROM touched WHERE {concerned}) AS t"
    " CROSS JOIN LATERAL ("
    "SELECT * FROM enrollment WHERE lead_id = t.lead_id AND scenario_id = {scenario_id} OFFSET 0) AS e"
    " WHERE e.version_id = {version_id} AND e.node = {node} AND e.state = 'active'"
)
_WAITING_DUE = sql.SQL(
    "SELECT lead_id, visit, entered_at FROM enrollment"
    " WHERE version_id = {version_id} AND node = {node} AND state = 'active'"
    " AND due_at <= {cut_at} AND (due_at, lead_id) <= ({cut_at}, {cut_lead})"
)
_ARRIVED = sql.SQL("SELECT lead_id, visit, entered_at FROM stepped WHERE leg = {leg}")


def _due(running: dict[int, Live], now: datetime) -> list[dict[str, Any]]:
    """The (version_id, node) at which somebody is due."""
    places = [(version.version_id, node) for version in running.values() for node in version.resting_places()]
    return SQL.due_nodes.rows({"version_ids": [key for key, _ in places], "nodes": [n for _, n in places], "now": now})


def _move_due(tick: Tick, running: dict[int, Live]) -> None:
    """Everybody whose time has come leaves: a wait by `next`, a branch by `yes` where the test holds, else by `no`."""
    for row in _due(running, tick.now):
        version = running[row["version_id"]]
        if tick.room > 0:
            with _apart(tick, version):
                _leave_due(tick, version, row["node"])


@contextmanager
def _apart(tick: Tick, version: Live) -> Iterator[None]:
    """One scenario under a savepoint: where it breaks, it is set aside and the books are as they were before."""
    before = tick.left.copy(), tick.changed, tick.room
    whole = False
    with tick.turn.attempt(version.scenario_id):
        yield
        whole = True
    if not whole:
        tick.left, tick.changed, tick.room = before


def _leave_due(tick: Tick, version: Live, node_id: str) -> None:
    at = {"version_id": version.version_id, "node": node_id, "now": tick.now}
    cut = SQL.cut_due.row({**at, "limit": tick.room}) or {"due_at": tick.now, "lead_id": LAST}
    node = None if node_id == ENTRY else version.graph.node(node_id)
    if isinstance(node, Branch):
        waiting = _WAITING_DUE.format(
            version_id=sql.Literal(version.version_id), node=sql.Literal(node_id),
            cut_at=sql.Literal(cut["due_at"]), cut_lead=sql.Literal(cut["lead_id"]),
        )  # fmt: skip
        _travel(tick, version, "yes", node, passing(node, waiting, tick.now))
    _travel(tick, version, "no" if isinstance(node, Branch) else "next", node, cut=cut)


def _travel(
    tick: Tick,
    version: Live,
    exit_name: str,
    node: AnyNode | None,
    who: sql.Composable | None = None,
    *,
    cut: dict[str, Any] | None = None,
) -> None:
    """Move people along one leg: those of `who` (lead_id, visit), or those due up to `cut`; then on from there."""
    leg = rules.leg(version.graph, node.id if node else ENTRY, exit_name)
    number, moved = _move(tick, version, leg, who, cut)
    if not moved:
        return
    tick.room -= moved
    _count(tick, version.version_id, leg.left(), moved)
    _act(tick, version, leg, number)
    if isinstance(node, Branch):
        _note(tick, version, number, kinds.SCENARIO_STEP.code, {"node": node.id, "exit": exit_name})
    if isinstance(leg.rest, rules.End):
        _note(tick, version, number, kinds.SCENARIO_ENDED.code, {"node": leg.rest.id})
        tick.left[version.version_id, leg.rest.id, "done"] += moved
    if isinstance(leg.rest, Branch):
        arrived = _ARRIVED.format(leg=sql.Literal(number))
        _travel(tick, version, "yes", leg.rest, passing(leg.rest, arrived, tick.now))
        if not (leg.rest.days or leg.rest.hours):
            _travel(tick, version, "no", leg.rest, arrived)


def _move(
    tick: Tick, version: Live, leg: Leg, who: sql.Composable | None, cut: dict[str, Any] | None
) -> tuple[int, int]:
    """The one UPDATE of a leg; returns (its number in `stepped`, how many moved)."""
    tick.legs += 1
    ended = isinstance(leg.rest, rules.End)
    params = {
        "leg": tick.legs,
        "version_id": version.version_id,
        "scenario_id": version.scenario_id,
        "node": leg.source,
        "target": leg.rest.id,
        "target_due": rules.due_at(leg.rest, tick.now),
        "state": "done" if ended else "active",
        "ended_at": tick.now if ended else None,
        "now": tick.now,
    }
    if who is not None:
        return tick.legs, SQL.move_some.run(params, who=who)
    assert cut is not None
    return tick.legs, SQL.move_due.run({**params, "cut_at": cut["due_at"], "cut_lead": cut["lead_id"]})


def _act(tick: Tick, version: Live, leg: Leg, number: int) -> None:
    """What happens to people at the nodes they pass, in order; apart by hop, so that each chain keeps its count."""
    if not leg.passed:
        return
    hops = [row["hop"] for row in SQL.hops.rows({"leg": number})]
    for node in leg.passed:
        if isinstance(node, rules.Mail):
            _queue(tick, version, node, number)
            continue
        for hop in hops:
            people = _PEOPLE.format(leg=sql.Literal(number), hop=sql.Literal(hop))
            if isinstance(node, rules.MovePhase):
                phases.move_from(
                    people,
                    phase_id=node.phase_id or 0,
                    cause=phases.SCENARIO,
                    reason=version.name,
                    now=tick.now,
                    hop=hop,
                )
            elif isinstance(node, rules.AddTag):
                leads.tag_from(people, node.tag, now=tick.now, hop=hop)
            elif isinstance(node, rules.HandOver):
                handovers.hand_over_from(people, cause=version.name, now=tick.now, hop=hop)


_PEOPLE = sql.SQL("SELECT lead_id FROM stepped WHERE leg = {leg} AND hop = {hop}")
_MAILS = sql.SQL(
    "SELECT lead_id, {scenario} || visit || {node} AS occurrence, {now}::timestamptz AS due_at"
    " FROM stepped WHERE leg = {leg}"
)


def _queue(tick: Tick, version: Live, node: rules.Mail, number: int) -> None:
    """One mail each. Where the way can lead here again the occurrence names the moment: each time is a new mail."""
    again = f".{int(tick.now.timestamp())}" if node.id in rules.looping(version.graph) else ""
    mails = _MAILS.format(
        scenario=sql.Literal(f"s{version.scenario_id}."), node=sql.Literal(f".{node.id}{again}"),
        now=sql.Literal(tick.now), leg=sql.Literal(number),
    )  # fmt: skip
    messages.queue_from(mails, message_id=node.message_id or 0, now=tick.now, scenario_id=version.scenario_id)


# -- out, and the books ------------------------------------------------------------------------------------------


def _drain(tick: Tick, stopping: list[Live]) -> None:
    """Take the people of stopped scenarios out, a bounded number a beat."""
    for version in stopping:
        for node in version.resting_places():
            if tick.room <= 0:
                return
            tick.legs += 1
            at = {"version_id": version.version_id, "node": node, "limit": tick.room}
            if gone := SQL.exit_some.run({**at, "leg": tick.legs, "now": tick.now}):
                tick.room -= gone
                _count(tick, version.version_id, [(node, "stopped")], gone)
                _note(tick, version, tick.legs, kinds.SCENARIO_ENDED.code, {"node": node, "stopped": True})
        SQL.close_stopped.run({"scenario_id": version.scenario_id})


def _note(tick: Tick, version: Live, number: int, kind: int, details: dict[str, Any]) -> None:
    SQL.note_stepped.run(
        {
            "leg": number,
            "kind": kind,
            "scenario_id": version.scenario_id,
            "details": json.dumps(details),
            "now": tick.now,
        }
    )


def _count(tick: Tick, version_id: int, left: Iterable[tuple[str, str]], people: int) -> None:
    tick.changed += people
    for node, exit_name in left:
        tick.left[version_id, node, exit_name] += people


def _keep_counts(tick: Tick) -> None:
    rows = [(*key, count) for key, count in sorted(tick.left.items()) if count]
    if not rows:
        return
    version_ids, nodes, exits, counts = map(list, zip(*rows, strict=True))
    SQL.add_counts.run({"version_ids": version_ids, "nodes": nodes, "exits": exits, "counts": counts})
