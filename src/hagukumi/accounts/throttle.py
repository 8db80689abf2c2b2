"""Limits on how often something may be tried, kept in the database: all processes count together, a restart forgets
nothing, and an administrator can see what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .queries import SQL

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Limit:
    """At most `most` hits of one subject in `window`, which begins with the first. `scope` names what is tried."""

    scope: str
    most: int
    window: timedelta


def hit(limit: Limit, subject: str, now: datetime, times: int = 1) -> bool:
    """Count `times` tries of `subject`; False where that is more than the limit allows (which is counted too)."""
    subject = subject[:120]
    return _count(limit.scope, {subject: (limit.most, times)}, limit.window, now)[subject] <= limit.most


def admit(scope: str, tries: Mapping[str, tuple[int, int]], window: timedelta, now: datetime) -> dict[str, int]:
    """Count tries that came together, {subject: (how many, how many are allowed)}; how many of each may go on.

    One statement, however many subjects.
    """
    if not tries:
        return {}
    hits = _count(scope, {subject: (most, times) for subject, (times, most) in tries.items()}, window, now)
    return {subject: min(max(most - (hits[subject] - times), 0), times) for subject, (times, most) in tries.items()}


def over(limit: Limit, subject: str, now: datetime) -> bool:
    """Whether a further try would be too many. Counts nothing but the refusal."""
    params = {
        "scope": limit.scope,
        "subject": subject[:120],
        "most": limit.most,
        "now": now,
        "since": now - limit.window,
    }
    return bool(SQL.throttle_over.value(params))


def forget(limit: Limit, subject: str) -> None:
    """Begin again with this subject: its earlier tries count no more."""
    SQL.throttle_forget.run({"scope": limit.scope, "subject": subject[:120]})


def refused(now: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """Rows of (scope, subject, hits, refused, since, last_at) where something was refused, the latest first."""
    return SQL.throttle_refused.rows({"since": now - KEPT, "limit": limit})


def clean(now: datetime) -> int:
    """Forget what is older than KEPT; returns how many rows went."""
    return SQL.throttle_clean.run({"before": now - KEPT})


def _count(scope: str, tries: Mapping[str, tuple[int, int]], window: timedelta, now: datetime) -> dict[str, int]:
    """{subject: (most, times)} counted; {subject: tries in its window}."""
    rows = SQL.throttle_hit.rows(
        {
            "scope": scope,
            "subjects": list(tries),
            "mosts": [most for most, _times in tries.values()],
            "times": [times for _most, times in tries.values()],
            "now": now,
            "since": now - window,
        }
    )
    return {row["subject"]: row["hits"] for row in rows}
