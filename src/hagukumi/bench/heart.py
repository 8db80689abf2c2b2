"""heart: bulk facts are queued while others happen live; how fast the queue drains, and how long a live fact waits.

A world of leads with a year of acts and the ready-made segments, score and phases is built (`build_s`, by definition).
Then one fact for each lead is queued as bulk work, twice: one that no definition reads (`unread_rate`), and one that
segments, the score and both phase models read (an import of everybody, `rate`). While the latter drains, page views
happen at 1,000 a second and make people members of a segment: `p50_s`, `p99_s`, `worst_s` are from the fact's commit to
the commit of the beat that made the member. The limit is bare statements that take the same pulses away, in the same
batches, and think nothing.
"""

import resource
import statistics
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock
from hagukumi.ledger import kinds
from hagukumi.ledger import services as ledger
from hagukumi.worker import builder, heart

LEADS = 1_000_000
ACTIVITY = 20_000_000
LIVE_RATE = 1_000
"""Live facts a second."""
TICK = 0.05
"""They come in bunches, so many seconds apart."""
PAGES = 400
LIVE_PAGE = PAGES + 1
AT_MOST_SECONDS = 900.0
_WORLD = (
    """INSERT INTO page (id, url, title, category, first_seen_at)
    SELECT n, 'https://www.example.co.jp/' || n, 'Page ' || n,
           CASE WHEN n %% 40 = 0 THEN 'price' WHEN n %% 40 = 1 THEN 'case' ELSE '' END, %(now)s
    FROM generate_series(1, %(pages)s + 1) n""",
    """INSERT INTO form (id, slug, name, kind, created_at)
    SELECT n, 'f' || n, 'f' || n, CASE n WHEN 1 THEN 'inquiry' ELSE 'download' END, %(now)s
    FROM generate_series(1, 2) n""",
    """INSERT INTO company (name, match_key, industry, sales_yen, created_at, updated_at)
    SELECT '会社' || n, 'k' || n, (ARRAY['it', 'manufacturing', 'retail'])[1 + n %% 3], n * 1000000::bigint, %(now)s,
           %(now)s
    FROM generate_series(1, %(leads)s / 10 + 1) n""",
    """INSERT INTO lead (known_at, last_name, first_name, company_name, company_id, rank, email, created_at, updated_at)
    SELECT %(now)s - n %% 700 * interval '1 day', '山田', 'No.' || n, '会社', 1 + n %% (%(leads)s / 10 + 1),
           (ARRAY['exec', 'manager', 'staff', ''])[1 + n %% 4], 'lead' || n || '@example.co.jp', %(now)s, %(now)s
    FROM generate_series(1, %(leads)s) n""",
)
_ACTS = """
INSERT INTO activity (lead_id, at, kind, object_id, amount)
SELECT 1 + (random() * (%(leads)s - 1))::bigint, at, kind,
       CASE WHEN kind < 4 THEN 1 + (random() * (%(pages)s - 1))::int WHEN kind = 20 THEN 1 + random()::int ELSE 1 END,
       CASE kind WHEN 2 THEN 30 WHEN 3 THEN 80 END
FROM (
    SELECT %(first)s::timestamptz + (%(last)s::timestamptz - %(first)s::timestamptz) * n / %(acts)s AS at,
           (ARRAY[1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 10, 10, 10, 11, 11, 12, 20, 21, 35])[1 + (random() * 19)::int]
               AS kind
    FROM generate_series(1, %(acts)s) n
) a
"""
_BULK = """
INSERT INTO fact (lead_id, at, kind, object_id) SELECT lead_id, %(now)s, %(kind)s, 1 FROM lead ORDER BY lead_id
"""


def run(leads: int, activity: int) -> dict[str, Any]:
    """Bulk facts a second, the limit's, and the waits of live facts meanwhile."""
    heart.open_session()
    now = clock.now()
    _fill(leads, activity, now)
    report: dict[str, Any] = {"unit": "bulk facts"}
    report.update(_built(now))
    unread = _drained(leads, _code("segment_entered"))
    report["unread_rate"] = round(leads / unread["seconds"])
    read = _drained(leads, _code("lead_imported"), live_from=leads // 4)
    limit = _limit(leads)
    waits = sorted(read["waits"])
    report.update(
        rate=round(leads / read["seconds"]), limit_rate=round(leads / limit), ratio=round(limit / read["seconds"], 3),
        live_facts=read["told"], live_members=len(waits), p50_s=_at(waits, 0.5), p99_s=_at(waits, 0.99),
        worst_s=_at(waits, 1.0), beats=read["beats"], longest_beat_s=round(read["longest"], 2),
    )  # fmt: skip
    idle = [_timed(lambda: heart.beat(clock.now(), aside=True)) for _turn in range(30)]
    report["idle_ms"] = round(statistics.median(idle) * 1000, 2)
    report["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    report["leads"], report["activity"] = leads, activity
    return report


def _at(waits: list[float], share: float) -> float:
    return round(waits[min(int(len(waits) * share), len(waits) - 1)], 2) if waits else 0.0


def _fill(leads: int, activity: int, now: datetime) -> None:
    for statement in _WORLD:
        _run(statement, now=now, leads=leads, pages=PAGES)
    first = now - timedelta(days=365)
    _run("SELECT ensure_activity_months(%(first)s, %(last)s)", first=first, last=now + timedelta(days=1))
    month, acts = timedelta(days=5), max(activity * 5 // 365, 1)
    while first < now:
        _run(_ACTS, leads=leads, pages=PAGES, first=first, last=min(first + month, now), acts=acts)
        first += month
    for table in ("lead", "activity", "company", "page"):
        _run(f"VACUUM (ANALYZE) {table}")
    _run("CHECKPOINT")


def _built(now: datetime) -> dict[str, Any]:
    """Seconds for each ready-made definition, built aside as a live heart has it done."""
    segments.ready_made(now)
    live = {"type": "activity", "kinds": ["page_view"], "objects": [LIVE_PAGE], "at_least": 1, "days": 30}
    segments.save("生", live, now=now, key="live")
    scoring.ready_made(now)
    phases.ready_made(now)
    building, built = builder.Building(), list[float]()
    started = time.monotonic()
    while builder.build_next(clock.now(), building):
        built.append(round(time.monotonic() - started, 1))
        started = time.monotonic()
    queued = _value("SELECT count(*) FROM pulse")
    settled = _timed(lambda: _beats(heart.Course()))
    return {
        "build_s": " ".join(map(str, built)), "build_pulses": queued, "settle_s": round(settled, 1),
        "operations": _value("SELECT count(*) FROM operation"),
    }  # fmt: skip


def _beats(course: heart.Course) -> tuple[int, float]:
    """Turns until nothing waits: how many, and the longest in seconds."""
    building, beats, longest = builder.Building(), 0, 0.0
    while True:
        started = time.monotonic()
        report = heart.turn(clock.now(), course, building)
        longest = max(longest, time.monotonic() - started)
        beats += 1
        if report.idle:
            return beats, longest


class Live(threading.Thread):
    """Somebody looks at the page, LIVE_RATE times a second, each time another. `sent`: when their fact was there."""

    def __init__(self, leads: range) -> None:
        super().__init__(daemon=True)
        self.leads, self.sent, self.told = iter(leads), dict[int, float](), 0
        self.stop = threading.Event()

    def run(self) -> None:
        due = time.monotonic()
        while not self.stop.is_set():
            who = [lead for _, lead in zip(range(int(LIVE_RATE * TICK)), self.leads, strict=False)]
            if not who:
                break
            at = clock.now()
            ledger.record([ledger.Fact(lead, "page_view", at, LIVE_PAGE) for lead in who])
            there = time.monotonic()
            self.sent.update(dict.fromkeys(who, there))
            self.told += len(who)
            due += TICK
            self.stop.wait(max(due - time.monotonic(), 0))
        connection.close()


def _drained(leads: int, kind: int, live_from: int | None = None) -> dict[str, Any]:
    """Queue one bulk fact of a kind for every lead and beat until all are thought about, with live facts beside."""
    ledger.open_beat_tables()
    _run(_BULK, now=clock.now(), kind=kind)
    ledger.record_pending(ledger.BULK)
    _run("VACUUM (ANALYZE) pulse")
    course, building, beats, longest = heart.Course(), builder.Building(), 0, 0.0
    live = Live(range(live_from, leads) if live_from else range(0))
    segment_id = Segment.objects.get(key="live").pk
    waits: list[float] = []
    live.start()
    started = time.monotonic()
    while time.monotonic() - started < AT_MOST_SECONDS:
        began, now = time.monotonic(), clock.now()
        report = heart.turn(now, course, building)
        done = time.monotonic()
        longest, beats = max(longest, done - began), beats + 1
        if live_from:
            waits += [done - live.sent[lead] for lead in _new_members(segment_id, now) if lead in live.sent]
        if not report.bulk and not _value("SELECT count(*) FROM (SELECT 1 FROM pulse WHERE lane = 1 LIMIT 1) p"):
            break
    else:
        raise RuntimeError(f"the queue did not drain in {AT_MOST_SECONDS} s")
    seconds = time.monotonic() - started
    live.stop.set()
    live.join()
    _beats(course)
    return {"seconds": seconds, "beats": beats, "longest": longest, "waits": waits, "told": live.told}


def _new_members(segment_id: int, since: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lead_id FROM segment_member WHERE segment_id = %s AND since = %s AND operation_id IS NULL",
            [segment_id, since],
        )
        return [row[0] for row in cursor.fetchall()]


def _limit(leads: int) -> float:
    """Seconds to take as many pulses away in the same batches, and nothing else."""
    _run("TRUNCATE pulse")
    _run(
        "INSERT INTO pulse (lead_id, kind, at, hop, lane) SELECT lead_id, 31, %(now)s, 0, 1 FROM lead ORDER BY lead_id",
        now=datetime.now(UTC),
    )
    _run("VACUUM (ANALYZE) pulse")
    take = (
        "DELETE FROM pulse WHERE ctid = ANY(ARRAY(SELECT ctid FROM pulse WHERE lane = 1 ORDER BY id LIMIT 20000"
        " FOR UPDATE SKIP LOCKED))"
    )

    def drain() -> None:
        with connection.cursor() as cursor:
            cursor.execute(take)
            while cursor.rowcount:
                cursor.execute(take)

    return _timed(drain)


def _code(key: str) -> int:
    return kinds.by_key(key).code


def _timed(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _value(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def _run(statement: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
