"""One clock. The edges of the house (a request, a beat, a command) ask it once and pass `now` inward.

`HAGUKUMI_CLOCK` names a file that holds an offset in seconds; tests and demos move every process's time by writing it.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")


def now() -> datetime:
    """The present UTC instant, moved by the offset file where one is named."""
    return datetime.now(UTC) + _offset()


def _offset() -> timedelta:
    path = os.environ.get("HAGUKUMI_CLOCK")
    if not path:
        return timedelta(0)
    try:
        return timedelta(seconds=float(Path(path).read_text() or "0"))
    except FileNotFoundError:
        return timedelta(0)


def jst_date(at: datetime) -> date:
    """The Japanese calendar date of a UTC instant."""
    return at.astimezone(JST).date()


def jst_midnight(day: date) -> datetime:
    """The UTC instant at which the Japanese calendar date `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)
