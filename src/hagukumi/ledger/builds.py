"""Building a definition: its answer for everybody, in one operation instead of a fact for each person.

A segment, a score version or a phase model that is new or was changed is `unbuilt`. Its room's builder writes what
holds for everybody; the ledger gets one `operation`. Whoever reads the outcome (a rule, a scenario's door) is told by
pulses without facts, in the bulk lane; where nobody reads it, nothing is told.

Builds take long where the people are many. The live heart therefore has them done aside, in a session of its own; what
happens to people meanwhile is noted in `build_missed`, and asked again by the first beats after the build.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import sql

from . import beats
from .causes import Cause, concern
from .queries import SQL


class OvertakenError(RuntimeError):
    """The definition was changed while it was being built: what was built is not to be kept."""


@dataclass
class Operation:
    """One build under way: of which definition, since when, and how many people came in and went out."""

    id: int
    object_id: int
    now: datetime
    counts: dict[str, int] = field(default_factory=lambda: {"entered": 0, "left": 0})


@dataclass(frozen=True)
class Builder:
    """`unbuilt`: SELECT id of definitions to build; `build` does one and returns how many rows changed.

    None: it broke and was set aside.
    `order` puts ids so that each comes after those it reads.
    """

    owner: str
    unbuilt: sql.Composable
    build: Callable[[Operation], int | None]
    order: Callable[[list[int]], list[int]] = sorted


_BUILDERS: dict[str, Builder] = {}


def register(step: str, builder: Builder) -> None:
    """Add a room's builder; a beat that builds by itself does so just before the room's step of that name."""
    _BUILDERS[step] = builder


def builds(step: str) -> bool:
    """Whether a room builds before its step of this name."""
    return step in _BUILDERS


def unbuilt() -> dict[str, list[int]]:
    """What is to be built, by step, each after what it reads; what is set aside is left out. One statement."""
    if not _BUILDERS:
        return {}
    parts = [
        sql.SQL("SELECT {}::text AS step, {}::text AS owner, id FROM ({}) u").format(
            sql.Literal(step), sql.Literal(builder.owner), builder.unbuilt
        )
        for step, builder in _BUILDERS.items()
    ]
    found: dict[str, list[int]] = {}
    for row in SQL.unbuilt.rows(asked=sql.SQL(" UNION ALL ").join(parts)):
        found.setdefault(row["step"], []).append(row["id"])
    return {step: _BUILDERS[step].order(found[step]) for step in _BUILDERS if step in found}


def begin(step: str, object_id: int, now: datetime) -> Operation:
    """Open the record of a build. Aside, it is to be committed before `build`: beats note from then what is missed."""
    owner = _BUILDERS[step].owner
    restart(owner, [object_id])
    values = {"owner": owner, "object_id": object_id, "now": now}
    return Operation(int(SQL.open_operation.value(values)), object_id, now)


def build(step: str, operation: Operation) -> int:
    """Build one definition in the caller's transaction and close its record; returns how many rows changed.

    OvertakenError where it was changed meanwhile: the transaction is to be rolled back.
    """
    SQL.plan_by_hash.run({"onoff": "off"})  # of everybody: joined once a row, it is minutes where statistics are stale
    changed = _BUILDERS[step].build(operation)
    SQL.plan_by_hash.run({"onoff": "on"})
    if changed is None:
        restart(_BUILDERS[step].owner, [operation.object_id])
        return 0
    if not SQL.close_operation.run({"id": operation.id, "now": operation.now, **operation.counts}):
        raise OvertakenError(f"{step} {operation.object_id}")
    return changed


def restart(owner: str, object_ids: Sequence[int]) -> None:
    """Definitions were changed: a build of them that is under way is overtaken."""
    SQL.drop_open_operations.run({"owner": owner, "object_ids": list(object_ids)})
    SQL.forget_missed.run({"owner": owner, "object_ids": list(object_ids)})


def under_way(owner: str) -> set[int]:
    """The definitions of this owner that are being built aside."""
    found = beats.once("builds under way", SQL.open_operations.rows)
    return {row["object_id"] for row in found if row["owner"] == owner}


def note_missed(owner: str, object_id: int, causes: Iterable[Cause]) -> int:
    """Note whom this beat's facts concern, for a definition that is being built; returns how many."""
    return SQL.note_missed.run({"owner": owner, "object_id": object_id}, concerned=concern(causes))


def forget_missed(owner: str, object_id: int, limit: int) -> None:
    """Those of `missed_sql` have been asked."""
    SQL.asked_missed.run({"owner": owner, "object_id": object_id, "limit": limit})


def missed_sql(owner: str, object_ids: Iterable[int], limit: int) -> sql.Composed:
    """SELECT lead_id, object_id: whom facts concerned while the definitions were being built; at most `limit` each."""
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "(SELECT lead_id, object_id FROM build_missed WHERE owner = {} AND object_id = {}::bigint"
            " ORDER BY lead_id LIMIT {})"
        ).format(sql.Literal(owner), sql.Literal(object_id), sql.Literal(limit))
        for object_id in object_ids
    )
