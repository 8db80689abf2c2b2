"""A person's timeline: facts of the ledger by Japanese day and by visit, with the names of what they point to."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hagukumi.kit import clock, keyset
from hagukumi.kit.sql import Queries
from hagukumi.ledger import kinds as registry
from hagukumi.ledger import objects
from hagukumi.ledger.kinds import Kind

SQL = Queries(__file__, "reads.sql")
VISIT_GAP = timedelta(minutes=30)
"""Two web facts further apart than this belong to two visits (the field's usual session window)."""
WEB = "web"
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
Place = tuple[Any, ...]
"""(instant, id): where a fact stands."""


@dataclass(frozen=True)
class Entry:
    """One fact. `name` / `name_en`: what `object_id` points to ('' = nothing or gone); `amount` in the kind's unit."""

    at: datetime
    id: int
    kind: Kind
    object_id: int | None
    amount: float | None
    details: dict[str, Any]
    name: str = ""
    name_en: str = ""
    moved: bool = False


@dataclass
class Visit:
    """Web facts with no gap over 30 minutes, newest first. `at` is the last of them."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def at(self) -> datetime:
        return self.entries[0].at

    @property
    def pages(self) -> int:
        return sum(entry.kind.key == "page_view" for entry in self.entries)

    @property
    def minutes(self) -> int:
        """How long it lasted: from the first fact to the last, or the measured time on pages where that is longer."""
        span = (self.entries[0].at - self.entries[-1].at).total_seconds()
        read = sum(entry.amount or 0 for entry in self.entries if entry.kind.key == "dwell")
        return round(max(span, read) / 60)

    @property
    def kind(self) -> Kind:
        return registry.by_key("page_view")


@dataclass(frozen=True)
class Day:
    """A day in Japan with its entries and visits, newest first."""

    date: date
    items: list[Entry | Visit]


@dataclass(frozen=True)
class Timeline:
    days: list[Day]
    next: str = ""


def groups() -> list[str]:
    """The timeline's filters, in the order kinds were given out."""
    return list(dict.fromkeys(kind.group for kind in registry.every()))


def timeline(lead_id: int, *, group: str = "", before: Place | None = None, size: int = 150) -> Timeline:
    """The newest `size` facts of a lead before that place, by day and visit. Three statements at most."""
    entries, older = page(lead_id, group=group, before=before, size=size)
    return Timeline(_days(entries), older)


def page(lead_id: int, *, group: str = "", before: Place | None = None, size: int = 150) -> tuple[list[Entry], str]:
    """The newest facts as a flat list, newest first, and the mark of what is older ('' = nothing is)."""
    kinds = [kind.code for kind in registry.every() if not group or kind.group == group]
    return keyset.page(_before(lead_id, before or (LATEST, 0), kinds, size + 1), "at", "id", size=size)


def place(entry: Entry) -> str:
    """Where a fact stands on its person's timeline, as a text that comes back from a page (see `read_place`)."""
    return keyset.mark(entry.at, entry.id)


def read_place(text: str | None) -> Place | None:
    """The place that a mark of a timeline names; None for a text that is none."""
    return keyset.read(text, datetime, int)


def at_place(lead_id: int, text: str) -> Entry | None:
    """The fact of this person that stands there; None when it is gone, or the text is no place."""
    found_place = read_place(text)
    if found_place is None:
        return None
    at, fact_id = found_place
    found = _before(lead_id, (at, fact_id + 1), [kind.code for kind in registry.every()], 1)
    return next((entry for entry in found if (entry.at, entry.id) == (at, fact_id)), None)


def _before(lead_id: int, position: Place, kinds: list[int], limit: int) -> list[Entry]:
    built = {key: registry.by_key(f"segment_{key}").code for key in ("entered", "left")}
    at, last_id = position
    params = {"lead_id": lead_id, "at": at, "id": last_id, "kinds": kinds, "limit": limit, **built}
    return _named(lead_id, SQL.timeline.rows(params))


def named(facts: Sequence[tuple[int, int | None, datetime]]) -> list[Entry]:
    """Facts kept elsewhere as (kind code, object id, instant), with the names of what they point to. One statement.

    Whose they are is not asked, so what has a name only within a lead (a handover, a deal) stays without one.
    """
    keys = ("kind", "object_id", "at")
    rest: dict[str, Any] = {"id": 0, "amount": None, "details": {}, "origin_lead_id": None}
    return _named(0, [{**rest, **dict(zip(keys, fact, strict=True))} for fact in facts])


def _named(lead_id: int, rows: Sequence[dict[str, Any]]) -> list[Entry]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row["object_id"] is not None:
            wanted[registry.by_code(row["kind"]).object].add(row["object_id"])
    names = objects.names(wanted, lead_id)
    entries = []
    for row in rows:
        kind = registry.by_code(row["kind"])
        name, name_en = names.get((kind.object, row["object_id"]), ("", ""))
        details = json.loads(row["details"]) if isinstance(row["details"], str) else row["details"] or {}
        entries.append(
            Entry(
                row["at"], row["id"], kind, row["object_id"], row["amount"], details, name,
                name_en or name, row["origin_lead_id"] is not None,
            )
        )  # fmt: skip
    return entries


def _days(entries: Sequence[Entry]) -> list[Day]:
    days: list[Day] = []
    visit: Visit | None = None
    for entry in entries:
        day = clock.jst_date(entry.at)
        if not days or days[-1].date != day:
            days.append(Day(day, []))
            visit = None
        if entry.kind.group != WEB or entry.kind.key in ("visitor_joined", "visitor_left"):
            days[-1].items.append(entry)
        elif visit and visit.entries[-1].at - entry.at <= VISIT_GAP:
            visit.entries.append(entry)
        else:
            visit = Visit([entry])
            days[-1].items.append(visit)
    return days
