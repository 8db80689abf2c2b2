"""Verbs of the ledger. A fact is written here and nowhere else: the activity row and its pulse, in one transaction."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from psycopg import sql

from . import kinds
from .queries import BY_A_PERSON as BY_A_PERSON
from .queries import SQL

log = structlog.get_logger(__name__)
HEART_LOCK = 0x48414755
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
    channel: int | None = None
    details: dict[str, Any] | None = None


def open_beat_tables() -> None:
    """Make this session's temporary tables `touched` and `fact`; cheap when they are there."""
    SQL.open_touched.run()
    SQL.open_fact.run()


def record(facts: Sequence[Fact]) -> int:
    """Write facts to the ledger with their pulses, in the caller's transaction. Returns how many were written."""
    if not facts:
        return 0
    with transaction.atomic():
        open_beat_tables()
        SQL.add_facts.run(
            {
                "lead_ids": [fact.lead_id for fact in facts],
                "ats": [fact.at for fact in facts],
                "kinds": [kinds.by_key(fact.kind).code for fact in facts],
                "object_ids": [fact.object_id for fact in facts],
                "amounts": [fact.amount for fact in facts],
                "channels": [fact.channel for fact in facts],
                "details": [json.dumps(fact.details, ensure_ascii=False) if fact.details else None for fact in facts],
                "hops": [0] * len(facts),
            }
        )
        record_pending()
    return len(facts)


def record_pending() -> None:
    """Write the rows that a step has put into the temporary table `fact` (set-based twin of `record`)."""
    pending = SQL.pending.row({"max_hop": MAX_HOP})
    if pending is None:
        return
    if pending["past_hop"]:
        log.warning("a chain of facts was cut", facts=pending["past_hop"], max_hop=MAX_HOP)
    ensure_range(pending["first"], pending["last"])
    SQL.record_facts.run({"max_hop": MAX_HOP})


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


def take_pulses(batch: int) -> int:
    """Fill `touched` with the oldest pulses, taking them away; returns how many."""
    SQL.clear_touched.run()
    taken = SQL.take_pulses.run({"batch": batch})
    if taken:  # a temporary table has no statistics of its own accord, and plans made without go wrong
        SQL.analyze_touched.run()
    return taken


def tidy() -> None:
    """Give back what dead rows take in this session's temporary tables. Between transactions only (VACUUM)."""
    for row in SQL.grown_tables.rows():
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("VACUUM {}").format(sql.Identifier(row["relname"])).as_string(None))


def touched_kinds() -> set[int]:
    """The codes of the kinds that this beat's batch holds."""
    return {row["kind"] for row in SQL.touched_kinds.rows()}


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
