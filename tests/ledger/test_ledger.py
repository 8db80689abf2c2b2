from datetime import UTC, datetime, timedelta

import pytest

from hagukumi.ledger import kinds, services
from hagukumi.ledger.models import Activity, Pulse
from hagukumi.ledger.services import Fact

pytestmark = pytest.mark.django_db


def test_a_fact_is_one_row_and_one_pulse(now):
    assert services.record([Fact(5, "note", now, details={"text": "電話で「来期」とのこと"})]) == 1
    kept = Activity.objects.get(lead_id=5)
    assert (kept.at, kept.kind, kept.details) == (now, 34, {"text": "電話で「来期」とのこと"})
    pulse = Pulse.objects.get()
    assert (pulse.lead_id, pulse.kind, pulse.hop) == (5, 34, 0)


def test_months_are_made_as_facts_need_them(now):
    old = datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC)
    services.record([Fact(1, "note", old), Fact(1, "note", old + timedelta(seconds=1)), Fact(1, "note", now)])
    assert Activity.objects.filter(lead_id=1).count() == 3


def test_a_fact_of_an_unknown_kind_is_refused_and_nothing_is_written(now):
    with pytest.raises(KeyError):
        services.record([Fact(1, "note", now), Fact(1, "no_such_kind", now)])
    assert not Activity.objects.exists()


def test_every_kind_is_named_in_both_languages_and_has_its_own_code():
    found = kinds.every()
    assert len({kind.code for kind in found}) == len({kind.key for kind in found}) == len(found)
    assert all(kind.label_ja and kind.label_en and kind.icon and kind.group for kind in found)


def test_a_beat_takes_the_oldest_facts_first(people, now):
    from django.db import connection, transaction

    from hagukumi.ledger import services as ledger

    ids = people(5)
    for lead in ids:
        ledger.record([ledger.Fact(lead, "page_view", now)])
    taken = []
    with transaction.atomic(), connection.cursor() as cursor:
        ledger.open_beat_tables()
        while ledger.take_pulses(now, 2).pulses:
            cursor.execute("SELECT lead_id FROM touched ORDER BY lead_id")
            taken.append([row[0] for row in cursor.fetchall()])
    assert taken == [ids[:2], ids[2:4], ids[4:]]
