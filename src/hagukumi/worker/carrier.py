"""Carries what is due of a channel that has no sender of its own: claim, hand over, write down. One thread each."""

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, connection

from hagukumi.channels.outbox.services import Channel, Job, Queue, Result
from hagukumi.kit import clock

log = structlog.get_logger(__name__)
BATCH = 100
IDLE_SECONDS = 0.5
AWAY_SECONDS = 1.0
SWEEP_ROUNDS = 10


def process_name() -> str:
    """A name that no other sender has: by it its leases are known, and that it lives."""
    return f"{socket.gethostname()[:20]}.{os.getpid()}.{os.urandom(4).hex()}"


class Carrier:
    """One channel's carrier in this process. Any number may run; each takes what the others have not."""

    def __init__(self, channel: Channel, *, batch: int = BATCH) -> None:
        self.channel = channel
        self.queue = Queue(channel, process_name())
        self._batch = batch
        self._entered = False
        self._unwritten: list[tuple[Job, Result, datetime]] = []
        """Handed over, but not yet written down: what an outage of the database leaves in memory."""

    async def run(self, stop: asyncio.Event) -> None:
        """Carry until `stop`; while the database is away nothing is taken. In one thread: the lease is a session's."""
        loop, thread, rounds = asyncio.get_running_loop(), ThreadPoolExecutor(1, f"carries-{self.channel.key}"), 0
        while not stop.is_set():
            rounds += 1
            wait = await loop.run_in_executor(thread, self._guarded, rounds % SWEEP_ROUNDS == 0)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
        await loop.run_in_executor(thread, _close)
        thread.shutdown()

    def _guarded(self, sweep: bool) -> float:
        """A round; how long to rest after it."""
        try:
            if sweep:
                self.queue.sweep(clock.now())
            return 0.0 if self.round(clock.now()) else IDLE_SECONDS
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away; the carrier waits", channel=self.channel.key, error=str(error)[:200])
            _close()
            self._entered = False
            return AWAY_SECONDS

    def round(self, now: datetime) -> int:
        """One batch from the queue to the other side and into the books; returns how many were judged."""
        if not self._entered:
            self.queue.enter([job.id for job, _result, _at in self._unwritten], now)
            self._entered = True
        self._write(now)
        jobs, judged = self.queue.claim(self._batch, now)
        if jobs:
            self._unwritten = [(job, result, now) for job, result in zip(jobs, self._handed(jobs, now), strict=True)]
            self._write(now)
        return judged

    def _write(self, now: datetime) -> None:
        self.queue.settle(self._unwritten, now)
        self._unwritten = []

    def _handed(self, jobs: list[Job], now: datetime) -> list[Result]:
        """What became of each; where the channel breaks nobody knows how far it came, so all are in doubt."""
        hand_over = self.channel.hand_over
        try:
            results = list(hand_over(jobs, now)) if hand_over else []
            if len(results) != len(jobs):
                raise ValueError(f"{len(results)} results for {len(jobs)} jobs")
        except Exception as error:
            log.exception("a channel broke while handing over", channel=self.channel.key, jobs=len(jobs))
            return [Result("unknown", receipt=str(error)) for _job in jobs]
        return results


def _close() -> None:
    connection.close()  # the connection of the thread that runs this
