"""The timeline: every kind can stand on it, visits are grouped, pages follow each other."""

from datetime import datetime, timedelta

from hagukumi.collect.tracking.models import Page
from hagukumi.kit.clock import JST
from hagukumi.ledger import kinds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.overview.timeline import reads as timeline
from hagukumi.overview.timeline import reads as timelines


def test_every_kind_stands_on_it(people, now):
    (a,) = people(1)
    every = kinds.every()
    ledger.record([Fact(a, kind.key, now + timedelta(hours=n), object_id=1, amount=5) for n, kind in enumerate(every)])
    shown = set()
    for day in timelines.timeline(a).days:
        for item in day.items:
            shown |= {item.kind.key} if isinstance(item, timeline.Entry) else {entry.kind.key for entry in item.entries}
    assert shown == {kind.key for kind in every}
    assert {kind.object for kind in every if kind.object} <= set(timeline.OBJECTS)


def test_web_facts_within_thirty_minutes_are_one_visit(people, now):
    (a,) = people(1)
    page = Page.objects.create(url="https://example.co.jp/price", title="料金", first_seen_at=now)
    minutes = [0, 2, 6, 37, 60]
    ledger.record([Fact(a, "page_view", now + timedelta(minutes=m), object_id=page.id) for m in minutes])
    later, first = timelines.timeline(a).days[0].items
    assert (first.pages, first.minutes) == (3, 6)
    assert (later.pages, later.minutes) == (2, 23)
    assert first.entries[0].name == "料金"


def test_days_are_japanese(people, now):
    (a,) = people(1)
    midnight = datetime(2026, 11, 20, 0, 0, tzinfo=JST)
    ledger.record([Fact(a, "note", midnight), Fact(a, "note", midnight - timedelta(microseconds=1))])
    assert [str(day.date) for day in timelines.timeline(a).days] == ["2026-11-20", "2026-11-19"]


def test_pages_and_groups(people, now):
    (a,) = people(1)
    ledger.record([Fact(a, "note", now - timedelta(days=n)) for n in range(5)] + [Fact(a, "mail_sent", now)])
    seen, cursor = 0, ""
    while True:
        entries, cursor = timeline.page(a, before=cursor, size=2)
        seen += len(entries)
        if not cursor:
            break
    assert seen == 6
    assert [entry.kind.key for entry in timeline.page(a, group="mail")[0]] == ["mail_sent"]
