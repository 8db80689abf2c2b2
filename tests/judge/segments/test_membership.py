"""Membership by the beat: exact state, nothing twice, incremental = full rebuild, broken ones set aside, no cycles."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.judge.segments.models import ConditionDue, Segment, SegmentMember
from hagukumi.ledger import beats
from hagukumi.ledger.models import Activity, SetAside
from hagukumi.ledger.services import Fact, open_beat_tables, record
from hagukumi.people.leads.models import Lead
from hagukumi.worker.heart import beat, settle

DAY = timedelta(days=1)
VISITED = {"type": "activity", "kinds": ["page_view"], "at_least": 2, "days": 30}
IDLE = {"type": "recency", "group": "any", "days": 60, "idle": True}
EXEC = {"type": "field", "field": "rank", "op": "is", "value": "exec"}


def rows(segment):
    return sorted(SegmentMember.objects.filter(segment_id=segment.id).values_list("lead_id", flat=True))


def facts(kind):
    return sorted(Activity.objects.filter(kind=kind).values_list("lead_id", "object_id"))


def test_enters_by_a_fact_leaves_by_the_clock(people, now):
    a, _b = people(2, known_at=now - 10 * DAY)
    made = segments.save("訪問", VISITED, now=now)
    settle(now)
    assert rows(made) == []
    record([Fact(a, "page_view", now - 29 * DAY), Fact(a, "page_view", now)])
    beat(now)
    assert rows(made) == [a]
    assert facts(50) == [(a, made.id)]
    assert ConditionDue.objects.get(lead_id=a, owner="segment").due_at == now + DAY
    settle(now + DAY - timedelta(seconds=1))
    assert rows(made) == [a]
    settle(now + DAY)
    assert rows(made) == []
    assert facts(51) == [(a, made.id)]
    assert not ConditionDue.objects.filter(lead_id=a, owner="segment").exists()


def test_who_is_in_does_not_enter_again(people, now):
    (a,) = people(1, known_at=now - 10 * DAY)
    made = segments.save("訪問", VISITED, now=now)
    settle(now)
    record([Fact(a, "page_view", now), Fact(a, "page_view", now)])
    settle(now)
    record([Fact(a, "page_view", now + DAY)])
    settle(now + DAY)
    assert facts(50) == [(a, made.id)]
    assert SegmentMember.objects.get(lead_id=a, segment_id=made.id).since == now


def test_a_second_run_changes_nothing(people, now):
    people(5)
    segments.ready_made(now)
    settle(now)
    before = list(SegmentMember.objects.values_list())
    count = Activity.objects.count()
    Segment.objects.update(built_at=None)
    settle(now)
    assert list(SegmentMember.objects.values_list()) == before
    assert Activity.objects.count() == count


def test_a_fact_dated_after_now_is_counted_when_its_time_comes(people, now):
    (a,) = people(1)
    made = segments.save("訪問", {**VISITED, "at_least": 1}, now=now)
    settle(now)
    record([Fact(a, "page_view", now + timedelta(seconds=2))])
    settle(now)
    assert rows(made) == []
    settle(now + timedelta(seconds=2))
    assert rows(made) == [a]


def test_field_changes_and_newcomers_flow_in(people, now):
    (a,) = people(1)
    made = segments.save("経営層", EXEC, now=now)
    settle(now)
    Lead.objects.filter(lead_id=a).update(rank="exec")
    (b,) = people(1, rank="exec")
    record([Fact(a, "field_changed", now), Fact(b, "lead_created", now)])
    beat(now)
    assert rows(made) == [a, b]


def test_segment_on_segment_follows(people, now):
    (a,) = people(1)
    below = segments.save("下", EXEC, now=now)
    above = segments.save("上", {"type": "not", "item": {"type": "segment", "segment": below.id}}, now=now)
    settle(now)
    assert (rows(below), rows(above)) == ([], [a])
    Lead.objects.filter(lead_id=a).update(rank="exec")
    record([Fact(a, "field_changed", now)])
    settle(now)
    assert (rows(below), rows(above)) == ([a], [])
    with pytest.raises(ConditionError, match="自分自身"):
        segments.save("下", {"type": "segment", "segment": above.id}, now=now, segment_id=below.id)
    with pytest.raises(ConditionError, match="自分自身"):
        segments.save("下", {"type": "segment", "segment": below.id}, now=now, segment_id=below.id)
    with pytest.raises(ConditionError, match="使われています"):
        segments.archive(below.id, now=now)
    assert segments.archive(above.id, now=now) == 0
    assert segments.archive(below.id, now=now) == 1
    assert facts(51) == [(a, below.id), (a, above.id)]


def test_a_broken_definition_is_set_aside_and_mended(people, now):
    (a,) = people(1, rank="exec")
    broken = Segment.objects.create(
        name="壊れた", tree={"type": "field", "field": "own.gone", "op": "filled"}, created_at=now, updated_at=now
    )
    sound = segments.save("経営層", EXEC, now=now)
    settle(now)
    assert rows(sound) == [a]
    aside = SetAside.objects.get()
    assert (aside.owner, aside.object_id) == ("segment", broken.id)
    assert "gone" in aside.error
    segments.save("直した", EXEC, now=now, segment_id=broken.id)
    settle(now)
    assert rows(broken) == [a]
    assert not SetAside.objects.exists()


def test_the_beat_asks_as_often_for_a_thousand_as_for_ten(people, now):
    segments.ready_made(now)
    settle(now)
    counts = []
    for many in (10, 1000):
        leads = people(many)
        record([Fact(lead, "lead_created", now) for lead in leads])
        with CaptureQueriesContext(connection) as queries:
            beat(now)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert SegmentMember.objects.filter(segment_id=Segment.objects.get(key="new").id).count() == 1010


def test_idle_steps_share_two_questions(people, now):
    people(3)
    segments.ready_made(now)
    settle(now)
    open_beat_tables()
    with beats.under_way(), CaptureQueriesContext(connection) as queries:
        assert [room.step(now) for room in (segments, scoring, phases)] == [0, 0, 0]
    assert len(queries) == 2  # what was touched, and who is due


LATE = datetime(9999, 1, 1, tzinfo=UTC)


def _dues():
    found = ConditionDue.objects.filter(owner="segment").values_list("lead_id", "object_id", "due_at")
    return {(lead_id, object_id): due_at for lead_id, object_id, due_at in found}


TREES = [
    VISITED,
    IDLE,
    {"type": "known_since", "days": 20},
    {"type": "any", "items": [EXEC, {"type": "not", "item": VISITED}]},
    {
        "type": "all",
        "items": [{"type": "recency", "group": "web", "days": 15, "idle": False}, {"type": "not", "item": EXEC}],
    },
    {"type": "not", "item": {"type": "any", "items": [{"type": "known_since", "days": 40}, IDLE]}},
]
moves = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("act"), st.integers(0, 3), st.sampled_from(["page_view", "mail_clicked"]), st.integers(-30, 3)),
    st.tuples(st.just("rank"), st.integers(0, 3), st.sampled_from(["exec", "staff"])),
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(moves, max_size=12))
def test_incremental_is_full_rebuild(people, story):
    before = transaction.savepoint()
    try:
        _tell(people, story)
    finally:
        transaction.savepoint_rollback(before)


def _tell(people, story):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    leads = [people(1, known_at=now - days * DAY)[0] for days in (1, 19, 39, 100)]
    made = [segments.save(f"s{number}", tree, now=now) for number, tree in enumerate(TREES)]
    made.append(segments.save("on", {"type": "not", "item": {"type": "segment", "segment": made[0].id}}, now=now))
    settle(now)
    for move, *rest in story:
        if move == "wait":
            now += rest[0] * DAY / 2
        elif move == "act":
            lead, kind, offset = rest
            record([Fact(leads[lead], kind, now + offset * DAY)])
        else:
            Lead.objects.filter(lead_id=leads[rest[0]]).update(rank=rest[1])
            record([Fact(leads[rest[0]], "field_changed", now)])
        settle(now)
    kept = {segment.name: rows(segment) for segment in made}
    kept_dues = _dues()
    SegmentMember.objects.all().delete()
    Segment.objects.update(built_at=None)
    settle(now)
    assert kept == {segment.name: rows(segment) for segment in made}
    # a due time may be early, never late: nobody is asked after the answer changed
    assert all(kept_dues.get(whom, LATE) <= due_at for whom, due_at in _dues().items())
