"""The scenarios' step: exact states after each beat, on a real PostgreSQL, with the clock moved by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from psycopg import sql

from hagukumi.channels.outbox.models import Delivery
from hagukumi.ledger.services import Fact, record
from hagukumi.nurture.scenarios import published, reads, rules, services
from hagukumi.nurture.scenarios.models import Enrollment, Scenario, ScenarioNodeCount
from hagukumi.nurture.scenarios.nodes.branch import Branch

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def places(scenario: Scenario) -> list[tuple]:
    """(lead, visit, state, node) of everybody, in lead order."""
    rows = Enrollment.objects.filter(scenario_id=scenario.id).order_by("lead_id", "visit")
    return [(row.lead_id, row.visit, row.state, row.node) for row in rows]


def mails(scenario: Scenario) -> list[tuple]:
    return sorted(Delivery.objects.filter(scenario_id=scenario.id).values_list("lead_id", "message_id", "occurrence"))


def by_segment(segment_id: int, re_entry: str = "never") -> dict:
    return {"type": "segment", "segment_id": segment_id, "re_entry": re_entry}


def kinds_of(lead_id: int) -> list[int]:
    from hagukumi.ledger.models import Activity

    return sorted(Activity.objects.filter(lead_id=lead_id, kind__in=[90, 91, 92]).values_list("kind", flat=True))


@pytest.fixture
def course(running, segment, message):
    """mail -> wait a day -> clicked within two days? yes: tag, end; no: end. Returns (scenario, segment, message)."""
    where, what = segment(), message()
    scenario = running(
        by_segment(where),
        {"id": "m", "type": "mail", "message_id": what, "next": "w"},
        {"id": "w", "type": "wait", "days": 1, "next": "b"},
        {
            "id": "b",
            "type": "branch",
            "test": {"type": "clicked", "message_id": what},
            "days": 2,
            "yes": "t",
            "no": "z",
        },
        {"id": "t", "type": "tag", "tag": "関心あり", "next": "e"},
        {"id": "e", "type": "end"},
        {"id": "z", "type": "end"},
    )
    return scenario, where, what


def test_entering_passes_the_mail_and_comes_to_stand_at_the_wait(course, people, put_in, tick, now):
    scenario, where, what = course
    first, second = people(2)
    put_in(where, [first, second])
    assert tick(now) == 4  # two entered, two moved
    assert places(scenario) == [(first, 1, "active", "w"), (second, 1, "active", "w")]
    assert mails(scenario) == [(lead, what, f"s{scenario.id}.1.m") for lead in (first, second)]
    assert set(Enrollment.objects.values_list("due_at", flat=True)) == {now + DAY}
    assert tick(now) == 0
    assert tick(now + DAY - timedelta(seconds=1)) == 0


def test_a_click_before_the_branch_is_answered_on_arrival(course, people, put_in, tick, now):
    scenario, where, what = course
    [lead] = people(1)
    put_in(where, [lead])
    tick(now)
    record([Fact(lead, "mail_clicked", now + timedelta(hours=3), what)])
    tick(now + timedelta(hours=3))
    assert places(scenario) == [(lead, 1, "active", "w")]
    tick(now + DAY)
    assert places(scenario) == [(lead, 1, "done", "e")]
    assert kinds_of(lead) == [90, 91, 92]


def test_a_click_at_the_branch_frees_at_once_and_only_the_one_who_clicked(course, people, put_in, tick, now):
    scenario, where, what = course
    first, second = people(2)
    put_in(where, [first, second])
    tick(now)
    tick(now + DAY)
    assert places(scenario) == [(first, 1, "active", "b"), (second, 1, "active", "b")]
    record([Fact(first, "mail_clicked", now + DAY, what)])
    record([Fact(second, "mail_opened", now + DAY, what)])
    tick(now + DAY + timedelta(minutes=1))
    assert places(scenario) == [(first, 1, "done", "e"), (second, 1, "active", "b")]
    tick(now + 3 * DAY)
    assert places(scenario) == [(first, 1, "done", "e"), (second, 1, "done", "z")]


@pytest.mark.parametrize("act", ["opened", "clicked"])
@pytest.mark.parametrize("when", ["before the branch", "at the branch"])
def test_a_machine_frees_nobody(running, segment, message, people, put_in, tick, now, act, when):
    """A gateway that looks through the mail opens it and clicks in it: the branch waits for the person."""
    where, what = segment(), message()
    scenario = running(
        by_segment(where),
        {"id": "w", "type": "wait", "hours": 1, "next": "b"},
        {"id": "b", "type": "branch", "test": {"type": act, "message_id": what}, "days": 2, "yes": "y", "no": "z"},
        {"id": "y", "type": "end"},
        {"id": "z", "type": "end"},
    )
    machine, human = people(2)
    put_in(where, [machine, human])
    tick(now)
    hour = timedelta(hours=1)
    if when == "at the branch":
        tick(now + hour)
    at = now + (2 * hour if when == "at the branch" else hour / 2)
    record([Fact(machine, f"mail_{act}", at, what, details={"by": "suspect"}), Fact(human, f"mail_{act}", at, what)])
    tick(at)
    tick(now + hour)
    assert places(scenario) == [(machine, 1, "active", "b"), (human, 1, "done", "y")]
    tick(now + hour + 2 * DAY)
    assert places(scenario) == [(machine, 1, "done", "z"), (human, 1, "done", "y")]


@pytest.mark.parametrize(
    ("test", "act"),
    [
        ({"type": "opened", "message_id": 1}, "mail_opened"),
        ({"type": "clicked", "message_id": 1}, "mail_clicked"),
        ({"type": "visited", "page_id": 1}, "page_view"),
        ({"type": "answered", "form_id": 1}, "form_submitted"),
    ],
)
def test_only_the_thing_that_is_asked_for_frees(people, now, test, act):
    """Another mail, another page, another form opens no way."""
    branch = Branch.model_validate({"id": "b", "type": "branch", "test": test, "days": 2, "yes": "y", "no": "z"})
    right, wrong = people(2)
    record([Fact(right, act, now, 1), Fact(wrong, act, now, 2)])
    who = sql.SQL("SELECT lead_id, 1 AS visit, {}::timestamptz AS entered_at FROM lead").format(sql.Literal(now))
    with connection.cursor() as cursor:
        cursor.execute(branch.passing(who, now).as_string(None))
        assert cursor.fetchall() == [(right, 1)]


def test_a_click_of_before_entering_does_not_count(course, people, put_in, tick, now):
    scenario, where, what = course
    [lead] = people(1)
    record([Fact(lead, "mail_clicked", now - DAY, what)])
    put_in(where, [lead])
    tick(now)
    tick(now + DAY)
    assert places(scenario) == [(lead, 1, "active", "b")]


def test_counts_say_where_everybody_is(course, people, put_in, tick, now):
    scenario, where, what = course
    leads = people(3)
    put_in(where, leads)
    tick(now)
    tick(now + DAY)
    record([Fact(leads[0], "mail_clicked", now + DAY, what)])
    tick(now + DAY)
    counts = reads.node_counts(scenario.version)
    assert counts.here == {"entry": 0, "m": 0, "w": 0, "b": 2, "t": 0, "e": 1, "z": 0}
    assert counts.left["m", "next"] == 3
    assert reads.totals()[scenario.id] == reads.Totals(entered=3, done=1, stopped=0)
    for node, here in counts.here.items():
        if node not in ("e", "z"):
            assert Enrollment.objects.filter(node=node, state="active").count() == here


def test_one_fact_lets_a_person_in_once(running, segment, message, people, put_in, tick, now):
    where = segment()
    scenario = running(
        by_segment(where, "per_fact"),
        {"id": "t", "type": "tag", "tag": "一度", "next": "w"},
        {"id": "w", "type": "wait", "hours": 1, "next": "e"},
        {"id": "e", "type": "end"},
    )
    [lead] = people(1)
    put_in(where, [lead])
    put_in(where, [lead])  # the same instant: the same fact
    tick(now)
    assert places(scenario) == [(lead, 1, "active", "w")]
    put_in(where, [lead], now + timedelta(minutes=5))  # while inside: not a second time beside
    tick(now + timedelta(minutes=5))
    assert places(scenario) == [(lead, 1, "active", "w")]
    tick(now + timedelta(hours=1))
    put_in(where, [lead], now)  # the very fact again
    tick(now + timedelta(hours=1))
    assert places(scenario) == [(lead, 1, "done", "e")]
    put_in(where, [lead], now + timedelta(hours=2))
    tick(now + timedelta(hours=2))
    assert places(scenario) == [(lead, 1, "done", "e"), (lead, 2, "active", "w")]


def test_never_again_means_never_again(course, people, put_in, tick, now):
    scenario, where, _what = course
    [lead] = people(1)
    for days in (0, 10, 20):
        put_in(where, [lead], now + days * DAY)
        tick(now + days * DAY)
    assert [row[1] for row in places(scenario)] == [1]


def test_unknown_and_merged_people_stay_out(course, people, put_in, tick, now):
    scenario, where, _what = course
    [visitor] = people(1, known_at=None)
    [merged] = people(1, merged_into=1)
    put_in(where, [visitor, merged])
    tick(now)
    assert places(scenario) == []


def test_a_pause_holds_everybody_and_each_sees_everything_once(course, people, put_in, tick, now):
    scenario, where, _what = course
    leads = people(2)
    put_in(where, leads)
    services.pause(scenario.id, now)
    tick(now)
    assert places(scenario) == [(lead, 1, "active", "entry") for lead in leads]
    for _turn in range(3):
        services.resume(scenario.id, now=now)
        services.pause(scenario.id, now)
        tick(now)
    assert mails(scenario) == []
    services.resume(scenario.id, now=now)
    for _turn in range(3):
        tick(now)
    services.pause(scenario.id, now)
    tick(now + 30 * DAY)
    assert places(scenario) == [(lead, 1, "active", "w") for lead in leads]
    services.resume(scenario.id, now=now + 30 * DAY)
    tick(now + 30 * DAY)
    tick(now + 60 * DAY)
    assert places(scenario) == [(lead, 1, "done", "z") for lead in leads]
    assert len(mails(scenario)) == 2


def test_what_happens_during_a_pause_counts_on_resuming(course, people, put_in, tick, now):
    scenario, where, what = course
    first, second = people(2)
    put_in(where, [first, second])
    tick(now)
    tick(now + DAY)
    services.pause(scenario.id, now)
    record([Fact(first, "mail_clicked", now + DAY + timedelta(hours=1), what)])
    tick(now + DAY + timedelta(hours=1))
    services.resume(scenario.id, now=now + DAY + timedelta(hours=2))
    tick(now + DAY + timedelta(hours=2))
    assert places(scenario) == [(first, 1, "done", "e"), (second, 1, "active", "b")]


def test_stopping_takes_everybody_out_a_bounded_number_a_beat(course, people, put_in, tick, now):
    scenario, where, _what = course
    leads = people(5)
    put_in(where, leads)
    tick(now)
    assert services.stop(scenario.id, now)
    tick(now, moves=3)
    scenario.refresh_from_db()
    assert scenario.state == "stopping"
    tick(now, moves=3)
    scenario.refresh_from_db()
    assert scenario.state == "stopped"
    assert [row[2] for row in places(scenario)] == ["exited"] * 5
    assert reads.totals()[scenario.id] == reads.Totals(entered=5, done=0, stopped=5)
    put_in(where, people(1))
    assert tick(now + DAY) == 0


def test_people_stay_on_the_version_they_entered(course, people, put_in, tick, now):
    scenario, where, _what = course
    old, new = people(2)
    put_in(where, [old])
    tick(now)
    before = scenario.version
    graph = rules.Graph.model_validate(
        {"schema": 1, "entry": by_segment(where), "start": "e", "nodes": [{"id": "e", "type": "end"}]}
    )
    services.save_draft(scenario.id, graph, seen=reads.revision(scenario), now=now)
    after = services.publish(scenario.id, now=now)
    assert (before.number, after.number) == (1, 2)
    put_in(where, [new])
    tick(now)
    assert places(scenario) == [(old, 1, "active", "w"), (new, 1, "done", "e")]
    tick(now + DAY)
    tick(now + 3 * DAY)
    assert places(scenario) == [(old, 1, "done", "z"), (new, 1, "done", "e")]
    before.refresh_from_db()
    assert before.graph["start"] == "m"


def test_members_who_were_there_before_are_taken_in_on_request(running, segment, message, people, put_in, tick, now):
    from hagukumi.judge.segments.models import SegmentMember

    where, what = segment(), message()
    leads = people(3)
    SegmentMember.objects.bulk_create(SegmentMember(lead_id=key, segment_id=where, since=now - DAY) for key in leads)
    nodes = ({"id": "m", "type": "mail", "message_id": what, "next": "e"}, {"id": "e", "type": "end"})
    without = running(by_segment(where), *nodes, name="これから")
    with_them = running(by_segment(where), *nodes, name="いまいる人も", take_in=True)
    for _turn in range(3):
        tick(now)
    assert places(without) == []
    assert places(with_them) == [(lead, 1, "done", "e") for lead in leads]
    with_them.refresh_from_db()
    assert with_them.take_in_after is None


def test_a_loop_sends_a_new_mail_each_time_round(running, segment, message, people, put_in, tick, now):
    where, what = segment(), message()
    scenario = running(
        by_segment(where),
        {"id": "m", "type": "mail", "message_id": what, "next": "w"},
        {"id": "w", "type": "wait", "days": 7, "next": "b"},
        {
            "id": "b",
            "type": "branch",
            "test": {"type": "clicked", "message_id": what},
            "days": 1,
            "yes": "e",
            "no": "m",
        },
        {"id": "e", "type": "end"},
    )
    [lead] = people(1)
    put_in(where, [lead])
    tick(now)
    tick(now + 7 * DAY)
    tick(now + 8 * DAY)
    assert len(mails(scenario)) == 2
    assert places(scenario) == [(lead, 1, "active", "w")]


def test_at_most_so_many_move_in_a_beat_even_when_all_are_due_at_once(course, people, put_in, tick, now):
    scenario, where, _what = course
    put_in(where, people(10))
    tick(now)
    moved = [tick(now + DAY, moves=4) for _turn in range(4)]
    assert moved == [4, 4, 2, 0]
    assert len(mails(scenario)) == 10


def test_a_broken_scenario_is_set_aside_and_the_others_go_on(
    course, running, segment, message, people, put_in, tick, now
):
    from hagukumi.ledger.models import SetAside
    from hagukumi.nurture.scenarios.models import ScenarioVersion

    good, where, _what = course
    bad = running(
        by_segment(where),
        {"id": "p", "type": "tag", "tag": "x", "next": "e"},
        {"id": "e", "type": "end"},
        name="壊れた",
    )
    graph = bad.version.graph
    graph["nodes"][0] = {"id": "p", "type": "phase", "phase_id": 999999, "next": "e"}
    ScenarioVersion.objects.filter(id=bad.version_id).update(graph=graph)
    published.forget()
    [lead] = people(1)
    put_in(where, [lead])
    tick(now)
    assert places(good) == [(lead, 1, "active", "w")]
    assert places(bad) == [(lead, 1, "active", "entry")]
    assert list(SetAside.objects.values_list("owner", "object_id")) == [("scenario", bad.id)]
    assert not ScenarioNodeCount.objects.filter(version_id=bad.version_id, exit="next").exists()


def test_the_number_of_statements_does_not_follow_the_number_of_people(course, people, put_in, tick, now):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _scenario, where, what = course
    tick(now)  # reads the published graph, once a process
    counts = []
    for size, start in ((10, now), (1000, now + 100 * DAY)):
        leads = people(size)
        put_in(where, leads, start)
        with CaptureQueriesContext(connection) as entering:
            tick(start)
        record([Fact(lead, "mail_clicked", start + timedelta(hours=1), what) for lead in leads[::2]])
        with CaptureQueriesContext(connection) as moving:
            tick(start + DAY)
            tick(start + 4 * DAY)
        counts.append((len(entering), len(moving)))
    assert counts[0] == counts[1]


def test_a_slot_missed_during_a_pause_is_waited_for_anew(running, segment, message, people, put_in, tick, now):
    """Saturday 03:00 stays Saturday 03:00, whatever the day and hour at which somebody resumes."""
    where, what = segment(), message()
    scenario = running(
        by_segment(where),
        {"id": "w", "type": "wait", "weekdays": [5], "time": "03:00", "next": "d"},
        {"id": "d", "type": "wait", "days": 1, "next": "m"},
        {"id": "m", "type": "mail", "message_id": what, "next": "z"},
        {"id": "z", "type": "end"},
    )
    put_in(where, people(1))
    tick(now)  # Friday 2026-11-20 10:00 in Tokyo
    services.pause(scenario.id, now=now)
    thursday = datetime(2026, 11, 26, 3, 26, tzinfo=UTC)
    services.resume(scenario.id, now=thursday)
    tick(thursday)
    assert Enrollment.objects.get().due_at == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    assert Enrollment.objects.get().node == "w"
    tick(datetime(2026, 11, 27, 18, 0, tzinfo=UTC))
    assert Enrollment.objects.get().node == "d"
    services.pause(scenario.id, now=now)
    later = datetime(2026, 12, 3, 3, 26, tzinfo=UTC)
    services.resume(scenario.id, now=later)
    tick(later)
    assert len(mails(scenario)) == 1, "a wait without a slot goes on at once"
