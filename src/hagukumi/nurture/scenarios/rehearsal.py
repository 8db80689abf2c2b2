"""A test run: one lead's way through a graph, waits skipped, nothing written and nothing sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from hagukumi.channels.mail import services as messages
from hagukumi.channels.mail.render import TemplateProblemError

from . import rules
from .behaviour import passing
from .naming import Names
from .queries import SQL
from .rules import AnyNode, Branch, Graph

LONGEST = 60
"""Steps after which a test run of a loop ends."""


@dataclass(frozen=True)
class Stop:
    """One node of the way: when it would be reached at the earliest, what it does, and the exit taken.

    `chosen`: the tester's choice instead of the lead's own behaviour so far. `subject`: the mail as this lead gets it.
    """

    at: datetime
    node: AnyNode
    words: str
    exit: str = ""
    chosen: bool = False
    subject: str = ""
    fault: str = ""


def rehearse(graph: Graph, lead_id: int, choices: Mapping[str, str], now: datetime) -> list[Stop]:
    """The way of this lead, were it let in at `now`. A branch follows `choices` (node -> exit), else what the lead has

    done up to now. The graph must be free of `rules.problems`.
    """
    names = Names.of(graph)
    way: list[Stop] = []
    at, key = now, graph.start
    while len(way) < LONGEST:
        node = graph.node(key)
        exit_name, chosen = _exit(node, lead_id, choices, now)
        subject, fault = _mail(node, names, lead_id)
        way.append(Stop(at, node, names.title(node), exit_name, chosen, subject, fault))
        if isinstance(node, rules.End):
            break
        if isinstance(node, rules.Wait) or (isinstance(node, Branch) and exit_name == "no"):
            at = rules.due_at(node, at) or at
        key = rules.exits(node)[exit_name]
    return way


def _exit(node: AnyNode, lead_id: int, choices: Mapping[str, str], now: datetime) -> tuple[str, bool]:
    if isinstance(node, rules.End):
        return "", False
    if not isinstance(node, Branch):
        return "next", False
    if choices.get(node.id) in ("yes", "no"):
        return choices[node.id], True
    one = sql.SQL("SELECT {}::bigint AS lead_id, 1 AS visit, '-infinity'::timestamptz AS entered_at")
    return ("yes" if SQL.meets.value(who=passing(node, one.format(sql.Literal(lead_id)), now)) else "no"), False


def _mail(node: AnyNode, names: Names, lead_id: int) -> tuple[str, str]:
    message = names.messages.get(node.message_id or 0) if isinstance(node, rules.Mail) else None
    if message is None:
        return "", ""
    try:
        return messages.preview(message, lead_id).subject, ""
    except TemplateProblemError as error:
        return "", str(error)
