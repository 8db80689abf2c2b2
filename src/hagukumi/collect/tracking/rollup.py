"""The last step of a beat: `activity_day`, counted anew for the days that got new facts."""

from datetime import date, datetime, timedelta

from .queries import SQL

WAIT = timedelta(seconds=5)
"""A day and kind that keep getting facts are counted again once in this while, not at each beat."""
LIMIT = 400


def step(now: datetime) -> int:
    """Mark the days of this beat's facts, and count those that are due; returns how many (day, kind) pairs."""
    SQL.mark_days.run({"due": now + WAIT})
    due = SQL.take_due_days.rows({"now": now, "limit": LIMIT})
    if due:
        pairs = {"days": [row["day"] for row in due], "kinds": [row["kind"] for row in due]}
        SQL.clear_days.run(pairs)
        SQL.count_days.run(pairs)
    return len(due)


def redo(first: date, last: date, now: datetime) -> int:
    """Have every JST day from `first` to `last` counted anew by the next beats; returns how many (day, kind) pairs."""
    return SQL.mark_range.run({"first": first, "last": last, "now": now})
