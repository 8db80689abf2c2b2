"""People on their way: one leg at a time, each a single UPDATE, whatever the number of people.

A leg leaves a node by one exit, passes whatever is done at once, and ends where people come to stand. So a person is
only ever seen standing; who moved in a leg lies in the temporary table `stepped`, and what happens on the way is asked
of it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql

from hagukumi.ledger import definitions

from . import kinds, rules
from .nodes import Node, Passers
from .published import Live
from .queries import SQL
from .rules import ENTRY, Leg


@dataclass
class Tick:
    """One step under way: its legs so far, what has left which node, and how many may still move."""

    now: datetime
    room: int
    turn: definitions.Turn
    legs: int = 0
    changed: int = 0
    left: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def count(self, version_id: int, left: Iterable[tuple[str, str]], people: int) -> None:
        """So many people have left these (node, exit)."""
        self.changed += people
        for node, exit_name in left:
            self.left[version_id, node, exit_name] += people

    def keep_counts(self) -> None:
        """Add what has been counted to the books."""
        rows = [(*key, count) for key, count in sorted(self.left.items()) if count]
        if not rows:
            return
        version_ids, nodes, exits, counts = map(list, zip(*rows, strict=True))
        SQL.add_counts.run({"version_ids": version_ids, "nodes": nodes, "exits": exits, "counts": counts})

    @contextmanager
    def apart(self, version: Live) -> Iterator[None]:
        """One scenario under a savepoint: where it breaks, it is set aside and the books are as they were before.

        The savepoint takes the database back, but not what this object has counted meanwhile: kept, the figures of a
        scenario would speak of moves that never happened, and no later beat could put them right.
        """
        before = self.left.copy(), self.changed, self.room
        whole = False
        with self.turn.attempt(version.scenario_id):
            yield
            whole = True
        if not whole:
            self.left, self.changed, self.room = before


@dataclass(frozen=True)
class Cut:
    """The last one, in order of (due_at, lead_id), who moves in this beat: the rest of a large crowd follows later."""

    due_at: datetime
    lead_id: int


def leave(
    tick: Tick, version: Live, exit_name: str, node: Node | None, who: sql.Composable | None = None, *, cut: Cut | None
) -> None:
    """Move people off a node (None: the door): those of `who` (lead_id, visit), or those due up to `cut`; then on.

    Where a leg ends at a question, those who have answered it already go on within the same beat, and so may those
    after them: it ends because every circle of a graph passes a wait (`rules.problems`), which nobody leaves at once.
    """
    leg = rules.leg(version.graph, node.id if node else ENTRY, exit_name)
    number, moved = _move(tick, version, leg, who, cut)
    if not moved:
        return
    tick.room -= moved
    tick.count(version.version_id, leg.left(), moved)
    _act(tick, version, leg, number)
    if node is not None and node.asks:
        note(tick, version, number, kinds.SCENARIO_STEP.code, {"node": node.id, "exit": exit_name})
    if leg.rest.ends:
        note(tick, version, number, kinds.SCENARIO_ENDED.code, {"node": leg.rest.id})
        tick.left[version.version_id, leg.rest.id, "done"] += moved
    if leg.rest.asks:
        arrived = _ARRIVED.format(leg=sql.Literal(number))
        leave(tick, version, "yes", leg.rest, leg.rest.passing(arrived, tick.now), cut=None)
        due = leg.rest.due_at(tick.now)
        if due is not None and due <= tick.now:  # it waits for no answer
            # who has just left by `yes` does not stand there any more, so the UPDATE does not meet them a second time
            leave(tick, version, leg.rest.late, leg.rest, arrived, cut=None)


_ARRIVED = sql.SQL("SELECT lead_id, visit, entered_at FROM stepped WHERE leg = {leg}")


def _move(tick: Tick, version: Live, leg: Leg, who: sql.Composable | None, cut: Cut | None) -> tuple[int, int]:
    """The one UPDATE of a leg; returns (its number in `stepped`, how many moved)."""
    tick.legs += 1
    params = {
        "leg": tick.legs,
        "version_id": version.version_id,
        "scenario_id": version.scenario_id,
        "node": leg.source,
        "target": leg.rest.id,
        "target_due": leg.rest.due_at(tick.now),
        "state": "done" if leg.rest.ends else "active",
        "ended_at": tick.now if leg.rest.ends else None,
        "now": tick.now,
    }
    if who is not None:
        return tick.legs, SQL.move_some.run(params, who=who)
    assert cut is not None
    return tick.legs, SQL.move_due.run({**params, "cut_at": cut.due_at, "cut_lead": cut.lead_id})


def _act(tick: Tick, version: Live, leg: Leg, number: int) -> None:
    """What happens to people at the nodes they pass, in the order of the way.

    The people have moved before anything is done to them: all of it is one transaction, so both hold or neither, and a
    node that breaks takes the move back with it.
    """
    if not leg.passed:
        return
    hops = tuple(row["hop"] for row in SQL.hops.rows({"leg": number}))
    passers = Passers(version.scenario_id, version.name, number, tick.now, hops, version.loops)
    for node in leg.passed:
        node.act(passers)


def note(tick: Tick, version: Live, leg: int, kind: int, details: dict[str, Any]) -> None:
    """One fact for each person of a leg."""
    SQL.note_stepped.run(
        {
            "leg": leg,
            "kind": kind,
            "scenario_id": version.scenario_id,
            "details": json.dumps(details),
            "now": tick.now,
        }
    )
