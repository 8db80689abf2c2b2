"""The scenarios' step of the beat: let people in, move everybody who is due or whom a fact has freed. All set-based.

The number of statements follows the graphs, never the number of people; an idle step asks two questions of the index.

Worked through, for a scenario mail -> wait a day -> clicked within two days? -> tag -> end:

    beat   what happens                          leg (from: passed -> to)      written
    0      the segment takes Sato in             door: mail -> wait            a mail is queued, due in a day
    +1d    the wait is over                      wait: -> question             due in two days, at its `no`
    +1d2h  Sato clicks; the fact is in `touched` question by yes: tag -> end   a tag, "step" and "ended" in the ledger
"""

from datetime import datetime
from typing import Any

from psycopg import sql

from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.ledger import definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause, concern

from . import kinds
from .published import Live, live
from .queries import SQL
from .rules import ENTRY
from .travel import Cut, Tick, leave, note

MOVES = 50_000
"""People that move in one beat at most; the others follow in the next."""
TAKE_IN = 20_000
"""Present members looked at in one beat when a scenario takes them in."""
LAST = 2**63 - 1


def step(now: datetime, moves: int = MOVES) -> int:
    """Everything scenarios do in one beat; returns how many people entered or moved.

    In this order, because each may make work for the next: who enters stands at the door, due at once; who is freed by
    a fact goes by `yes` before the time that has come in the same beat would send them by `no`.
    """
    versions = live()
    if not versions:
        return 0
    touched = ledger.touched_kinds()
    running = {version.version_id: version for version in versions if version.state == "running"}
    if not touched and not any(version.has_errands for version in versions) and not _due(running, now):
        return 0
    SQL.open_stepped.run()
    SQL.clear_stepped.run()
    tick = Tick(now, moves, definitions.turn("scenario", now))
    _enrol(tick, [version for version in versions if version.lets_in], touched)
    for version in versions:
        if version.lets_in and version.take_in_after is not None:
            _take_in(tick, version)
    _drain(tick, [version for version in versions if version.state == "stopping"])
    # one that is set aside still lets people in, as a paused one does: only its way on is broken
    running = {key: version for key, version in running.items() if not tick.turn.skips(version.scenario_id)}
    if touched:
        _free_touched(tick, running, touched)
    _move_due(tick, running)
    tick.keep_counts()
    return tick.changed


# -- in ----------------------------------------------------------------------------------------------------------


def _enrol(tick: Tick, open_doors: list[Live], touched: frozenset[int]) -> None:
    """Let in whom a fact of this beat opens a door for: one statement for all doors."""
    doors = [(version.graph.entry, version) for version in open_doors if version.graph.entry.opens.code in touched]
    if not doors:
        return
    entered = SQL.enrol.rows(
        {
            "kinds": [door.opens.code for door, _version in doors],
            "object_ids": [door.object for door, _version in doors],
            "scenario_ids": [version.scenario_id for _door, version in doors],
            "version_ids": [version.version_id for _door, version in doors],
            "once": [door.once for door, _version in doors],
            "now": tick.now,
            "kind": kinds.SCENARIO_ENTERED.code,
        }
    )
    for row in entered:
        tick.count(row["version_id"], [(ENTRY, "in")], row["count"])


def _take_in(tick: Tick, version: Live) -> None:
    """Let in the next present members of the entry's segment; how far we are is kept, so a restart loses nobody."""
    row = SQL.take_in.row(
        {
            "segment_id": version.graph.entry.present or 0,
            "scenario_id": version.scenario_id,
            "version_id": version.version_id,
            "after": version.take_in_after,
            "limit": TAKE_IN,
            "once": version.graph.entry.once,
            "now": tick.now,
            "kind": kinds.SCENARIO_ENTERED.code,
        }
    )
    assert row is not None
    SQL.keep_take_in.run({"scenario_id": version.scenario_id, "after": row["last"]})
    tick.count(version.version_id, [(ENTRY, "in")], row["count"])


# -- on ----------------------------------------------------------------------------------------------------------


def _free_touched(tick: Tick, running: dict[int, Live], touched: frozenset[int]) -> None:
    """People at a question to whom something has happened leave by `yes` as soon as the answer is yes.

    Asked in two steps, because most facts concern nobody who waits: first which of the questions that may have heard
    of such a fact have one of its people standing there (one statement for all of them), and only of those the answer.
    """
    heard = {
        (version.version_id, node_id): found
        for version in running.values()
        for node_id, found in _asked(tick, version)
        if any(cause.kinds & touched for cause in found)
    }
    if not heard:
        return
    met = SQL.touched_branches.rows(
        {"version_ids": [version_id for version_id, _node in heard], "nodes": [node for _version, node in heard]},
        concerned=concern(cause for found in heard.values() for cause in found),
    )
    for row in met:
        version = running[row["version_id"]]
        node = version.graph.node(row["node"])
        waiting = _WAITING_TOUCHED.format(
            concerned=concern(heard[version.version_id, node.id]),
            scenario_id=sql.Literal(version.scenario_id),
            version_id=sql.Literal(version.version_id),
            node=sql.Literal(node.id),
        )
        with tick.apart(version):
            leave(tick, version, "yes", node, node.passing(waiting, tick.now), cut=None)


def _asked(tick: Tick, version: Live) -> list[tuple[str, tuple[Cause, ...]]]:
    """(node, the facts that can answer its question); none where a condition cannot be read: it is set aside for that.

    Set aside by hand rather than by an attempt: an attempt that ends well would take back in a scenario that is set
    aside for something else, only because its questions can be read.
    """
    try:
        return [(node.id, node.causes()) for node in version.questions()]
    except ConditionError as error:
        tick.turn.set_aside(version.scenario_id, error)
        return []


# OFFSET 0 keeps the enrolments of the batch a probe of the primary key per person: a version's index, which the planner
# may think better with stale statistics, would read everybody who stands at the node.
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


def _due(running: dict[int, Live], now: datetime) -> list[dict[str, Any]]:
    """The (version_id, node) at which somebody is due."""
    places = [(version.version_id, node) for version in running.values() for node in version.resting_places()]
    return SQL.due_nodes.rows({"version_ids": [key for key, _ in places], "nodes": [n for _, n in places], "now": now})


def _move_due(tick: Tick, running: dict[int, Live]) -> None:
    """Everybody whose time has come leaves: a wait by `next`, a question by `yes` where the answer is, else by `no`."""
    for row in _due(running, tick.now):
        version = running[row["version_id"]]
        if tick.room > 0 and not tick.turn.skips(version.scenario_id):
            with tick.apart(version):
                _leave_due(tick, version, row["node"])


def _leave_due(tick: Tick, version: Live, node_id: str) -> None:
    """Those due at one node, as many as may still move.

    Both exits share one cut: it says who belongs to this beat's share of the crowd. Counted again for `no`, after some
    have left by `yes`, it would reach further, and people would leave by `no` whose answer nobody has asked for.
    """
    at = {"version_id": version.version_id, "node": node_id, "now": tick.now}
    found = SQL.cut_due.row({**at, "limit": tick.room})
    cut = Cut(**found) if found else Cut(tick.now, LAST)
    node = None if node_id == ENTRY else version.graph.node(node_id)
    if node is not None and node.asks:
        waiting = _WAITING_DUE.format(
            version_id=sql.Literal(version.version_id), node=sql.Literal(node_id),
            cut_at=sql.Literal(cut.due_at), cut_lead=sql.Literal(cut.lead_id),
        )  # fmt: skip
        leave(tick, version, "yes", node, node.passing(waiting, tick.now), cut=None)
    leave(tick, version, node.late if node else "next", node, cut=cut)


# -- out ---------------------------------------------------------------------------------------------------------


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
                tick.count(version.version_id, [(node, "stopped")], gone)
                note(tick, version, tick.legs, kinds.SCENARIO_ENDED.code, {"node": node, "stopped": True})
        SQL.close_stopped.run({"scenario_id": version.scenario_id})
