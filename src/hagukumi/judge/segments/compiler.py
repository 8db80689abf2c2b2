"""From a condition tree to one SELECT of lead_id: column tests stay tests, sets become `lead_id IN (set)`.

Sets are never asked lead by lead: an `any` of sets is their union, a `not` of a set an anti-join (which PostgreSQL
hashes once; `NOT IN (set)` would fall to a scan per lead where the set outgrows work_mem).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from hagukumi.ledger.causes import Cause
from hagukumi.people.leads.rules import KNOWN

from .conditions import BIRTH, All, AnyOf, Condition, Moment, Not, codes, walk


@dataclass(frozen=True)
class Dependencies:
    """What can change a tree's answer: activity kind codes, time (`timed`), definition tables, other segments' ids.

    `causes`: the facts themselves, by kind and object.
    """

    kinds: frozenset[int]
    timed: bool
    tables: frozenset[str] = frozenset()
    segments: frozenset[int] = frozenset()
    causes: tuple[Cause, ...] = ()


def members(tree: Condition, moment: Moment) -> sql.Composed:
    """SELECT lead_id of the known leads for whom the tree holds, each once."""
    return sql.SQL("SELECT l.lead_id FROM {} WHERE {} AND {}").format(
        moment.rows("lead", "l"), KNOWN, where(tree, moment)
    )


def where(tree: Condition, moment: Moment) -> sql.Composable:
    """A boolean over `lead l`."""
    node = _expanded(tree)
    column = _column(node, moment)
    if column is not None:
        return column
    if isinstance(node, All):
        return sql.SQL("({})").format(sql.SQL(" AND ").join(where(item, moment) for item in node.items))
    if isinstance(node, Not):
        return sql.SQL("NOT EXISTS (SELECT 1 FROM ({}) s WHERE s.lead_id = l.lead_id)").format(_set(node.item, moment))
    return sql.SQL("l.lead_id IN ({})").format(_set(node, moment))


def due(tree: Condition, moment: Moment) -> sql.Composed | None:
    """SELECT lead_id, due_at, one row per lead: the next moment at which time alone may change the answer."""
    found = [part for leaf in _atoms(tree) if (part := leaf.due(moment)) is not None]
    if not found:
        return None
    union = sql.SQL(" UNION ALL ").join(sql.SQL("SELECT * FROM ({}) d").format(part) for part in found)
    return sql.SQL("SELECT lead_id, min(due_at) AS due_at FROM ({}) d GROUP BY lead_id").format(union)


def dependencies(tree: Condition, moment: Moment) -> Dependencies:
    atoms = list(_atoms(tree))
    return Dependencies(
        kinds=codes(BIRTH).union(*(leaf.kinds() for leaf in atoms)),
        timed=any(leaf.due(moment) is not None for leaf in atoms),
        tables=frozenset().union(*(leaf.tables for leaf in atoms)),
        segments=frozenset(node.segment for node in walk(tree) if hasattr(node, "segment")),
        causes=(Cause(codes(BIRTH)), *(cause for leaf in atoms for cause in leaf.causes())),
    )


def _expanded(node: Condition) -> Condition:
    while (simpler := node.expand()) is not node:
        node = simpler
    return node


def _atoms(tree: Condition) -> Iterator[Condition]:
    """The leaves that have SQL of their own."""
    node = _expanded(tree)
    if not isinstance(node, All | AnyOf | Not):
        yield node
    for child in node.children():
        yield from _atoms(child)


def _column(node: Condition, moment: Moment, *, inside: bool = False) -> sql.Composable | None:
    """The node as a test on the row alone (NULL counts as no); None where it needs a set.

    A test with a sub-select is one only as a conjunct of its own (`inside` is false), where it becomes a join: below OR
    or NOT it would be a filter that drives the planner to read every lead.
    """
    node = _expanded(node)
    if isinstance(node, Not):
        inner = _column(node.item, moment, inside=True)
        return None if inner is None else sql.SQL("NOT coalesce({}, false)").format(inner)
    if isinstance(node, All | AnyOf):
        if not node.items:
            return sql.SQL("true")
        parts = []
        for item in node.items:
            part = _column(item, moment, inside=inside or isinstance(node, AnyOf))
            if part is None:
                return None
            parts.append(part)
        return sql.SQL("({})").format(sql.SQL(" AND " if isinstance(node, All) else " OR ").join(parts))
    return None if inside and node.selects else node.column(moment)


def _set(node: Condition, moment: Moment) -> sql.Composable:
    """SELECT lead_id (repeats allowed) of those for whom the node holds."""
    node = _expanded(node)
    if isinstance(node, AnyOf):
        return sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT lead_id FROM ({}) u").format(_set(item, moment)) for item in node.items
        )
    if isinstance(node, All | Not) or node.column(moment) is not None:
        return members(node, moment)
    return node.matching(moment)
