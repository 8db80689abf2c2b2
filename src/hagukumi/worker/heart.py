"""The heart: about once a second, one transaction from pulses to deliveries."""

import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from hagukumi.kit import clock, sql
from hagukumi.ledger import services as ledger

from . import jobs
from .queries import SQL

log = structlog.get_logger(__name__)
BATCH = 20_000
"""Pulses a beat takes: bounds the transaction to a few seconds of work at 1M leads."""
REST_SECONDS = 1.0
RECORD_SECONDS = 5.0
"""An idle heart says this often that it lives."""
JOBS_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class BeatReport:
    """What one beat did: pulses taken, rows changed per step, milliseconds per step."""

    pulses: int
    changed: dict[str, int] = field(default_factory=dict)
    took_ms: dict[str, float] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        return not self.pulses and not any(self.changed.values())


class StepError(RuntimeError):
    """A step of the beat broke; the beat was rolled back. `step` is its name, the cause is chained."""

    def __init__(self, step: str, cause: Exception) -> None:
        super().__init__(f"{step}: {cause}")
        self.step = step


def beat(now: datetime, batch: int = BATCH) -> BeatReport:
    """Run every room's step over the oldest pulses, in one transaction: all that follows from a fact, or nothing.

    StepError where a step breaks; a lost database (OperationalError, InterfaceError) goes through as it is.
    """
    changed: dict[str, int] = {}
    took: dict[str, float] = {}
    with transaction.atomic():
        ledger.open_beat_tables()
        pulses = ledger.take_pulses(batch)
        for name, step in ledger.steps():
            started = time.perf_counter()
            changed[name] = _run(name, step, now)
            took[name] = (time.perf_counter() - started) * 1000
    report = BeatReport(pulses, changed, took)
    if not report.idle and not connection.in_atomic_block:
        ledger.tidy()
    return report


def _run(name: str, step: ledger.Step, now: datetime) -> int:
    try:
        changed = step(now)
        ledger.record_pending()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        raise StepError(name, error) from error
    return changed


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
    """Beat until told to stop, with the job runner beside; returns the exit status.

    One heart per database: a second one waits for the lock. Bad SQL ends it at boot, with the statement's name.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    runner = threading.Thread(target=jobs.run, args=(stop,), name="jobs", daemon=True)
    runner.start()
    log.info("the heart starts")
    try:
        status = live(stop)
    finally:
        stop.set()
        runner.join(timeout=JOBS_GRACE_SECONDS)
        connection.close()
    log.info("the heart has stopped")
    return status


def live(stop: threading.Event) -> int:
    """The loop behind `main`: 0 when stopped, 1 where a statement does not fit the schema."""
    recorded_at = 0.0
    while not stop.is_set():
        try:
            recorded_at = _one_turn(stop, recorded_at)
        except sql.BrokenQueryError as error:
            log.critical("a statement does not fit the database; the heart stops", statement=str(error))
            return 1
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away; the heart waits", error=str(error).strip())
            connection.close()
            stop.wait(REST_SECONDS)
        except StepError as error:
            log.exception("a beat failed and was rolled back", step=error.step)
            _keep_error(error)
            stop.wait(REST_SECONDS)
    return 0


def _keep_error(error: StepError) -> None:
    try:
        SQL.keep_error.run({"step": error.step, "error": str(error)[:2000]})
    except (OperationalError, InterfaceError):
        connection.close()


def _one_turn(stop: threading.Event, recorded_at: float) -> float:
    """One beat, and the rest after it where it was idle; returns when the steps were last recorded (monotonic)."""
    if connection.connection is None:
        connection.ensure_connection()
        sql.prepare_all()
    if not ledger.take_heart_lock():
        stop.wait(REST_SECONDS)
        return recorded_at
    now = clock.now()
    report = beat(now)
    if not report.idle or time.monotonic() - recorded_at > RECORD_SECONDS:
        keep_record(now, report)
        recorded_at = time.monotonic()
    if report.idle:
        stop.wait(REST_SECONDS)
    return recorded_at
