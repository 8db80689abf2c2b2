"""What the steps of one beat share: answers that do not change within it, and the acts of those it asks about.

Every condition used to look for the same people's acts in every month of the ledger again. A beat copies them once into
the temporary table `act`, and its questions (`Moment.by_index`) read that.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from psycopg import sql

from . import causes
from .queries import SQL

T = TypeVar("T")
CUT_AT = 2_000
"""From so many rows on, cutting the file is quicker than deleting them."""


class _Beat(threading.local):
    """The beat under way in this thread: None where there is none."""

    answers: dict[str, object] | None = None
    acts = 0
    """So many rows this thread has put into `act` since it was last emptied."""


_beat = _Beat()


@contextmanager
def under_way() -> Iterator[None]:
    """Within it, this thread is in a beat."""
    _beat.answers = {}
    try:
        yield
    finally:
        _beat.answers = None


def once(key: str, ask: Callable[[], T]) -> T:
    """What `ask` answers, asked once a beat; outside of one, each time. `forget` it where the beat changes it."""
    if _beat.answers is None:
        return ask()
    if key not in _beat.answers:
        _beat.answers[key] = ask()
    return _beat.answers[key]  # type: ignore[return-value]


def forget(*keys: str) -> None:
    """The next `once` asks anew: these keys, or where none is named everything but the acts."""
    if _beat.answers is not None:
        for key in keys or set(_beat.answers) - {_HELD}:
            _beat.answers.pop(key, None)


_HELD = "acts held"


def gather(leads: sql.Composable, kinds: frozenset[int], now: datetime) -> None:
    """Have the acts of these kinds, and of all that is read at all, of the people of `leads` (SELECT lead_id) in `act`.

    Those dated after `now` are in `act_ahead`. To be run in `ledger.by_index`. What a beat itself writes is not among
    them: the facts' own pulses have it asked again.
    """
    held = once(_HELD, frozenset[int])
    if not held or not kinds <= held:
        held |= kinds | causes.kinds(once("causes", causes.every))
        (SQL.clear_acts if _beat.acts < CUT_AT else SQL.cut_acts).run()
        _beat.acts = 0
        if _beat.answers is not None:
            _beat.answers[_HELD] = held
    if SQL.ungathered.value(leads=leads):
        _beat.acts += SQL.gather.run({"kinds": sorted(held), "now": now}, leads=leads)
