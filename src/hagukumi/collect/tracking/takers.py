"""Rooms above tracking take in the inbox rows that are theirs (a form's answers): they register here, from wiring."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

Taker = Callable[[list[dict[str, Any]], datetime], None]
"""Takes rows (event_id, at, visitor, lead_id, person, object_id, details), oldest first, within the digest."""

_TAKERS: dict[str, Taker] = {}


def register(kind: str, taker: Taker) -> None:
    """Hand inbox rows of this wire word to `taker`; in the order of registration."""
    _TAKERS[kind] = taker


def every() -> list[tuple[str, Taker]]:
    return list(_TAKERS.items())
