"""Where the next page of a list begins: the sort keys of the last row shown, as a short text for a link.

Keys are whole numbers and instants, joined by `~`; an instant is its microseconds since 1970 (UTC): nothing needs
escaping, nothing is rounded. A mark is no secret and gives nobody anything: whoever changes it sees another page of the
same list. What cannot be read begins a screen's list anew, and is a 400 of the API, whose callers would begin for ever.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Row = TypeVar("Row")
PAGE_SIZE = 50
"""Rows of a page, in every list of the screens."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMIT = 2**63
_KEY = re.compile(r"-?[0-9]{1,19}")


def mark(*keys: datetime | int) -> str:
    """The keys as a text that `read` gives back."""
    return "~".join(str(_number(key)) for key in keys)


def read(text: str | None, *kinds: type[datetime] | type[int]) -> tuple[Any, ...] | None:
    """The keys of a mark, one of each kind; None for a text that is none (a link that somebody typed)."""
    parts = (text or "").split("~")
    if len(parts) != len(kinds) or not all(_KEY.fullmatch(part) for part in parts):
        return None
    numbers = [int(part) for part in parts]
    if not all(-_LIMIT <= number < _LIMIT for number in numbers):
        return None
    try:
        return tuple(
            _EPOCH + timedelta(microseconds=number) if kind is datetime else number
            for kind, number in zip(kinds, numbers, strict=True)
        )
    except OverflowError:
        return None


def page(rows: Sequence[Row], *columns: str, size: int = PAGE_SIZE) -> tuple[list[Row], str]:
    """Of rows read with one more than `size`: those to show, and the mark of what follows ('' on the last page)."""
    if len(rows) <= size:
        return list(rows), ""
    last = rows[size - 1]
    return list(rows[:size]), mark(*(_key(last, column) for column in columns))


def _key(row: Any, column: str) -> datetime | int:
    found: datetime | int = row[column] if isinstance(row, Mapping) else getattr(row, column)
    return found


def _number(key: datetime | int) -> int:
    return (key - _EPOCH) // timedelta(microseconds=1) if isinstance(key, datetime) else key
