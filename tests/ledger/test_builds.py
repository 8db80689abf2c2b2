"""Building a definition is one operation: no fact a person; whoever reads the outcome is told; nobody is forgotten."""

from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import LeadPhase
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.scoring.models import LeadScore
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment, SegmentMember, SegmentPast
from hagukumi.ledger import builds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity, BuildMissed, Operation, Pulse
from hagukumi.ledger.services import Fact, record
from hagukumi.overview.timeline import reads as timeline
from hagukumi.people.leads.models import Lead
from hagukumi.worker import builder, heart

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
EXEC = {"type": "field", "field": "rank", "op": "is", "value": "exec"}
STAFF = {"type": "field", "field": "rank", "op": "is", "value": "staff"}


def members(segment):
    return sorted(SegmentMember.objects.filter(segment_id=segment.pk).values_list("lead_id", flat=True))


def build_all(now):
    building = builder.Building()
    while builder.build_next(now, building):
        pass


def test_a_new_segment_has_members_and_one_operation_but_no_fact_and_no_pulse(people, now):
    execs = people(3, rank="exec")
    people(2, rank="staff")
    made = segments.save("経営層", EXEC, now=now)
    build_all(now)
    assert members(made) == execs
    assert not Activity.objects.filter(kind__in=(50, 51)).exists()
    assert not Pulse.objects.exists()
    operation = Operation.objects.get(owner="segment", object_id=made.pk)
    assert (operation.at, operation.ended_at, operation.entered, operation.left) == (now, now, 3, 0)
    assert set(SegmentMember.objects.values_list("operation_id", flat=True)) == {operation.pk}


def test_later_changes_are_facts(people, now):
    (lead,) = people(1, rank="exec")
    made = segments.save("経営層", EXEC, now=now)
    build_all(now)
    Lead.objects.update(rank="staff")
    record([Fact(lead, "field_changed", now + DAY)])
    heart.settle(now + DAY)
    assert list(Activity.objects.filter(kind=51).values_list("lead_id", "object_id")) == [(lead, made.pk)]


def test_scores_and_places_are_built_without_facts(people, now):
    leads = people(4, rank="exec")
    scoring.ready_made(now)
    phases.ready_made(now)
    build_all(now)
    heart.settle(now)
    assert LeadScore.objects.filter(total=10).count() == 4
    assert LeadPhase.objects.filter(lead_id__in=leads).count() == 8
    assert not Activity.objects.exists()
    assert sorted(Operation.objects.values_list("owner", "entered")) == [
        ("phase_model", 4), ("phase_model", 4), ("score", 4),
    ]  # fmt: skip


def test_who_reads_the_outcome_is_told_by_pulses_without_facts(people, now):
    (lead,) = people(1, rank="exec")
    below = segments.save("下", STAFF, now=now)
    above = segments.save("上", {"type": "segment", "segment": below.pk}, now=now)
    heart.settle(now)
    assert members(above) == []
    segments.save("下", EXEC, now=now, segment_id=below.pk)
    build_all(now)
    assert list(Pulse.objects.values_list("lead_id", "kind", "object_id", "lane", "is_fact")) == [
        (lead, 50, below.pk, 1, False)
    ]
    heart.settle(now)
    assert members(above) == [lead]
    assert list(Activity.objects.filter(kind=50).values_list("object_id", flat=True)) == [above.pk]


def test_the_past_of_built_memberships_is_kept(people, now):
    """Built, left by a fact, entered by a fact, thrown out by a new definition: as of each day, and on the timeline."""
    (lead,) = people(1, rank="exec")
    made = segments.save("経営層", EXEC, now=now)
    heart.settle(now)
    for day, rank in ((1, "staff"), (2, "exec")):
        Lead.objects.update(rank=rank)
        record([Fact(lead, "field_changed", now + day * DAY)])
        heart.settle(now + day * DAY)
    segments.save("担当者", STAFF, now=now + 3 * DAY, segment_id=made.pk)
    heart.settle(now + 3 * DAY)
    hour = timedelta(hours=1)
    inside = [bool(segments.segments_at(lead, now + day * DAY + hour)) for day in (-1, 0, 1, 2, 3)]
    assert inside == [False, True, False, True, False]
    assert SegmentPast.objects.count() == 2
    told = [(entry.at, entry.kind.key, entry.object_id) for entry in timeline.page(lead, group="qualify")[0]]
    assert told == [
        (now + 3 * DAY, "segment_left", made.pk),
        (now + 2 * DAY, "segment_entered", made.pk),
        (now + DAY, "segment_left", made.pk),
        (now, "segment_entered", made.pk),
    ]


def test_the_timeline_pages_through_built_rows(people, now):
    (lead,) = people(1, rank="exec")
    for name in "abc":
        segments.save(name, EXEC, now=now)
    heart.settle(now)
    seen, cursor = [], ""
    while True:
        entries, cursor = timeline.page(lead, before=timeline.read_place(cursor), size=1)
        seen += [(entry.kind.key, entry.object_id) for entry in entries]
        if not cursor:
            break
    assert sorted(seen) == sorted(("segment_entered", one.pk) for one in Segment.objects.all())


def test_what_happens_during_a_build_is_asked_after_it(people, now):
    a, b = people(2, rank="staff")
    made = segments.save("経営層", EXEC, now=now)
    operation = builds.begin("segments", made.pk, now)
    Lead.objects.filter(lead_id=a).update(rank="exec")
    record([Fact(a, "field_changed", now), Fact(b, "page_view", now, 1)])
    heart.beat(now, aside=True)
    assert list(BuildMissed.objects.values_list("owner", "object_id", "lead_id")) == [("segment", made.pk, a)]
    Lead.objects.filter(lead_id=a).update(rank="staff")  # the build looked before the change ...
    builds.build("segments", operation)
    assert members(made) == []
    Lead.objects.filter(lead_id=a).update(rank="exec")  # ... which is there afterwards
    heart.beat(now, aside=True)
    assert members(made) == [a]
    assert not BuildMissed.objects.exists()


def test_a_definition_changed_during_its_build_is_built_again(people, now):
    (lead,) = people(1, rank="exec")
    made = segments.save("経営層", EXEC, now=now)
    ledger.open_beat_tables()
    operation = builds.begin("segments", made.pk, now)
    segments.save("担当者", STAFF, now=now, segment_id=made.pk)
    with pytest.raises(builds.OvertakenError):
        builds.build("segments", operation)
    assert builds.unbuilt() == {}  # within the transaction that is to be rolled back
    Segment.objects.update(built_at=None)
    SegmentMember.objects.all().delete()
    build_all(now)
    assert members(made) == []
    assert lead not in members(made)


def test_a_build_that_breaks_is_set_aside_and_leaves_no_operation(people, now):
    from hagukumi.ledger.models import SetAside

    people(1)
    broken = Segment.objects.create(
        name="壊れた", tree={"type": "field", "field": "own.gone", "op": "filled"}, created_at=now, updated_at=now
    )
    build_all(now)
    assert list(SetAside.objects.values_list("owner", "object_id")) == [("segment", broken.pk)]
    assert not Operation.objects.exists()
    assert builds.unbuilt() == {}


def test_a_scenarios_door_opens_for_those_whom_a_build_lets_in(people, now):
    from hagukumi.nurture.scenarios import services as scenarios
    from hagukumi.nurture.scenarios.models import Enrollment
    from hagukumi.nurture.scenarios.rules import Graph

    (lead,) = people(1, rank="exec")
    made = segments.save("担当者", STAFF, now=now)
    heart.settle(now)
    graph = Graph.model_validate(
        {
            "schema": 1, "entry": {"type": "segment", "segment_id": made.pk}, "start": "w",
            "nodes": [{"id": "w", "type": "wait", "days": 1, "next": "e"}, {"id": "e", "type": "end"}],
        }
    )  # fmt: skip
    scenarios.publish(scenarios.create("s", now=now, graph=graph).pk, now=now)
    segments.save("経営層", EXEC, now=now, segment_id=made.pk)
    heart.settle(now)
    assert list(Enrollment.objects.values_list("lead_id", flat=True)) == [lead]


@pytest.mark.django_db(transaction=True)
def test_the_builder_works_in_a_session_of_its_own_while_the_heart_beats(people, now, monkeypatch):
    import threading

    monkeypatch.setattr(builder, "REST_SECONDS", 0.05)
    execs = people(2, rank="exec")
    made = segments.save("経営層", EXEC, now=now)
    stop, building = threading.Event(), builder.Building()
    thread = threading.Thread(target=builder.run, args=(stop, building))
    thread.start()
    try:
        heart.beat(now, aside=True)
        assert members(made) == []  # nobody builds for another's heart
        building.awake.set()
        for _ in range(200):
            heart.beat(now, aside=True)
            if Operation.objects.filter(ended_at__isnull=False).exists():
                break
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join(10)
    assert members(made) == execs
    connection.close()
