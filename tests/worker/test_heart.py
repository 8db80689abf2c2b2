"""The heart: one transaction from pulses to effects, whatever breaks on the way."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from hagukumi.kit import clock, sql
from hagukumi.ledger import causes, definitions, kinds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause
from hagukumi.ledger.models import Activity, HeartStep, Pulse, SetAside
from hagukumi.ledger.services import Fact, record
from hagukumi.worker import heart

pytestmark = pytest.mark.django_db


@pytest.fixture
def steps(monkeypatch):
    """Let the beat run these steps alone."""

    def only(**given):
        monkeypatch.setattr(ledger, "_STEPS", dict(given))
        everything = Cause(frozenset(kind.code for kind in kinds.every()))
        monkeypatch.setattr(causes, "_READERS", {"all": lambda: [everything]})

    return only


def note(lead_id, now):
    record([Fact(lead_id, "note", now)])


def cause(kind_code: int = 34):
    """A step that answers each touched fact with another, one hop further."""

    def step(now):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO fact (lead_id, at, kind, hop) SELECT lead_id, %s, %s, hop + 1 FROM touched",
                [now, kind_code],
            )
            return cursor.rowcount

    return step


def test_every_named_statement_fits_the_schema():
    assert sql.prepare_all() > 50
    names = {query.name.rpartition(".")[0] for query in sql.registered()}
    rooms = {"judge.segments", "nurture.scenarios", "channels.mail", "sales.handovers", "overview.timeline"}
    assert rooms | {"ledger", "worker"} <= names


def test_a_bad_statement_stops_the_boot_with_its_name(monkeypatch, caplog):
    monkeypatch.setitem(sql._REGISTRY, "x.bad_one", sql.Query("x.bad_one", "SELECT nothing FROM lead"))
    with pytest.raises(sql.BrokenQueryError, match=r"x\.bad_one"):
        sql.prepare_all()
    monkeypatch.setattr(heart, "_one_turn", lambda *_: sql.prepare_all())
    assert heart.live(threading.Event()) == 1


def test_steps_run_in_the_order_of_the_wiring(steps, people, now):
    ran = []
    steps(one=lambda _: ran.append(1) or 0, two=lambda _: ran.append(2) or 5, three=lambda _: ran.append(3) or 0)
    note(people(1)[0], now)
    report = heart.beat(now)
    assert (ran, report.pulses, report.changed) == ([1, 2, 3], 1, {"one": 0, "two": 5, "three": 0})
    assert not report.idle
    assert Pulse.objects.count() == 0


def test_a_step_that_breaks_takes_the_whole_beat_back(steps, people, now):
    lead = people(1)[0]
    note(lead, now)

    def breaks(_):
        raise ZeroDivisionError("no")

    steps(good=cause(), bad=breaks)
    with pytest.raises(heart.StepError) as raised:
        heart.beat(now)
    assert raised.value.step == "bad"
    assert (Pulse.objects.count(), Activity.objects.filter(lead_id=lead).count()) == (1, 1)
    heart._keep_error(raised.value)
    assert HeartStep.objects.get(step="bad").error == "bad: no"
    steps(good=lambda _: 0, bad=lambda _: 0)
    heart.keep_record(now, heart.beat(now))
    assert HeartStep.objects.get(step="bad").error == ""
    assert Pulse.objects.count() == 0


def test_a_definition_that_breaks_is_set_aside_alone(steps, people, now):
    lead = people(1)[0]
    note(lead, now)

    def step(at):
        for number in (1, 2):
            with definitions.turn("segment", at).attempt(number), connection.cursor() as cursor:
                cursor.execute("INSERT INTO lead_tag (lead_id, tag) VALUES (%s, %s)", [lead, f"t{number}"])
                cursor.execute("SELECT 1 / (2 - %s)", [number])
        return 1

    steps(segments=step)
    heart.beat(now)
    assert list(SetAside.objects.values_list("owner", "object_id")) == [("segment", 2)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tag FROM lead_tag WHERE lead_id = %s", [lead])
        assert cursor.fetchall() == [("t1",)]


def test_a_chain_that_would_not_end_is_cut(steps, people, now):
    lead = people(1)[0]
    note(lead, now)
    steps(loop=cause())
    beats = heart.settle(now)
    assert beats == ledger.MAX_HOP + 2
    assert Activity.objects.filter(lead_id=lead).count() == ledger.MAX_HOP + 2


def test_a_batch_bounds_the_beat(steps, people, now):
    steps(none=lambda _: 0)
    for lead in people(5):
        note(lead, now)
    assert [heart.beat(now, batch=2).pulses for _ in range(4)] == [2, 2, 1, 0]


@contextmanager
def another_session():
    other = connection.copy()
    try:
        other.connect()
        yield other
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_a_second_heart_waits_for_the_first(monkeypatch):
    monkeypatch.setattr(ledger, "_heart_connection", None)
    with another_session() as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ledger.HEART_LOCK])
        assert ledger.take_heart_lock() is False
        cursor.execute("SELECT pg_advisory_unlock(%s)", [ledger.HEART_LOCK])
        assert ledger.take_heart_lock() is True
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ledger.HEART_LOCK])
        assert cursor.fetchone() == (False,)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_taken_up_again(monkeypatch, steps):
    """The heart's session is ended by the server in the middle; the next turn has a new one and the lock."""
    monkeypatch.setattr(ledger, "_heart_connection", None)
    monkeypatch.setattr(heart, "REST_SECONDS", 0.05)
    stop, sessions = threading.Event(), []

    def step(_):
        sessions.append(connection.connection.info.backend_pid)
        if len(sessions) == 1:
            with another_session() as other, other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [sessions[0]])
            connection.cursor().execute("SELECT 1")
        if len(sessions) == 3:
            stop.set()
        return 0

    steps(step=step)
    assert heart.live(stop) == 0
    assert len(sessions) == 3
    assert sessions[1] == sessions[2] != sessions[0]
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_jobs_run_beside_the_heart():
    from procrastinate.contrib.django import app

    from hagukumi.worker import jobs

    done, stop = threading.Event(), threading.Event()
    task = app.task(name="tests.ring")(lambda: done.set())
    runner = threading.Thread(target=jobs.run, args=(stop,))
    runner.start()
    try:
        task.defer()
        assert done.wait(10)
    finally:
        stop.set()
        runner.join(15)
    assert not runner.is_alive()


@pytest.mark.django_db(transaction=True)
def test_what_a_busy_beat_leaves_in_temporary_tables_is_given_back(steps, monkeypatch):
    monkeypatch.setattr(heart, "TIDY_AT", 0)
    steps(none=lambda _: 1)
    heart.beat(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO fact (lead_id, at, kind) SELECT 1, '2026-11-20', 34 FROM generate_series(1, 50000);"
            " DELETE FROM fact"
        )
    assert ledger.SQL.grown_tables.rows() == [{"relname": "fact"}]
    heart.beat(clock.now())
    assert ledger.SQL.grown_tables.rows() == []
    connection.close()
