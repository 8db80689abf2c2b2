"""The heart: about once a second, one transaction from pulses to deliveries."""

import contextlib
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import DataError, InterfaceError, OperationalError, connection, transaction

from hagukumi.kit import clock, sql
from hagukumi.ledger import beats, builds
from hagukumi.ledger import services as ledger

from . import builder, jobs
from .queries import SQL

log = structlog.get_logger(__name__)
BATCH = 20_000
"""Pulses a beat takes: bounds the transaction to a few seconds of work at 1M leads."""
BULK_SECONDS = 0.8
"""Bulk work is measured out so that a beat takes about this long: a live fact waits for no more than that."""
LEAST_ROOM, MOST_ROOM = 500, 50_000
"""The least and the most that a beat takes of it, in pulses or people."""
TIDY_AT = 1_000
"""A beat of so many pulses leaves temporary tables worth looking after."""
REST_SECONDS = 1.0
RECORD_SECONDS = 5.0
"""An idle heart says this often that it lives."""
GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class BeatReport:
    """What one beat did: pulses taken (`bulk` of them bulk work), rows changed per step, milliseconds per step."""

    pulses: int
    changed: dict[str, int] = field(default_factory=dict)
    took_ms: dict[str, float] = field(default_factory=dict)
    bulk: int = 0

    @property
    def idle(self) -> bool:
        return not self.pulses and not any(self.changed.values())


class StepError(RuntimeError):
    """A step of the beat broke; the beat was rolled back. `step` is its name, the cause is chained."""

    def __init__(self, step: str, cause: Exception) -> None:
        super().__init__(f"{step}: {cause}")
        self.step = step


def beat(now: datetime, batch: int = BATCH, *, room: int | None = None, aside: bool = False) -> BeatReport:
    """Run every room's step over the oldest pulses, in one transaction: all that follows from a fact, or nothing.

    `batch` bounds the live pulses, `room` (None: as many) the bulk work. Definitions that are new or changed are built
    first, each before its room's step; with `aside` somebody else does that (`builder`).
    StepError where a step breaks; a lost database (OperationalError, InterfaceError) goes through as it is.
    """
    changed: dict[str, int] = {}
    took: dict[str, float] = {}
    with transaction.atomic(), beats.under_way():
        ledger.open_beat_tables()
        taken = ledger.take_pulses(now, batch, room)
        unbuilt: dict[str, list[int]] | None = {} if aside else None
        for name, step in ledger.steps():
            started = time.perf_counter()
            if unbuilt is None and builds.builds(name):  # the steps before make ready what is to be tried again
                unbuilt = builds.unbuilt()
            built = sum(_build(name, object_id, now) for object_id in (unbuilt or {}).get(name, ()))
            changed[name] = built + _run(name, step, now)
            took[name] = (time.perf_counter() - started) * 1000
        ledger.record_pending(ledger.AS_CAUSED)  # of a step that told of no change
    report = BeatReport(taken.pulses, changed, took, taken.bulk)
    if not report.idle and report.pulses >= TIDY_AT and not connection.in_atomic_block:
        ledger.tidy()
    return report


def _build(name: str, object_id: int, now: datetime) -> int:
    changed = builds.build(name, builds.begin(name, object_id, now))
    ledger.record_pending(ledger.BULK)
    beats.forget()
    return changed


def _run(name: str, step: ledger.Step, now: datetime) -> int:
    try:
        changed = step(now)
        if changed:
            ledger.record_pending(ledger.AS_CAUSED)
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


def paced(room: int, report: BeatReport, seconds: float) -> int:
    """How much bulk work the next beat has room for: a beat with bulk work shall take BULK_SECONDS."""
    if seconds <= BULK_SECONDS and report.bulk < room:
        return room
    factor = min(max(BULK_SECONDS / max(seconds, 0.001), 0.25), 2.0)
    return min(max(int(room * factor), LEAST_ROOM), MOST_ROOM)


def main() -> int:
    """Beat until told to stop, with the job runner and the builder beside; returns the exit status.

    One heart per database: a second one waits for the lock. Bad SQL ends it at boot, with the statement's name.
    """
    stop, building = threading.Event(), builder.Building()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    beside = [
        threading.Thread(target=jobs.run, args=(stop,), name="jobs", daemon=True),
        threading.Thread(target=builder.run, args=(stop, building), name="builder", daemon=True),
    ]
    for thread in beside:
        thread.start()
    log.info("the heart starts")
    try:
        status = live(stop, building)
    finally:
        stop.set()
        for thread in beside:
            thread.join(timeout=GRACE_SECONDS)
        connection.close()
    log.info("the heart has stopped")
    return status


@dataclass
class Course:
    """How a heart has been doing: the room for bulk work, and when its steps were last recorded (monotonic)."""

    room: int = 4 * LEAST_ROOM
    recorded_at: float = 0.0


def live(stop: threading.Event, building: builder.Building | None = None) -> int:
    """The loop behind `main`: 0 when stopped, 1 where a statement does not fit the schema."""
    course, building = Course(), building or builder.Building()
    while not stop.is_set():
        try:
            _one_turn(stop, course, building)
        except sql.BrokenQueryError as error:
            log.critical("a statement does not fit the database; the heart stops", statement=str(error))
            return 1
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away; the heart waits", error=str(error).strip())
            building.awake.clear()
            connection.close()
            stop.wait(REST_SECONDS)
        except StepError as error:
            log.exception("a beat failed and was rolled back", step=error.step)
            course.room = LEAST_ROOM
            _keep_error(error)
            stop.wait(REST_SECONDS)
    return 0


def _keep_error(error: StepError) -> None:
    try:
        SQL.keep_error.run({"step": error.step, "error": str(error)[:2000]})
    except (OperationalError, InterfaceError):
        connection.close()


def open_session() -> None:
    """Give the session of this thread memory for many beats; one that had temporary tables before keeps what it has."""
    with contextlib.suppress(DataError), transaction.atomic():
        SQL.beat_memory.value()


def _one_turn(stop: threading.Event, course: Course, building: builder.Building) -> None:
    """One beat, and the rest after it where it was idle."""
    if connection.connection is None:
        open_session()
        sql.prepare_all()
    if not ledger.take_heart_lock():
        building.awake.clear()
        stop.wait(REST_SECONDS)
        return
    building.awake.set()
    report = turn(clock.now(), course, building)
    if report.idle:
        stop.wait(REST_SECONDS)


def turn(now: datetime, course: Course, building: builder.Building) -> BeatReport:
    """One beat of a heart whose definitions are built aside, paced by how long the last ones took."""
    started = time.monotonic()
    report = beat(now, room=0 if building.busy.is_set() else course.room, aside=True)
    ended = time.monotonic()
    if not building.busy.is_set():
        course.room = paced(course.room, report, ended - started)
    if not report.idle or ended - course.recorded_at > RECORD_SECONDS:
        keep_record(now, report)
        course.recorded_at = ended
    return report
