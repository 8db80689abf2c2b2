"""The versions that may have work in a beat, and the facts that concern them."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.ledger.causes import Cause

from . import rules
from .nodes import Node
from .queries import SQL
from .rules import ENTRY, Graph


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

    @property
    def lets_in(self) -> bool:
        """Whether its door is open. That of a paused scenario is: who comes waits inside."""
        return self.current and self.state != "stopping"

    def questions(self) -> list[Node]:
        return [node for node in self.graph.nodes if node.asks]

    def resting_places(self) -> list[str]:
        """Where people can stand: the door, and every node at which one stands and goes on."""
        return [ENTRY, *(node.id for node in self.graph.nodes if node.stands and not node.ends)]

    @cached_property
    def loops(self) -> frozenset[str]:
        return rules.looping(self.graph)


_graphs: dict[int, Graph] = {}
"""Published graphs by version: they never change, so they are read once a process."""


def live() -> list[Live]:
    """Versions in force, and older ones that people are still on."""
    rows = SQL.live_versions.rows()
    if unknown := [row["version_id"] for row in rows if row["version_id"] not in _graphs]:
        for row in SQL.graphs.rows({"version_ids": unknown}):
            graph = json.loads(row["graph"]) if isinstance(row["graph"], str) else row["graph"]
            _graphs[row["version_id"]] = Graph.model_validate(graph)
    return [Live(**row, graph=_graphs[row["version_id"]]) for row in rows]


def forget() -> None:
    """Read the graphs anew."""
    _graphs.clear()


def causes() -> Iterator[Cause]:
    """The facts that open a door or answer a question, by the versions that people are on or may enter."""
    for version in live():
        if version.current:
            door = version.graph.entry
            yield Cause(frozenset({door.opens.code}), sql.SQL("object_id = {}").format(sql.Literal(door.object)))
        for node in version.questions():
            # a condition that can no longer be read frees nobody; the step says so when it comes to that scenario
            with suppress(ConditionError):
                yield from node.causes()
