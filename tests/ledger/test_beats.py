"""What the steps of a beat share: answers asked once, and the acts of those it asks about, read once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from psycopg import sql

from hagukumi.ledger import beats
from hagukumi.ledger import services as ledger

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def acts(table="act"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT lead_id, kind FROM {table} ORDER BY lead_id, kind")
        return cursor.fetchall()


def of(*leads):
    return sql.SQL("SELECT unnest({}::bigint[]) AS lead_id").format(sql.Literal(list(leads)))


@pytest.fixture
def told():
    """Two people with a page view each, one with a note too, one with a view that a skewed clock dates tomorrow."""
    ledger.open_beat_tables()
    ledger.record([ledger.Fact(lead, "page_view", NOW - timedelta(days=200)) for lead in (1, 2)])
    ledger.record([ledger.Fact(1, "note", NOW), ledger.Fact(2, "page_view", NOW + timedelta(days=1))])


@pytest.fixture(autouse=True)
def nobody_reads(monkeypatch):
    monkeypatch.setattr("hagukumi.ledger.causes._READERS", {})


def test_an_answer_is_asked_once_a_beat_and_each_time_outside_of_one():
    asked = []
    for _ in range(2):
        beats.once("question", lambda: asked.append("outside"))
    with beats.under_way():
        for _ in range(2):
            beats.once("question", lambda: asked.append("inside"))
        beats.forget("question")
        beats.once("question", lambda: asked.append("again"))
    assert asked == ["outside", "outside", "inside", "again"]


def test_acts_are_gathered_of_those_asked_about_and_of_the_kinds_read(told):
    with transaction.atomic(), beats.under_way(), ledger.by_index():
        beats.gather(of(1, 9), frozenset({1}), NOW)
        assert acts() == [(1, 1)]
        beats.gather(of(1, 2), frozenset({1}), NOW)  # the second joins, the first is not read again
        assert acts() == [(1, 1), (2, 1)]
        assert acts("act_ahead") == [(2, 1)]


def test_who_asks_for_a_further_kind_gets_it_of_everybody_they_ask_about(told):
    with transaction.atomic(), beats.under_way(), ledger.by_index():
        beats.gather(of(1), frozenset({1}), NOW)
        beats.gather(of(1, 2), frozenset({34}), NOW)
        assert acts() == [(1, 1), (1, 34), (2, 1)]


def test_the_next_beat_begins_with_no_acts(told):
    for leads in ((1, 2), (2,)):
        with transaction.atomic(), beats.under_way(), ledger.by_index():
            beats.gather(of(*leads), frozenset({1}), NOW)
    assert acts() == [(2, 1)]
