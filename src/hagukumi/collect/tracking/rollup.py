"""`activity_day`: facts are added to their day as beats take them; a day that is over is counted once from the ledger.

`rollup_due` is the watermark: which (JST day, kind) pairs are still to be counted so, and when. It can be set again for
any span (`redo`): what waits as a pulse is left out of the count and added when a beat takes it.
"""

from datetime import date, datetime, timedelta

from hagukumi.kit import clock

from .queries import SQL

SOON = timedelta(seconds=5)
"""Where acts have moved to another lead or were judged, their day is counted again once in this while."""
LATE = timedelta(minutes=10)
"""A day that is over and still gets facts is counted again once in this while."""
LIMIT = 20
"""Pairs counted in one beat."""


def count(now: datetime) -> None:
    """Add the facts of this beat, those that nobody reads among them, to their days."""
    SQL.add_days.run()
    SQL.mark_days.run({"today": clock.jst_date(now), "soon": now + SOON, "late": now + LATE})


def step(now: datetime) -> int:
    """The last step of a beat: count the days that are due; returns how many (day, kind) pairs."""
    due = SQL.take_due_days.rows({"now": now, "limit": LIMIT})
    for day in sorted({row["day"] for row in due}):
        params = {
            "day": day,
            "kinds": sorted(row["kind"] for row in due if row["day"] == day),
            "since": clock.jst_midnight(day),
            "until": clock.jst_midnight(day + timedelta(days=1)),
        }
        SQL.clear_day.run(params)
        SQL.count_day.run(params)
    return len(due)


def redo(first: date, last: date, now: datetime) -> int:
    """Have every JST day from `first` to `last` counted anew by the next beats; returns how many (day, kind) pairs."""
    return SQL.mark_range.run({"first": first, "last": last, "now": now})
