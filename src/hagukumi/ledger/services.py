"""Verbs of the ledger. A fact is written here and nowhere else: the activity row and its pulse, in one transaction."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from psycopg import sql

from . import beats, causes, kinds
from .queries import BY_A_PERSON as BY_A_PERSON
from .queries import SQL

log = structlog.get_logger(__name__)
HEART_LOCK = 0x48414755
LIVE, BULK, AS_CAUSED = 0, 1, 2
"""Lanes of pulses: a live fact is thought about before any bulk work; what a step causes takes its cause's lane."""
LIVE_AT_MOST = 500
"""More facts than this in one go are bulk work (an import, an act on a list of people), unless the caller says else."""
MAX_HOP = 12
"""A fact caused by a fact, this many times over, gets no further pulse: a loop of definitions must end."""


@dataclass(frozen=True)
class Fact:
    """One thing that happened to one person. `kind`: a registered key; `amount` in its unit; `at`: a UTC instant."""

    lead_id: int
    kind: str
    at: datetime
    object_id: int | None = None
    amount: float | None = None
    details: dict[str, Any] | None = None


def open_beat_tables() -> None:
    """Make this session's temporary tables; cheap when they are there."""
    SQL.open_beat_tables.run()


def record(facts: Sequence[Fact]) -> int:
    """Write facts to the ledger with their pulses, in the caller's transaction. Returns how many were written."""
    if not facts:
        return 0
    details = [json.dumps(fact.details, ensure_ascii=False) if fact.details else None for fact in facts]
    with transaction.atomic():
        ensure_range(min(fact.at for fact in facts), max(fact.at for fact in facts))
        SQL.record.run(
            {
                "lead_ids": [fact.lead_id for fact in facts],
                "ats": [fact.at for fact in facts],
                "kinds": [kinds.by_key(fact.kind).code for fact in facts],
                "object_ids": [fact.object_id for fact in facts],
                "amounts": [fact.amount for fact in facts],
                "details": details,
                "lane": _lane(len(facts)),
            }
        )
    return len(facts)


def record_pending(lane: int | None = None) -> None:
    """Write the rows that a step has put into the temporary table `fact` (set-based twin of `record`).

    `lane`: LIVE, BULK or AS_CAUSED; None: by how many they are.
    """
    pending = SQL.pending.row({"max_hop": MAX_HOP})
    if pending is None:
        return
    if pending["past_hop"]:
        log.warning("a chain of facts was cut", facts=pending["past_hop"], max_hop=MAX_HOP)
    SQL.record_facts.run({"max_hop": MAX_HOP, "lane": _lane(pending["facts"]) if lane is None else lane})


def _lane(facts: int) -> int:
    return LIVE if facts <= LIVE_AT_MOST else BULK


def ask_again(select: sql.Composable, kind: str, now: datetime) -> int:
    """Have the next beat ask of the leads of `select` (yields lead_id) what facts of this kind may change.

    For what a condition reads of a lead outside the ledger (its company). Returns how many leads.
    """
    return SQL.ask_again.run({"kind": kinds.by_key(kind).code, "now": now}, leads=select)


def judge(verdicts: sql.Composable | str) -> int:
    """Say who did acts that are in the ledger; the rooms think about them again. Returns how many verdicts changed.

    `verdicts` yields lead_id, at, id, by ("human", "suspect", "bot") and why (a code). Repeats change nothing, and
    after "staff" only "staff" does.
    """
    return SQL.judge.run(verdicts=verdicts)


def ensure_range(first: datetime, last: datetime) -> None:
    """Make the ledger's monthly partitions from `first` to `last`."""
    SQL.ensure_range.run({"first": first, "last": last})


def readers_of(pairs: Sequence[tuple[int, int]], besides: str = "") -> set[tuple[int, int]]:
    """Which of the facts (kind code, object id) somebody reads, not counting the room `besides`."""
    params = {"kinds": [kind for kind, _ in pairs], "object_ids": [object_id for _, object_id in pairs]}
    return {(row["kind"], row["object_id"]) for row in SQL.read_pairs.rows(params, read=causes.read(besides))}


@dataclass(frozen=True)
class Taken:
    """How many pulses a beat took in all, and how many of them are bulk work."""

    pulses: int
    bulk: int = 0


def take_pulses(now: datetime, batch: int, room: int | None = None) -> Taken:
    """Fill `touched` with the oldest pulses, taking them away: `batch` live ones, `room` (None: as many) of bulk work.

    What nobody reads is dropped again, once those have seen it who count what happens (`register_counter`).
    """
    global _room
    _room = batch if room is None else room
    SQL.clear_touched.run()
    taken = SQL.take_pulses.run({"batch": batch, "room": batch if room is None else room})
    if not taken:
        return Taken(0)
    bulk = int(SQL.taken_bulk.value())
    with by_index():
        for count in _COUNTERS:
            count(now)
    SQL.drop_unread.run(read=causes.concern(beats.once("causes", causes.every)))
    SQL.analyze_touched.run()  # a temporary table has no statistics of its own accord, and plans made without go wrong
    return Taken(taken, bulk)


_room = 0


def room() -> int:
    """How many people a step may take up in this beat of its own accord (whose time has come, who were missed)."""
    return max(_room, 500)


def forget_touched() -> None:
    """Empty `touched`: what is done now follows from no fact."""
    SQL.clear_touched.run()


_COUNTERS: list[Callable[[datetime], object]] = []


def register_counter(count: Callable[[datetime], object]) -> None:
    """Have `count` run over every batch of pulses that a beat takes, those that nobody reads among them."""
    if count not in _COUNTERS:
        _COUNTERS.append(count)


@contextmanager
def by_index() -> Iterator[None]:
    """Hold the planner to one kind of plan for questions about a batch of leads, whatever statistics it has.

    Such a question reads each lead-owned table by `lead_id = ANY(ARRAY(…))`, and joins only what it has read so: by
    hash, never once a row. What a beat reads then follows from the batch, not from luck. May be nested.
    """
    if _planner.by_index:
        yield
        return
    SQL.plan_by_index.run({"onoff": "off"})
    _planner.by_index = True
    try:
        yield
    finally:
        _planner.by_index = False
    SQL.plan_by_index.run({"onoff": "on"})  # after an error there is nothing to put back: the savepoint took it along


class _Planner(threading.local):
    by_index = False


_planner = _Planner()


def tidy() -> None:
    """Give back what dead rows take in this session's temporary tables. Between transactions only (VACUUM)."""
    for row in SQL.grown_tables.rows():
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("VACUUM {}").format(sql.Identifier(row["relname"])).as_string(None))


def touched_kinds() -> frozenset[int]:
    """The codes of the kinds that this beat's batch holds."""
    return beats.once("touched kinds", lambda: frozenset(row["kind"] for row in SQL.touched_kinds.rows()))


Step = Callable[[datetime], int]
"""One room's part of a beat: reads `touched`, writes its tables and `fact`; returns how many rows changed."""

_STEPS: dict[str, Step] = {}


def register_step(name: str, step: Step) -> None:
    """Add a room's step to the beat; the order of registration (config/wiring.py) is the order of running."""
    _STEPS[name] = step


def steps() -> list[tuple[str, Step]]:
    return list(_STEPS.items())


_heart_connection: Any = None


def take_heart_lock() -> bool:
    """Whether this session holds the heart's advisory lock (one heart per database); asks the server once a session."""
    global _heart_connection
    if _heart_connection is not None and _heart_connection is connection.connection:
        return True
    if SQL.try_heart_lock.value({"key": HEART_LOCK}):
        _heart_connection = connection.connection
        return True
    return False


def backlog(now: datetime) -> dict[str, Any]:
    """`waiting` pulses (capped at 100,000) and `lag_seconds` since the oldest of them happened."""
    return SQL.backlog.row({"now": now}) or {}
