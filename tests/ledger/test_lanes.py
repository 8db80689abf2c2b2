"""What happens now goes before bulk work; what nobody reads is dropped before any step pays for it."""

import pytest
from django.db import connection
from psycopg import sql

from hagukumi.judge.segments import services as segments
from hagukumi.ledger import causes, kinds, services
from hagukumi.ledger.causes import Cause, concern
from hagukumi.ledger.models import ActivityDay, Pulse
from hagukumi.ledger.services import Fact, record
from hagukumi.worker import heart

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything_is_read(monkeypatch):
    every = Cause(frozenset(kind.code for kind in kinds.every()))
    monkeypatch.setattr(causes, "_READERS", {"all": lambda: [every]})


def bulk(leads, kind, now, object_id=None):
    services.open_beat_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fact (lead_id, at, kind, object_id) SELECT unnest(%s::bigint[]), %s, %s, %s",
            [list(leads), now, kinds.by_key(kind).code, object_id],
        )
    services.record_pending(services.BULK)


def touched():
    with connection.cursor() as cursor:
        cursor.execute("SELECT lead_id, kind, object_id FROM touched ORDER BY 1, 2, 3")
        return cursor.fetchall()


def test_a_live_fact_overtakes_bulk_work(everything_is_read, now):
    bulk(range(100, 200), "note", now)
    record([Fact(1, "note", now), Fact(2, "note", now)])
    taken = services.take_pulses(now, 20, room=5)
    assert (taken.pulses, taken.bulk) == (7, 5)
    assert [lead for lead, _, _ in touched()] == [1, 2, 100, 101, 102, 103, 104]
    assert services.take_pulses(now, 20, room=0).pulses == 0
    assert Pulse.objects.filter(lane=1).count() == 95


def test_the_oldest_live_facts_are_taken_first(everything_is_read, now):
    for lead in (9, 5, 1):
        record([Fact(lead, "note", now)])
    services.open_beat_tables()
    assert services.take_pulses(now, 2).pulses == 2
    assert [lead for lead, _, _ in touched()] == [5, 9]


def test_many_facts_in_one_go_are_bulk_work_unless_they_are_said_to_be_live(now):
    record([Fact(lead, "note", now) for lead in range(1, services.LIVE_AT_MOST + 1)])
    assert set(Pulse.objects.values_list("lane", flat=True)) == {services.LIVE}
    Pulse.objects.all().delete()
    record([Fact(lead, "note", now) for lead in range(1, services.LIVE_AT_MOST + 2)])
    assert set(Pulse.objects.values_list("lane", flat=True)) == {services.BULK}


def test_what_a_fact_causes_goes_in_its_lane(everything_is_read, monkeypatch, now):
    def step(at):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO fact (lead_id, at, kind, hop) SELECT lead_id, %s, 36, hop + 1 FROM touched WHERE kind = 34"
                " UNION ALL SELECT 9, %s, 36, 0",
                [at, at],
            )
        return 1

    monkeypatch.setattr(services, "_STEPS", {"step": step})
    bulk([5], "note", now)
    record([Fact(1, "note", now)])
    heart.beat(now)
    lanes = dict(Pulse.objects.filter(kind=36).values_list("lead_id", "lane"))
    assert lanes == {1: services.LIVE, 5: services.BULK, 9: services.BULK}


def test_what_nobody_reads_is_dropped_but_counted(monkeypatch, now):
    monkeypatch.setattr(causes, "_READERS", {"one": lambda: [Cause(frozenset({1}), sql.SQL("object_id = 7"))]})
    record(
        [Fact(1, "page_view", now, 7), Fact(2, "page_view", now, 8), Fact(3, "note", now), Fact(4, "page_view", now)]
    )
    services.open_beat_tables()
    taken = services.take_pulses(now, 100)
    assert (taken.pulses, touched()) == (4, [(1, 1, 7)])
    assert dict(ActivityDay.objects.filter(kind=1).values_list("object_id", "count")) == {0: 1, 7: 1, 8: 1}


def holds(found, kind, object_id):
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT coalesce({}, false) FROM (SELECT {}::smallint AS kind, {}::bigint AS object_id) f")
            .format(concern(found), sql.Literal(kind), sql.Literal(object_id))
            .as_string(None)
        )
        return cursor.fetchone()[0]


def test_a_cause_names_kinds_and_objects():
    seven = Cause(frozenset({1, 2}), sql.SQL("object_id = 7"))
    assert not holds([], 1, 7)
    assert [holds([seven], 1, 7), holds([seven], 2, 7), holds([seven], 3, 7), holds([seven], 1, 8)] == [1, 1, 0, 0]
    assert not holds([seven], 1, None)
    whole = [seven, Cause(frozenset({1})), Cause(frozenset({3}), sql.SQL("object_id = 8"))]
    assert [holds(whole, 1, 8), holds(whole, 1, None), holds(whole, 2, 8), holds(whole, 3, 8)] == [1, 1, 0, 1]


def read_by(tree):
    return segments.dependencies(tree).causes


def test_conditions_name_the_objects_they_read(people, now):
    from hagukumi.collect.forms.models import Form
    from hagukumi.collect.tracking.models import Page

    price = Page.objects.create(url="https://x/price", category="price", first_seen_at=now)
    other = Page.objects.create(url="https://x/other", first_seen_at=now)
    asked = Form.objects.create(slug="i", name="i", kind="inquiry", created_at=now)
    other_form = Form.objects.create(slug="d", name="d", kind="download", created_at=now)
    viewed = read_by({"type": "activity", "kinds": ["page_view"], "page_categories": ["price"]})
    assert [holds(viewed, 1, price.id), holds(viewed, 1, other.id), holds(viewed, 1, None)] == [True, False, False]
    picked = read_by({"type": "activity", "kinds": ["page_view"], "page_categories": ["price"], "objects": [other.id]})
    assert not holds(picked, 1, price.id)
    answered = read_by({"type": "activity", "kinds": ["form_submitted"], "form_kinds": ["inquiry"]})
    assert [holds(answered, 20, asked.id), holds(answered, 20, other_form.id)] == [True, False]
    inside = read_by({"type": "not", "item": {"type": "segment", "segment": 7}})
    assert [holds(inside, 50, 7), holds(inside, 51, 7), holds(inside, 50, 8)] == [True, True, False]
    anything = read_by({"type": "activity", "kinds": ["page_view"]})
    assert holds(anything, 1, None)
    for found in (viewed, answered, inside):  # a newcomer concerns everybody
        assert holds(found, kinds.by_key("lead_created").code, None)


def test_scores_and_phases_name_the_objects_they_read(db, now):
    from hagukumi.judge.phases import services as phases
    from hagukumi.judge.scoring import services as scoring

    scoring.ready_made(now)
    phases.ready_made(now)
    live = scoring.default_model().live_id
    scored = read_by({"type": "score", "gte": 1})
    assert [holds(scored, 60, live), holds(scored, 61, live), holds(scored, 60, live + 1)] == [True, True, False]
    latent, new = phases.phase("interest", "latent").id, phases.phase("working", "new").id
    standing = read_by({"type": "phase", "model": "interest", "phases": ["aware"]})
    assert [holds(standing, 70, latent), holds(standing, 70, new)] == [True, False]
    since = read_by({"type": "phase_activity", "model": "interest", "kinds": ["deal_lost"]})
    assert [holds(since, 86, 5), holds(since, 70, latent), holds(since, 70, new)] == [True, True, False]


def test_a_beat_asks_only_the_definitions_that_a_fact_concerns(people, now):
    from django.test.utils import CaptureQueriesContext

    (lead,) = people(1)
    made = [
        segments.save(f"s{page}", {"type": "activity", "kinds": ["page_view"], "objects": [page]}, now=now)
        for page in (7, 8, 9)
    ]
    heart.settle(now)
    record([Fact(lead, "page_view", now, 8)])
    with CaptureQueriesContext(connection) as queries:
        heart.beat(now)
    refreshed = [query["sql"] for query in queries if "INSERT INTO segment_member" in query["sql"]]
    assert len(refreshed) == 1
    assert "ARRAY[8]" in refreshed[0]
    assert segments.segments_at(lead, now) == [made[1].id]
