"""What strangers may send: answers beyond a limit, or without the work their page asks for, wait for a person.

Both doors (the collector's and the page's own) end in one taker, so the limits are counted here, for both together, and
in the database. Whoever sends too much is told the same as everybody: nothing is lost, and nothing learnt from it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hagukumi.accounts import audit, throttle
from hagukumi.collect.tracking import services as tracking
from hagukumi.kit import callers

from .models import HeldAnswer

HOUR = timedelta(hours=1)
Row = dict[str, Any]


def hold_back(rows: Sequence[Row], versions: dict[int, Row], now: datetime) -> list[Row]:
    """Keep what is too much in `held_answer`; returns the rows that may go on, in their order.

    `versions`: by id, as the named query `versions` gives them. One statement per kind of limit, not per answer.
    """
    held = {
        place: "work"
        for place, row in enumerate(rows)
        if versions[row["object_id"]]["challenge"] == "work" and not row["details"].get("work")
    }
    for reason in ("caller", "network", "form"):
        subjects: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            subject = _subject(reason, row, versions[row["object_id"]]["form_id"])
            if subject and place not in held:
                subjects[subject].append(place)
        most = {
            subject: versions[rows[places[0]]["object_id"]][f"per_{reason}"] for subject, places in subjects.items()
        }
        tries = {subject: (len(places), most[subject]) for subject, places in subjects.items()}
        admitted = throttle.admit(f"form.{reason}", tries, HOUR, now)
        for subject, places in subjects.items():
            held.update(dict.fromkeys(places[admitted[subject] :], reason))
    HeldAnswer.objects.bulk_create(
        _held(row, versions[row["object_id"]], held[place]) for place, row in enumerate(rows) if place in held
    )
    return [row for place, row in enumerate(rows) if place not in held]


def release(answer: HeldAnswer, now: datetime) -> None:
    """A person says that this is an answer: it goes the way of every other."""
    details = {**answer.details, "released": True, "work": True}
    tracking.put_in_inbox("form", now=now, visitor=answer.visitor, object_id=answer.version_id, details=details)
    audit.record("answer.released", "form", answer.form_id, now, reason=answer.reason)
    answer.delete()


def discard(form_id: int, now: datetime, *, only: int | None = None) -> int:
    """Throw held answers of a form away, all or one; returns how many."""
    found = HeldAnswer.objects.filter(form_id=form_id)
    count, _each = (found.filter(pk=only) if only else found).delete()
    if count:
        audit.record("answer.discarded", "form", form_id, now, count=count)
    return count


def _subject(reason: str, row: Row, form_id: int) -> str:
    """What is counted together, '' where nothing is: an answer from nowhere, one that a person has let through."""
    if row["details"].get("released"):
        return ""
    if reason == "form":
        return str(form_id)
    address = str(row["details"].get("from") or "")
    where = callers.caller(address) if reason == "caller" else callers.network(address)
    return f"{form_id} {where}" if where else ""


def _held(row: Row, version: Row, reason: str) -> HeldAnswer:
    return HeldAnswer(
        form_id=version["form_id"],
        version_id=version["version_id"],
        reason=reason,
        address=str(row["details"].get("from") or "")[:45],
        visitor=row.get("visitor") or "",
        details=row["details"],
        at=row["at"],
    )
