"""Where the next page of a list begins: the sort keys of the last row shown, as a short text for a link.

Keys are whole numbers, instants and texts, joined by `~`; an instant is its microseconds since 1970 (UTC), a text its
base64: nothing needs escaping, nothing is rounded. A mark is no secret and gives nobody anything: whoever changes it
sees another page of the same list. What cannot be read begins a screen's list anew, and is a 400 of the API, whose
callers would begin for ever.
"""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar

Row = TypeVar("Row")
Key: TypeAlias = datetime | int | str
PAGE_SIZE = 50
"""Rows of a page, in every list of the screens."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMIT = 2**63
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_TEXT = re.compile(r"[A-Za-z0-9_-]{0,1000}")


def mark(*keys: Key) -> str:
    """The keys as a text that `read` gives back."""
    return "~".join(_written(key) for key in keys)


def read(text: str | None, *kinds: type[Key]) -> tuple[Any, ...] | None:
    """The keys of a mark, one of each kind; None for a text that is none (a link that somebody typed)."""
    parts = (text or "").split("~")
    if len(parts) != len(kinds):
        return None
    try:
        return tuple(_read(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, OverflowError):
        return None


def _written(key: Key) -> str:
    if isinstance(key, str):
        return urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return str((key - _EPOCH) // timedelta(microseconds=1) if isinstance(key, datetime) else key)


def _read(part: str, kind: type[Key]) -> Key:
    """One key; ValueError or OverflowError where it is none."""
    if kind is str:
        return _read_text(part)
    if not _NUMBER.fullmatch(part) or not -_LIMIT <= int(part) < _LIMIT:
        raise ValueError(part)
    return _EPOCH + timedelta(microseconds=int(part)) if kind is datetime else int(part)


def _read_text(part: str) -> str:
    if not _TEXT.fullmatch(part):
        raise ValueError(part)
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
    except binascii.Error as error:
        raise ValueError(part) from error
    if "\x00" in text:  # PostgreSQL has no such text
        raise ValueError(part)
    return text


def page(rows: Sequence[Row], *columns: str, size: int = PAGE_SIZE) -> tuple[list[Row], str]:
    """Of rows read with one more than `size`: those to show, and the mark of what follows ('' on the last page)."""
    if len(rows) <= size:
        return list(rows), ""
    last = rows[size - 1]
    return list(rows[:size]), mark(*(_key(last, column) for column in columns))


def _key(row: Any, column: str) -> Key:
    found: Key = row[column] if isinstance(row, Mapping) else getattr(row, column)
    return found
