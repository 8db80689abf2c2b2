"""A test run: one lead's way through a graph, waits skipped, nothing written and nothing sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from . import rules
from .nodes import Node
from .queries import SQL
from .rules import Graph

LONGEST = 60
"""Steps after which a test run of a loop ends."""


@dataclass(frozen=True)
class Stop:
    """One node of the way: when it would be reached at the earliest, what it does, and the exit taken.

    `chosen`: the tester's choice instead of the lead's own behaviour so far. `subject`: what this lead would get.
    """

    at: datetime
    node: Node
    words: str
    exit: str = ""
    chosen: bool = False
    subject: str = ""
    fault: str = ""


def rehearse(graph: Graph, lead_id: int, choices: Mapping[str, str], now: datetime) -> list[Stop]:
    """The way of this lead, were it let in at `now`. A question follows `choices` (node -> exit), else what the lead

    has done up to now. The graph must be free of `rules.problems`.
    """
    names = graph.names()
    way: list[Stop] = []
    at, key = now, graph.start
    while len(way) < LONGEST:
        node = graph.node(key)
        exit_name, chosen = _exit(node, lead_id, choices, now)
        way.append(Stop(at, node, rules.title(node, names), exit_name, chosen, *node.tried(names, lead_id)))
        if not exit_name:
            break
        if node.stands and exit_name == node.late:
            at = node.due_at(at) or at
        key = node.exits()[exit_name]
    return way


def _exit(node: Node, lead_id: int, choices: Mapping[str, str], now: datetime) -> tuple[str, bool]:
    """The exit taken ('' at an end), and whether the tester chose it."""
    if not node.asks:
        return next(iter(node.exits()), ""), False
    if choices.get(node.id) in node.exits():
        return choices[node.id], True
    # nobody has entered anything here: whatever the lead has ever done counts, so that a known behaviour can be seen
    one = sql.SQL("SELECT {}::bigint AS lead_id, 1 AS visit, '-infinity'::timestamptz AS entered_at")
    holds = SQL.meets.value(who=node.passing(one.format(sql.Literal(lead_id)), now))
    return "yes" if holds else node.late, False
