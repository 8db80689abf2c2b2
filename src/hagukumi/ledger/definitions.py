"""Definitions that may break: a segment, a rule, a scenario that people have made runs under a savepoint of its own.

One that breaks is set aside with its cause, shown to those who can mend it, and left out, so that the heart goes on. It
is tried again after a rest that doubles, or at once when it was edited or somebody asks; what then works is reinstated.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction

from . import beats
from .queries import SQL

log = structlog.get_logger(__name__)
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)


@dataclass(frozen=True)
class Owner:
    """A kind of definition. `page`: where one is mended, with `{}` for its id; '' where there is no such screen.

    `again` makes an id ready to be evaluated afresh before it is tried again: what it missed while left out counts too.
    """

    key: str
    label_ja: str
    label_en: str
    page: str = ""
    again: Callable[[int], object] | None = None
    longest_rest: timedelta = LONGEST_REST


_OWNERS: dict[str, Owner] = {}


def register(*owners: Owner) -> None:
    """Add kinds of definitions that the heart runs; each room names its own in app/wiring.py."""
    for one in owners:
        _OWNERS[one.key] = one


def owner(key: str) -> Owner:
    """The kind of definition by its key; one that nobody registered is called by its key."""
    return _OWNERS.get(key, Owner(key, key, key))


def step(now: datetime) -> int:
    """The first step of a beat: those whose rest is over are made ready to be tried again. Returns how many."""
    rows = SQL.rested.rows({"now": now})
    if rows:
        beats.forget()  # what waits to be built, too
    for row in rows:
        if ready := owner(row["owner"]).again:
            ready(row["object_id"])
    return len(rows)


def broken(owner_key: str) -> dict[int, str]:
    """Definitions of this kind that are set aside, with the cause of each."""
    return {row["object_id"]: row["error"] for row in _all_set_aside() if row["owner"] == owner_key}


def _all_set_aside() -> list[dict[str, Any]]:
    return beats.once("set aside", SQL.all_set_aside.rows)


def set_aside(owner_key: str, object_id: int, error: Exception, now: datetime) -> None:
    """Leave one definition out, with the cause; the transaction must be sound. Its rest doubles with each failure."""
    row = SQL.set_aside.row(
        {
            "owner": owner_key,
            "object_id": object_id,
            "error": str(error)[:2000],
            "now": now,
            "first_rest": FIRST_REST,
            "longest_rest": owner(owner_key).longest_rest,
        }
    )
    beats.forget("set aside")
    about = {"owner": owner_key, "object_id": object_id}
    if row and row["tries"] > 1:  # the traceback stands in the log already
        log.warning("a definition is still broken", **about, tries=row["tries"], error=str(error)[:200])
    else:
        log.error("a definition was set aside", **about, exc_info=error)


def reinstate(owner_key: str, object_id: int) -> None:
    """The definition works, or was edited: take it back in."""
    SQL.reinstate.run({"owner": owner_key, "object_id": object_id})
    beats.forget("set aside")


def try_again(owner_key: str, object_id: int) -> bool:
    """Somebody asks for another try at the next beat; False where it is not set aside."""
    return bool(SQL.end_rest.run({"owner": owner_key, "object_id": object_id}))


class Turn:
    """One kind's definitions in one beat: which are left out, and a guard to run each of the others under."""

    def __init__(self, owner_key: str, now: datetime) -> None:
        self._owner = owner_key
        self._now = now
        self._listed = {row["object_id"]: row["resting"] for row in _all_set_aside() if row["owner"] == owner_key}

    def skips(self, object_id: int) -> bool:
        """Whether this one is left out for now."""
        return bool(self._listed.get(object_id))

    def on_trial(self, object_id: int) -> bool:
        """Whether it was set aside before, and its rest is over."""
        return self._listed.get(object_id) is False

    def set_aside(self, object_id: int, error: Exception) -> None:
        """Leave it out from here on, in this very beat, too."""
        set_aside(self._owner, object_id, error, self._now)
        self._listed[object_id] = True

    @contextmanager
    def attempt(self, object_id: int) -> Iterator[None]:
        """Run one definition under a savepoint. Where it breaks it is set aside; where it works again, reinstated."""
        try:
            with transaction.atomic():
                yield
        except (OperationalError, InterfaceError):  # the database, not the definition: the whole beat is done again
            raise
        except Exception as error:
            self.set_aside(object_id, error)
        else:
            if object_id in self._listed:
                reinstate(self._owner, object_id)
                del self._listed[object_id]


def turn(owner_key: str, now: datetime) -> Turn:
    """This beat's turn of a kind of definition."""
    return Turn(owner_key, now)
