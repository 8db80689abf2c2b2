"""What a beat reads follows from what happened, not from the planner's luck: whatever statistics the tables have."""

from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Pulse
from hagukumi.ledger.services import Fact, record
from hagukumi.worker import heart

pytestmark = pytest.mark.django_db
LEADS, ACTS, TOUCHED = 4000, 12, 4
OWNED = ("lead", "lead_phase", "lead_score", "segment_member", "condition_due", "lead_recency", "pulse")


def run(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def read():
    """(by scan, by index): rows of each lead-owned table that this transaction has read so far."""
    rows = run(
        "SELECT CASE WHEN relname LIKE 'activity_2%%' THEN 'activity' ELSE relname END,"
        " sum(coalesce(seq_tup_read, 0)), sum(coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables GROUP BY 1"
    )
    return {name: (int(scanned), int(fetched)) for name, scanned, fetched in rows if name in (*OWNED, "activity")}


def forget_statistics():
    ours = "relnamespace = 'public'::regnamespace"
    run(f"DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE {ours})")
    run(f"UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE {ours} AND relkind = 'r'")


def refresh_statistics():
    for (name,) in run(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND (relname LIKE 'activity%%' OR relname = ANY(%s))",
        list(OWNED),
    ):
        run(f"ANALYZE {name}")


@pytest.fixture
def crowd(db, now):
    """People with a history, all of whom every definition has judged; phases with due times for nearly everybody."""
    run(
        "INSERT INTO lead (known_at, last_name, rank, email, created_at, updated_at)"
        " SELECT %s, '山田', 'staff', 'lead' || n || '@example.co.jp', %s, %s FROM generate_series(1, %s) n",
        now - timedelta(days=40), now, now, LEADS,
    )  # fmt: skip
    run("SELECT ensure_activity_months(%s, %s)", now - timedelta(days=40), now)
    run(
        "INSERT INTO activity (lead_id, at, kind, object_id)"
        " SELECT lead_id, %s - n * interval '2 days', (ARRAY[1, 1, 10, 12])[1 + n %% 4], 1"
        " FROM lead, generate_series(1, %s) n",
        now, ACTS,
    )  # fmt: skip
    segments.ready_made(now)
    scoring.ready_made(now)
    phases.ready_made(now)
    return [row[0] for row in run("SELECT lead_id FROM lead ORDER BY lead_id")]


@pytest.mark.parametrize("statistics", ["empty", "fresh", "stale"])
def test_a_beat_reads_what_was_touched_whatever_the_statistics(crowd, now, statistics):
    if statistics == "stale":  # taken when the tables were as good as empty
        refresh_statistics()
    heart.settle(now)
    forget_statistics() if statistics == "empty" else None
    if statistics == "fresh":
        refresh_statistics()
    some = crowd[100 : 100 + TOUCHED]
    record([Fact(lead, kind, now, 1) for lead in some for kind in ("page_view", "mail_clicked", "content_downloaded")])
    before = read()
    moved = [heart.beat(now).changed for _ in range(4)]
    assert sum(changed["phases"] for changed in moved) >= TOUCHED  # what is most expensive has happened
    after = read()
    counted = {name: tuple(a - b for a, b in zip(after[name], before.get(name, (0, 0)), strict=True)) for name in after}
    scanned = {name: rows for name, (rows, _) in counted.items() if rows and name not in ("pulse",)}
    assert scanned == {}
    # a few dozen questions in four beats, each of the touched leads alone: their rows, and nobody else's
    many = {name: fetched for name, (_, fetched) in counted.items() if fetched > LEADS}
    assert set(many) <= {"activity"}, counted
    assert counted["activity"][1] < TOUCHED * (ACTS + 10) * 200


@pytest.mark.parametrize("statistics", ["empty", "fresh", "stale"])
def test_a_batch_is_a_batch_whatever_the_statistics(db, now, statistics):
    if statistics == "stale":
        run("ANALYZE pulse")
    run("INSERT INTO pulse (lead_id, kind, at, lane) SELECT n, 34, %s, n %% 2 FROM generate_series(1, 5000) n", now)
    forget_statistics() if statistics == "empty" else None
    if statistics == "fresh":
        run("ANALYZE pulse")
    ledger.open_beat_tables()
    taken = ledger.take_pulses(now, 40, room=7)
    assert (taken.pulses, taken.bulk, Pulse.objects.count()) == (47, 7, 4953)
