"""W6: everybody is due at once: leave a wait, get a mail, come to stand at the next wait; against the bare statements.

Ours is the whole beat, again and again until nobody is due: bounded batches, every room's step, counts, books. The
limit is one UPDATE of the same enrolments and one INSERT of the same deliveries, same tables, same indexes.
`idle_ms` is a whole beat while all of them wait for tomorrow, `paused_ms` one while a pause holds them all overdue.
"""

import resource
import statistics
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from hagukumi.channels.mail.models import Message, Sender
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock
from hagukumi.nurture.scenarios import services
from hagukumi.nurture.scenarios.models import Scenario, ScenarioVersion
from hagukumi.nurture.scenarios.rules import Graph
from hagukumi.worker import heart

LEADS = 1_000_000
ACTIVITY = 0
IDLE_BEATS = 50
_LEADS = """
INSERT INTO lead (known_at, last_name, first_name, company_name, email, created_at, updated_at)
SELECT %(now)s, '山田', 'No.' || n, '株式会社青葉製作所', 'lead' || n || '@example.co.jp', %(now)s, %(now)s
FROM generate_series(1, %(people)s) n
"""
_WAITING = """
INSERT INTO enrollment (lead_id, scenario_id, visit, version_id, node, entry_fact, entered_at, node_since, due_at)
SELECT lead_id, %(scenario)s, 1, %(version)s, 'w1', 1, %(now)s, %(now)s, %(due)s FROM lead ORDER BY lead_id
"""
_BARE_UPDATE = """
UPDATE enrollment SET node = 'w2', node_since = %(now)s, due_at = %(later)s
WHERE version_id = %(version)s AND node = 'w1' AND state = 'active' AND due_at <= %(now)s
"""
_BARE_INSERT = """
INSERT INTO delivery (lead_id, message_id, occurrence, scenario_id, queued_at, due_at)
SELECT lead_id, %(message)s, 's' || scenario_id || '.' || visit || '.m1', scenario_id, %(now)s, %(now)s
FROM enrollment WHERE version_id = %(version)s AND node = 'w2' AND state = 'active'
"""


def run(leads: int, activity: int) -> dict[str, Any]:
    """Lead-steps a second, ours and the limit's; `activity` is not used."""
    now = clock.now()
    version, message = _scenario(now)
    ids = {"scenario": version.scenario_id, "version": version.id, "message": message}
    _run(_LEADS, now=now, people=leads)
    due = now + timedelta(days=1)

    _fill(ids, now, due)
    limit = _timed(lambda: _limit(ids, due))
    _expect(leads, ids)

    _fill(ids, now, due)
    idle_ms = _idle(now)
    Scenario.objects.update(state="paused")
    paused_ms = _idle(due)
    Scenario.objects.update(state="running")
    took = _timed(lambda: heart.settle(due, limit=leads // 10_000 + 100))
    _expect(leads, ids)
    return {
        "unit": "lead-steps",
        "rate": round(leads / took),
        "limit_rate": round(leads / limit),
        "ratio": round(limit / took, 3),
        "idle_ms": round(idle_ms, 2),
        "paused_ms": round(paused_ms, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "leads": leads,
    }


def _scenario(now: datetime) -> tuple[ScenarioVersion, int]:
    sender = Sender.objects.create(
        name="青葉製作所", email="news@example.co.jp", legal_name="株式会社青葉製作所",
        postal_address="東京都千代田区1-1", contact="03-1234-5678",
    )  # fmt: skip
    message = Message.objects.create(
        name="事例", subject="導入事例のご紹介", mjml="こんにちは。", sender=sender, created_at=now, updated_at=now
    )
    segment = Segment.objects.create(
        name="全員", tree={"type": "tag", "tags": ["展示会"]}, built_at=now, created_at=now, updated_at=now
    )
    graph = Graph.model_validate(
        {
            "schema": 1,
            "entry": {"type": "segment", "segment_id": segment.id},
            "start": "w1",
            "nodes": [
                {"id": "w1", "type": "wait", "days": 1, "next": "m1"},
                {"id": "m1", "type": "mail", "message_id": message.id, "next": "w2"},
                {"id": "w2", "type": "wait", "days": 1, "next": "e1"},
                {"id": "e1", "type": "end"},
            ],
        }
    )
    scenario = services.create("W6", now=now, graph=graph)
    return services.publish(scenario.id, now=now), message.id


def _fill(ids: dict[str, int], now: datetime, due: datetime) -> None:
    """The same start for both: everybody at the first wait, nothing queued, statistics fresh, nothing left to flush."""
    _run("TRUNCATE enrollment, delivery, activity, pulse, scenario_node_count")
    _run(_WAITING, **ids, now=now, due=due)
    for statement in (
        "VACUUM (ANALYZE) enrollment",
        "VACUUM (ANALYZE) delivery",
        "VACUUM (ANALYZE) lead",
        "CHECKPOINT",
    ):
        _run(statement)
    heart.settle(now)


def _limit(ids: dict[str, int], due: datetime) -> None:
    _run(_BARE_UPDATE, **ids, now=due, later=due + timedelta(days=1))
    _run(_BARE_INSERT, **ids, now=due)


def _idle(now: datetime) -> float:
    """Median milliseconds of a whole beat in which nothing is to be done."""
    took = []
    for _turn in range(IDLE_BEATS):
        started = time.perf_counter()
        if not heart.beat(now).idle:
            raise RuntimeError("a beat that should have been idle was not")
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _expect(people: int, ids: dict[str, int]) -> None:
    """Both must have done the whole of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM enrollment WHERE node = 'w2'), (SELECT count(*) FROM delivery)")
        if cursor.fetchone() != (people, people):
            raise RuntimeError("not everybody has moved and got a mail")


def _run(statement: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
