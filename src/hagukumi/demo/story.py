"""A year in the life of ひなた計測, tick by tick: people arrive, read, click, ask; sales answers; deals close.

The story decides what people do; what follows from it (scores, phases, scenarios, mails, handovers) is left to the heart.
"""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hagukumi.collect.tracking.models import Inbox
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.people.identity import services as identity
from hagukumi.people.leads.models import LeadIdentity
from hagukumi.sales.deals import services as deals
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers import services as handovers
from hagukumi.sales.handovers.models import Handover

from . import words
from .people import Person

_PATHS = list(words.PAGES)
_WEIGHTS = [words.PAGES[path][2] for path in _PATHS]
WINS = (
    ("停止時間の見える化", 5),
    ("後付けで始められる", 4),
    ("同業の導入事例", 3),
    ("一台からの試行で効果が出た", 3),
    ("保守と教育の手厚さ", 2),
)
LOSS = (("price", 5), ("competitor", 4), ("postponed", 6), ("function", 2), ("silent", 2))
RETURNS = (("no_answer", 5), ("not_now", 6), ("no_need", 3), ("no_budget", 3), ("not_decider", 3))


@dataclass(frozen=True)
class Arrival:
    """A person comes to be known at `at` by a source (a `words.SOURCES` row's name)."""

    at: datetime
    person: Person
    source: str
    kind: str
    basis: str


@dataclass
class Cast:
    """Who is known so far: lead_id -> person, and each address's browser; `counted` when statistics were last taken."""

    people: dict[int, Person] = field(default_factory=dict)
    visitors: dict[str, str] = field(default_factory=dict)
    counted: int = 0


@dataclass(frozen=True)
class Stage:
    """Ids of the definitions that `company.build` laid, by their words' keys. `gates`: form version -> content it opens."""

    sources: dict[str, int]
    forms: dict[str, int]
    gates: dict[int, int | None]
    sellers: tuple[int, ...]


def working_hour(random: Random, day: datetime) -> datetime:
    """An instant of that day between 8:30 and 19:00 in Tokyo."""
    return (
        day.replace(hour=0, minute=0, second=0, microsecond=0)
        - timedelta(minutes=30)
        + timedelta(minutes=random.randint(0, 630), seconds=random.randint(0, 59))
    )


def arrivals(random: Random, crowd: list[Person], end: datetime, days: int) -> list[Arrival]:
    """When and by which source each person becomes known; fairs and webinars come in a day, the web all year."""
    found = []
    waiting = list(crowd)
    total = sum(source[4] for source in words.SOURCES)
    for name, kind, ago, _cost, share, basis in words.SOURCES:
        count = round(len(crowd) * share / total)
        taken, waiting = waiting[:count], waiting[count:]
        for person in taken:
            # The web grows over the year; a fair happens on its days.
            back = ago - random.choice((0, 0, 1, 2)) if ago is not None else int(days * (1 - random.random() ** 0.8))
            at = working_hour(random, end - timedelta(days=max(back, 0)))
            found.append(Arrival(min(at, end - timedelta(minutes=random.randint(5, 200))), person, name, kind, basis))
    found.sort(key=lambda arrival: arrival.at)
    return found


def arrive(random: Random, stage: Stage, cast: Cast, web: "Web", coming: list[Arrival]) -> None:
    """Take people in by the door of their source: by file, with what is known of the meeting, or by form."""
    by_door: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for arrival in coming:
        if arrival.kind in ("download", "inquiry"):
            _ask(random, web, arrival)
        else:
            by_door[arrival.source, arrival.basis].append(arrival)
    facts: list[Fact] = []
    for (source, basis), group in by_door.items():
        at = max(arrival.at for arrival in group)
        ids = identity.upsert_people(
            [arrival.person.row for arrival in group],
            source_id=stage.sources[source],
            basis=basis,
            now=at,
            evidence=source,
        )
        for arrival, lead_id in zip(group, ids, strict=True):
            cast.people[lead_id] = arrival.person
            facts += _meeting(random, stage, arrival, lead_id, at)
    ledger.record(facts)


def _ask(random: Random, web: "Web", arrival: Arrival) -> None:
    """A stranger reads some pages over some days, then answers a form."""
    visitor = web.stranger(str(arrival.person.row["email"]))
    for back in range(random.choice((0, 0, 1, 1, 2)), 0, -1):
        web.visit(arrival.at - timedelta(days=back * random.randint(1, 3)), visitor, 1 + int(random.expovariate(0.6)))
    first = "/contact/" if arrival.kind == "inquiry" else "/download/"
    ended = web.visit(
        arrival.at - timedelta(minutes=random.randint(4, 25)), visitor, 2 + int(random.expovariate(0.6)), first
    )
    key = "contact" if arrival.kind == "inquiry" else random.choice(("guide", "guide", "cases"))
    web.answer(min(ended, arrival.at), visitor, arrival.person.row, key)


def meet(cast: Cast, coming: list[Arrival]) -> None:
    """Learn who the people have become that came in by a form."""
    wanted = {str(arrival.person.row["email"]): arrival.person for arrival in coming}
    for address, lead_id in LeadIdentity.objects.filter(kind="email", value__in=wanted).values_list("value", "lead_id"):
        cast.people[lead_id] = wanted[address]


def _meeting(random: Random, stage: Stage, arrival: Arrival, lead_id: int, at: datetime) -> list[Fact]:
    source = stage.sources[arrival.source]
    if arrival.kind == "exhibition" and random.random() < 0.25 + arrival.person.interest * 0.6:
        return [Fact(lead_id, "booth_talk", at, source, details={"text": random.choice(words.TALKS)})]
    if arrival.kind == "webinar":
        came = random.random() < 0.45 + arrival.person.interest * 0.5
        return [Fact(lead_id, "seminar_attended" if came else "seminar_absent", at, source)]
    if arrival.kind == "telemarketing":
        return [Fact(lead_id, "call", at, None, random.randint(40, 600), details={"text": random.choice(words.TALKS)})]
    return []


class Web:
    """Collects what the collector would have acknowledged, and puts it into the inbox in one go."""

    def __init__(self, random: Random, cast: Cast, stage: Stage) -> None:
        self._random, self._cast, self._stage = random, cast, stage
        self._rows: list[Inbox] = []

    def _event(self, at: datetime, kind: str, **columns: Any) -> uuid.UUID:
        event_id = uuid.UUID(int=self._random.getrandbits(128), version=4)
        self._rows.append(Inbox(event_id=event_id, at=at, kind=kind, **columns))
        return event_id

    def visit(
        self, at: datetime, visitor: str, pages: int, first: str | None = None, mail: tuple[int, int] | None = None
    ) -> datetime:
        """One visit of some pages, with time and scrolling; returns when it ended.

        `mail` (lead_id, delivery_id): it began with a link of that mail, which tells who sits at the browser.
        """
        for number in range(pages):
            path = first if number == 0 and first else self._random.choices(_PATHS, _WEIGHTS)[0]
            page = {"visitor": visitor, "url": words.SITE + path, "title": words.PAGES[path][0]}
            stay = int(min(self._random.lognormvariate(3.6, 0.9), 900))
            if mail and number == 0:
                self._event(at, "view", **page, **self._arrival(*mail))
            else:
                found_by = "" if number else self._random.choice(("", "https://search.example/"))
                self._event(at, "view", referrer=found_by, **page)
            at += timedelta(seconds=stay + 1)
            self._event(at, "dwell", amount=stay, **page)
            self._event(at, "scroll", amount=self._random.choice((25, 50, 75, 90, 100)), **page)
        return at

    def browser(self, lead_id: int) -> str:
        return self.stranger(str(self._cast.people[lead_id].row["email"]))

    def stranger(self, address: str) -> str:
        """The visitor id of the browser that this person always uses."""
        return self._cast.visitors.setdefault(address, f"{self._random.getrandbits(96):024x}")

    def answer(self, at: datetime, visitor: str, row: dict[str, object], key: str) -> None:
        """Somebody answers a form from their browser; two of three then open the paper it gives."""
        asked = ("last_name", "first_name", "company_name", "email", "department", "title")
        found = {name: row[name] for name in asked if row[name]}
        if key == "contact":
            found["issue"] = self._random.choice(words.TALKS)
        version = self._stage.forms[key]
        details = {"answers": found, "consent": True, "language": "ja"}
        event = self._event(at, "form", visitor=visitor, object_id=version, details=details)
        content = self._stage.gates[version]
        if content and self._random.random() < 0.66:
            after = at + timedelta(seconds=self._random.randint(10, 90))
            self._event(after, "content", visitor=visitor, object_id=content, details={"event": str(event)})

    def _arrival(self, lead_id: int, delivery_id: int) -> dict[str, Any]:
        """What the collector adds to a view that shows the token of a mail's link."""
        token = uuid.UUID(int=self._random.getrandbits(128), version=4)
        return {"lead_id": lead_id, "delivery_id": delivery_id, "details": {"arrival": str(token)}}

    def mail_act(self, at: datetime, kind: str, lead_id: int, delivery_id: int, url: str = "") -> None:
        self._event(at, kind, lead_id=lead_id, delivery_id=delivery_id, url=url)

    def flush(self, until: datetime) -> None:
        """Write what has happened by `until`, in the order of time; the rest waits."""
        due = sorted((row for row in self._rows if row.at <= until), key=lambda row: row.at)
        self._rows = [row for row in self._rows if row.at > until]
        Inbox.objects.bulk_create(due, batch_size=2000)


def browse(random: Random, cast: Cast, web: Web, start: datetime, end: datetime) -> None:
    """Known people come by according to their interest, strangers at a steady rate."""
    span = (end - start) / timedelta(days=1)
    for lead_id, person in cast.people.items():
        if random.random() < min(person.interest**2.2 * span * 0.055, 0.9):
            at = working_hour(random, _instant(random, start, end))
            if not start < at < end:
                continue
            ended = web.visit(at, web.browser(lead_id), 1 + int(random.expovariate(0.45)))
            if random.random() < person.interest * 0.10:
                key = random.choices(("guide", "cases", "contact", "webinar"), (5, 5, 2, 2))[0]
                web.answer(min(ended, end), web.browser(lead_id), person.row, key)
    for _ in range(int(span * 5 * random.uniform(0.6, 1.4))):
        web.visit(
            _instant(random, start, end - timedelta(hours=2)),
            f"{random.getrandbits(96):024x}",
            1 + int(random.expovariate(0.9)),
        )


def _instant(random: Random, start: datetime, end: datetime) -> datetime:
    return start + (end - start) * random.random()


def sell(random: Random, stage: Stage, cast: Cast, since: datetime, now: datetime) -> None:
    """Sales does its day: answers handovers, opens deals, moves and closes them."""
    for handover in Handover.objects.filter(state="open", created_at__lt=now - timedelta(hours=4)):
        if random.random() < 0.86:
            _answer(random, stage, cast, handover, now)
    for deal in Deal.objects.filter(outcome="", created_at__lt=now - timedelta(days=6)):
        _advance(random, cast, deal, since, now)


def _answer(random: Random, stage: Stage, cast: Cast, handover: Handover, now: datetime) -> None:
    person = cast.people.get(handover.lead_id)
    if person is None:
        return
    worth = 0.30 + person.interest * 0.4 + person.company.fit * 0.4
    seller = stage.sellers[handover.lead_id % len(stage.sellers)]
    at = min(max(handover.created_at + timedelta(hours=random.choice((2, 5, 9, 20, 30))), handover.created_at), now)
    if random.random() > worth:
        reason = random.choices([key for key, _ in RETURNS], [share for _, share in RETURNS])[0]
        handovers.give_back(handover.lead_id, handover.id, user_id=seller, reason=reason, note="", now=at)
        return
    handovers.accept(handover.lead_id, handover.id, user_id=seller, now=at)
    length = random.randint(60, 900)
    text = random.choice(words.TALKS)
    ledger.record(
        [Fact(handover.lead_id, "call", min(at + timedelta(hours=1), now), None, length, details={"text": text})]
    )
    if random.random() < 0.35 + person.company.fit * 0.5:
        machines = random.choice((5, 10, 10, 20, 30, 50, 80))
        deals.create_deal(
            handover.lead_id,
            name=f"ミナモ {machines}台 {person.company.name}",
            amount_yen=machines * 120_000 + 400_000,
            stage="approach",
            owner_id=seller,
            now=min(at + timedelta(hours=3), now),
            expected_on=(at + timedelta(days=random.randint(30, 100))).date(),
        )


def _advance(random: Random, cast: Cast, deal: Deal, since: datetime, now: datetime) -> None:
    """A stage further, or to its end; how likely follows how long the span is, so that days and weeks tell the same tale."""
    order = ["approach", "hearing", "proposal", "closing"]
    place = order.index(deal.stage)
    age = (now - deal.created_at) / timedelta(days=1)
    weeks = (now - since) / timedelta(days=7)
    at = max(deal.created_at, min(working_hour(random, _instant(random, since, now)), now))
    if place < 3 and age > 8 + 11 * place and random.random() < min(0.6 * weeks, 0.9):
        deals.move_stage(deal.lead_id, deal.id, order[place + 1], now=at)
        return
    if age < 24 or random.random() > (0.10 + place * 0.06) * weeks:
        return
    won = place >= 2 and random.random() < 0.12 + cast.people[deal.lead_id].company.fit * 0.4
    reasons = WINS if won else LOSS
    reason = random.choices([text for text, _ in reasons], [share for _, share in reasons])[0]
    deals.close_deal(deal.lead_id, deal.id, won=won, amount_yen=None, reason=reason, now=at, user_id=deal.owner_id)
