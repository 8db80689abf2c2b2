"""The timeline: every kind can stand on it, visits are grouped, pages follow each other."""

from datetime import datetime, timedelta

import pytest

from hagukumi.collect.tracking.models import Page
from hagukumi.kit.clock import JST
from hagukumi.ledger import kinds, objects
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.sources.models import Source


def test_every_kind_stands_on_it(people, now):
    (a,) = people(1)
    every = kinds.every()
    ledger.record([Fact(a, kind.key, now + timedelta(hours=n), object_id=1, amount=5) for n, kind in enumerate(every)])
    shown = set()
    for day in timelines.timeline(a).days:
        for item in day.items:
            shown |= (
                {item.kind.key} if isinstance(item, timelines.Entry) else {entry.kind.key for entry in item.entries}
            )
    assert shown == {kind.key for kind in every}
    assert {kind.object for kind in every if kind.object} <= {one.table for one in objects.every()}


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
    seen, before = 0, None
    while True:
        entries, older = timelines.page(a, before=before, size=2)
        seen += len(entries)
        if not (before := timelines.read_place(older)):
            break
    assert seen == 6
    assert [entry.kind.key for entry in timelines.page(a, group="mail")[0]] == ["mail_sent"]


@pytest.mark.parametrize("one", objects.every(), ids=lambda one: one.table)
def test_every_object_is_named_by_sql_that_fits_the_schema(db, one):
    assert objects.names({one.table: [2**40]}, lead_id=1) == {}


def test_objects_are_named_in_one_statement(db, people, now, django_assert_num_queries):
    (lead,) = people(1)
    source = Source.objects.create(name="展示会", created_at=now)
    with django_assert_num_queries(1):
        found = objects.names({"lead": [lead], "source": [source.id], "unheard": [1], "page": []})
    assert found == {("lead", lead): ("山田0 花子", ""), ("source", source.id): ("展示会", "")}
