"""The heart: about once a second, one transaction from pulses to deliveries."""

import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import OperationalError, connection, transaction

from hagukumi.kit import clock, sql
from hagukumi.ledger import services as ledger

from .queries import SQL

log = structlog.get_logger(__name__)
BATCH = 20_000
"""Pulses a beat takes: bounds the transaction to a few seconds of work at 1M leads."""
REST_SECONDS = 1.0


@dataclass(frozen=True)
class BeatReport:
    """What one beat did: pulses taken, rows changed per step, milliseconds per step."""

    pulses: int
    changed: dict[str, int] = field(default_factory=dict)
    took_ms: dict[str, float] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        return not self.pulses and not any(self.changed.values())


def beat(now: datetime, batch: int = BATCH) -> BeatReport:
    """Run every room's step over the oldest pulses, in one transaction: all that follows from a fact, or nothing."""
    changed: dict[str, int] = {}
    took: dict[str, float] = {}
    with transaction.atomic():
        ledger.open_beat_tables()
        pulses = ledger.take_pulses(batch)
        for name, step in ledger.steps():
            started = time.perf_counter()
            changed[name] = step(now)
            ledger.record_pending()
            took[name] = (time.perf_counter() - started) * 1000
    return BeatReport(pulses, changed, took)


def settle(now: datetime, limit: int = 200) -> int:
    """Beat until nothing moves any more; returns the number of beats. RuntimeError past `limit` (a loop)."""
    for done in range(1, limit + 1):
        if beat(now).idle:
            return done
    raise RuntimeError(f"the heart did not come to rest in {limit} beats")


def keep_record(now: datetime, report: BeatReport) -> None:
    """Write lag and last success of each step for `doctor` and the health screen."""
    backlog = ledger.backlog(now)
    SQL.keep_steps.run(
        {
            "steps": list(report.changed),
            "took": [report.took_ms[name] for name in report.changed],
            "lag": backlog["lag_seconds"],
            "now": now,
        }
    )


def main() -> int:
    """Beat until told to stop. One heart per database: a second one waits for the lock."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("the heart starts")
    recorded_at = 0.0
    while not stop.is_set():
        try:
            recorded_at = _one_turn(stop, recorded_at)
        except OperationalError:
            log.warning("the database is away; the heart waits", exc_info=True)
            connection.close()
            stop.wait(1.0)
        except Exception:
            log.exception("a beat failed and was rolled back")
            stop.wait(1.0)
    connection.close()
    log.info("the heart has stopped")
    return 0


def _one_turn(stop: threading.Event, recorded_at: float) -> float:
    if connection.connection is None:
        connection.ensure_connection()
        sql.prepare_all()
    if not ledger.take_heart_lock():
        stop.wait(REST_SECONDS)
        return recorded_at
    now = clock.now()
    report = beat(now)
    if not report.idle or time.monotonic() - recorded_at > 5:
        keep_record(now, report)
        recorded_at = time.monotonic()
    if report.idle:
        stop.wait(REST_SECONDS)
    return recorded_at
