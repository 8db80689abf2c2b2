"""The daily figures: added as beats take facts, the same as counted from the ledger, whenever that is asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hagukumi.collect.tracking import rollup
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import ActivityDay, Pulse
from hagukumi.ledger.services import Fact, record
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo
HOUR = timedelta(hours=1)


def figures():
    rows = ActivityDay.objects.order_by("day", "kind", "object_id")
    return [(str(row.day), row.kind, row.object_id, row.count, row.leads) for row in rows]


def view(lead, at, page=7, **details):
    return Fact(lead, "page_view", at, page, details=details or None)


def test_facts_are_added_beat_by_beat(db):
    record([view(1, NOON), view(1, NOON + HOUR), view(2, NOON), view(1, NOON, page=8)])
    beat(NOON)
    assert figures() == [("2026-11-20", 1, 7, 3, 2), ("2026-11-20", 1, 8, 1, 1)]
    record([view(1, NOON + 2 * HOUR), view(3, NOON + 2 * HOUR), view(2, NOON - 13 * HOUR)])
    beat(NOON)
    assert figures() == [("2026-11-19", 1, 7, 1, 1), ("2026-11-20", 1, 7, 5, 3), ("2026-11-20", 1, 8, 1, 1)]


def test_a_machines_act_is_not_added(db):
    clicks = [Fact(lead, "mail_clicked", NOON, 5, details=details) for lead, details in ((1, None), (2, {"by": "bot"}))]
    record(clicks)
    beat(NOON)
    assert figures() == [("2026-11-20", 12, 5, 1, 1)]


def test_a_beat_does_not_count_a_day_again(db):
    record([view(1, NOON)])
    beat(NOON)
    with connection.cursor() as cursor:  # what only a count from the ledger would put right
        cursor.execute("UPDATE activity_day SET count = 41")
    for minutes in range(10):
        record([view(2 + minutes, NOON)])
        settle(NOON + timedelta(minutes=minutes))
    assert figures() == [("2026-11-20", 1, 7, 51, 11)]
    settle(NOON + 14 * HOUR)  # two in the morning: the day is over, and counted
    assert figures() == [("2026-11-20", 1, 7, 11, 11)]


def test_what_waits_is_counted_once_when_a_day_is_redone(db):
    record([view(1, NOON), view(2, NOON)])
    beat(NOON)
    record([view(1, NOON + HOUR), view(3, NOON + HOUR)])
    assert Pulse.objects.count() == 2
    rollup.redo(NOON.date(), NOON.date(), NOON)
    rollup.step(NOON)
    assert figures()[0][:4] == ("2026-11-20", 1, 7, 2)
    beat(NOON)
    assert figures()[0][:4] == ("2026-11-20", 1, 7, 4)


def test_pulses_without_facts_add_nothing(people):
    from psycopg import sql

    (lead,) = people(1)
    ledger.ask_again(sql.SQL("SELECT {}::bigint AS lead_id").format(sql.Literal(lead)), "field_changed", NOON)
    settle(NOON)
    assert figures() == []


def test_added_is_the_same_as_counted(db):
    """Some thousand acts of a few people in a shuffled order, taken in small batches, with machines among them."""
    import random

    rng = random.Random(7)
    now = NOON
    for _turn in range(30):
        now += timedelta(minutes=97)
        record(
            [
                Fact(
                    rng.randint(1, 6), rng.choice(("page_view", "mail_clicked", "note")),
                    now - timedelta(minutes=rng.randint(0, 3000)), rng.choice((None, 7, 8)),
                    details=rng.choice((None, None, {"by": "bot"})),
                )
                for _ in range(12)
            ]
        )  # fmt: skip
        beat(now, batch=9)
    settle(now)
    settle(now + 3 * timedelta(days=1))  # every day is over
    added = figures()
    ActivityDay.objects.all().delete()
    rollup.redo(NOON.date() - timedelta(days=5), NOON.date() + timedelta(days=5), now)
    for _ in range(10):
        settle(now + 4 * timedelta(days=1))
    assert added == figures()
    assert sum(row[3] for row in added) > 200
