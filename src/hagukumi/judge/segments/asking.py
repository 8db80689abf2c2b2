"""What every owner of conditions (segments, scores, phase rules) does in a beat: whom to ask, and when to ask again.

A definition is asked of those whom a fact that it reads concerns, whose time has come, and whom its build missed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from psycopg import sql

from hagukumi.ledger import beats, builds, definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause, concern
from hagukumi.ledger.causes import kinds as kinds_of

from . import compiler
from .conditions import ConditionError, Moment, Tree, literal, parse
from .queries import SQL


class Definition(Protocol):
    """A row of definitions that people are asked about; `built_at` None: it is to be built for everybody first."""

    @property
    def id(self) -> int: ...
    @property
    def built_at(self) -> datetime | None: ...


D = TypeVar("D", bound=Definition)


def in_force(
    owner: str,
    found: Iterable[D],
    causes_of: Callable[[D], tuple[Cause, ...]],
    turn: definitions.Turn | None = None,
) -> Iterator[tuple[D, tuple[Cause, ...]]]:
    """Definitions that facts may concern, with their causes: those built, and those being built aside.

    Broken ones are left out, and set aside in their turn.
    """
    broken = definitions.broken(owner)
    under_way = builds.under_way(owner)
    for one in found:
        skipped = one.id in broken if turn is None else turn.skips(one.id)
        if skipped or (one.built_at is None and one.id not in under_way):
            continue
        try:
            causes = causes_of(one)
        except ConditionError as error:
            if turn is not None:
                turn.set_aside(one.id, error)
            continue
        yield one, causes


def ask(
    owner: str,
    asked: Sequence[tuple[D, tuple[Cause, ...]]],
    todo: "Work",
    turn: definitions.Turn,
    refresh: Callable[[D, tuple[Cause, ...]], int],
) -> int:
    """Refresh what this beat concerns, each under its savepoint; returns how many rows changed.

    For what is being built aside it is noted whom the facts concern: the first beats after the build ask those.
    """
    changed = 0
    heard = concerned({one.id: causes for one, causes in asked}, todo)
    with ledger.by_index():
        for one, causes in asked:
            with turn.attempt(one.id):
                if one.built_at is None:
                    if one.id in heard:
                        builds.note_missed(owner, one.id, causes)
                elif one.id in heard | todo.due | todo.missed:
                    changed += refresh(one, causes)
                    if one.id in todo.missed:
                        builds.forget_missed(owner, one.id, ledger.room())
    return changed


@dataclass(frozen=True)
class Work:
    """What a beat asks of an owner of conditions: kinds touched, definitions with people due, and with some missed."""

    kinds: frozenset[int]
    due: frozenset[int]
    missed: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.kinds or self.due or self.missed)


def work(owner: str, now: datetime) -> Work:
    """Kinds touched in this beat, the owner's definitions with people due, and those with people their build missed."""
    waiting = beats.once("conditions waiting", lambda: SQL.waiting.rows({"now": now}))
    due, missed = (
        frozenset(row["object_id"] for row in waiting if row["owner"] == owner and row["due"] is reason)
        for reason in (True, False)
    )
    return Work(ledger.touched_kinds(), due, missed)


def concerned(causes: Mapping[int, Sequence[Cause]], todo: Work) -> set[int]:
    """Of the definitions (by id, with their causes) those that a fact of this beat concerns. At most one statement."""
    heard = {key: found for key, found in causes.items() if any(cause.kinds & todo.kinds for cause in found)}
    if not heard:
        return set()
    asked = [
        sql.SQL("SELECT {}::bigint AS id WHERE EXISTS (SELECT 1 FROM seen WHERE {})").format(
            literal(key), concern(cause for cause in found if cause.kinds & todo.kinds)
        )
        for key, found in heard.items()
    ]
    return {row["id"] for row in SQL.concerned.rows(asked=sql.SQL(" UNION ALL ").join(asked))}


def scope_sql(owner: str, object_id: int, causes: Iterable[Cause], now: datetime) -> sql.Composed:
    """SELECT lead_id of a definition's batch: whom facts of this beat concern, who is due, whom its build missed.

    Of the last two no more than the beat has room for; the others follow in the next.
    """
    return sql.SQL(
        "SELECT lead_id FROM touched WHERE {concern} UNION (SELECT lead_id FROM condition_due WHERE owner = {owner}"
        " AND object_id = {id} AND due_at <= {now} ORDER BY due_at, lead_id LIMIT {room})"
        " UNION SELECT lead_id FROM ({missed}) m"
    ).format(
        concern=concern(causes), owner=literal(owner), id=literal(object_id), now=literal(now),
        room=literal(ledger.room()), missed=builds.missed_sql(owner, [object_id], ledger.room()),
    )  # fmt: skip


def gather(leads: sql.Composable, causes: Iterable[Cause], now: datetime) -> None:
    """Have the acts of these people at hand that a definition with these causes reads: `batch_sql` and dues need it."""
    beats.gather(leads, kinds_of(causes), now)


SCOPE = sql.SQL("SELECT lead_id FROM scope")
"""Inside the named queries the scope stands once, as the CTE `scope`."""


def keep_dues(
    owner: str,
    trees: Sequence[tuple[int, Tree]],
    scope: sql.Composable,
    now: datetime,
    *,
    among: sql.Composable | None = None,
) -> int:
    """Keep `condition_due` for these definitions (id, tree) and the pairs (lead_id, object_id) of `scope`.

    `among`: the pairs (lead_id, object_id) that may have a due time, where not all of `scope`. A definition may have
    several trees (a score version has one a rule): the earliest time counts. To be run in `ledger.by_index`.
    """
    parts = _dues(trees, now, batch=True)
    if not parts and among is None:  # time has no part in it
        return 0
    slots = {"scope": scope}
    if among is not None:
        slots["among"] = among
    if parts:
        slots["dues"] = sql.SQL(" UNION ALL ").join(parts)
    return SQL.keep_dues.run({"owner": owner, "now": now}, **slots)


def rebuild_dues(
    owner: str, trees: Sequence[tuple[int, Tree]], now: datetime, *, among: sql.Composable | None = None
) -> int:
    """Set `condition_due` of these definitions anew, for everybody or for the pairs (lead_id, object_id) of `among`."""
    slots: dict[str, sql.Composable] = {} if among is None else {"among": among}
    if parts := _dues(trees, now, batch=False, everybody=among is None):
        slots["dues"] = sql.SQL(" UNION ALL ").join(parts)
    object_ids = sorted({object_id for object_id, _ in trees})
    return SQL.rebuild_dues.run({"owner": owner, "object_ids": object_ids}, **slots)


def _dues(
    trees: Sequence[tuple[int, Tree]], now: datetime, *, batch: bool, everybody: bool = False
) -> list[sql.Composable]:
    parts: list[sql.Composable] = []
    for object_id, tree in trees:
        own = sql.SQL("SELECT lead_id FROM among WHERE object_id = {}").format(literal(object_id))
        found = compiler.due(parse(tree), Moment(now, None if everybody else own, by_index=batch))
        if found is not None:
            parts.append(
                sql.SQL("SELECT lead_id, {}::bigint AS object_id, due_at FROM ({}) x").format(literal(object_id), found)
            )
    return parts


def of_object(scope: sql.Composable, object_id: int) -> sql.Composed:
    """The leads of `scope`, each with the object: the pairs that `keep_dues` takes."""
    return sql.SQL("SELECT lead_id, {}::bigint AS object_id FROM ({}) s").format(literal(object_id), scope)


def forget_dues(owner: str, object_id: int) -> int:
    """A definition is no longer asked: drop its due times."""
    return SQL.forget_dues.run({"owner": owner, "object_id": object_id})
