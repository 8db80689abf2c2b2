"""The sender: takes mails from the queue through the gate and hands them off over a few SMTP connections.

The event loop does the wire and the rendering; one thread claims, one writes results. What is in hand is bounded, by
IN_HAND and by the server's pace, because a `kill -9` leaves so many in doubt. While the database is away, results wait
in memory and nothing new is taken.
"""

import asyncio
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog
import uvloop
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from hagukumi.channels.mail import lines, replies
from hagukumi.channels.mail.services import Job, Outbox
from hagukumi.channels.outbox import services as outbox
from hagukumi.kit import clock, smtp, sql

from .breaker import ROUTE, Breaker
from .carrier import Carrier, process_name

log = structlog.get_logger(__name__)
CONNECTIONS = 8
BATCH = 250
IN_HAND = 1000
HAND_SECONDS = 0.25
LEAST_IN_HAND = 50
IDLE_SECONDS = 0.5
QUIET_SECONDS = 20.0
SWEEP_SECONDS = 5.0
SWITCH_SECONDS = 0.0005
"""How soon the loop lets a database thread have the interpreter: at the usual 5 ms those starve beside it."""
OFFER_WITHIN = 600.0
"""Seconds after the claim in which a mail may still be offered: with the wait for an answer, well inside its lease."""
T = TypeVar("T")


class Sender:
    """One sender process. `run` returns once `stop` is set and nothing is in hand."""

    def __init__(
        self, server: smtp.Server, *, connections: int = CONNECTIONS, batch: int = BATCH, in_hand: int = IN_HAND
    ):
        self.server = server
        self.batch = batch
        self._most_in_hand = in_hand
        self._in_hand_limit = float(min(in_hand, LEAST_IN_HAND))
        self._settled_at = 0.0
        self.outbox = Outbox(process_name(), real=smtp.is_real(server))
        self.sent = 0
        self._connections = connections
        self._claiming = ThreadPoolExecutor(1, thread_name_prefix="claims")
        self._settling = ThreadPoolExecutor(1, thread_name_prefix="results")
        self._waiting: deque[tuple[Job, float]] = deque()
        self._done: list[tuple[Job, smtp.Outcome, datetime]] = []
        self._hand: dict[int, Job] = {}
        self._arrived = asyncio.Event()
        self._finished = asyncio.Event()
        self._stopping = self._over = False
        self.breaker = Breaker()

    async def run(self, stop: asyncio.Event, *, until_empty: bool = False) -> None:
        """Send until `stop`; with `until_empty`, also until no mail is due and none is in hand."""
        sys.setswitchinterval(SWITCH_SECONDS)
        await self._claims(self._enter)
        tasks = [asyncio.create_task(self._line()) for _ in range(self._connections)]
        settling = asyncio.create_task(self._settle_until_over())
        try:
            await self._claim_until(stop, until_empty)
        finally:
            self._stopping = True
            await self._give_back()
            self._arrived.set()
            await asyncio.gather(*tasks)
            self._over = True
            await settling
            for thread in (self._claiming, self._settling):
                await asyncio.get_running_loop().run_in_executor(thread, _close)
                thread.shutdown()

    # the database's side
    def _enter(self) -> None:
        connection.ensure_connection()
        sql.prepare_all()
        self.outbox.enter(list(self._hand), clock.now())
        if not self.breaker.lines:  # what an earlier sender found is asked again at once
            self.breaker.lines = {
                line.sender: replace(line, retry_at=clock.now()) for line in lines.known(self.server.route)
            }

    def _claim(self, most: int) -> tuple[list[Job], int]:
        """What may go now: one probe for each line whose wait is over, and all that no trouble holds back."""
        now = clock.now()
        jobs: list[Job] = []
        judged = 0
        for line in self.breaker.to_probe(now):
            held = () if line != ROUTE else self.breaker.shut()
            found, looked_at = self.outbox.claim(1, now, held=held, only=line)
            jobs, judged = jobs + found, judged + looked_at
        if not self.breaker.is_shut(now):
            found, looked_at = self.outbox.claim(most, now, held=self.breaker.shut())
            jobs, judged = jobs + found, judged + looked_at
        return jobs, judged

    async def _claims(self, work: Callable[[], T]) -> T:
        """Run `work` on the claiming thread. After an outage, first see to what a lost commit may have left behind.

        Only this thread does that, for only between claims is `_hand` all that is leased to us.
        """
        while True:
            try:
                return await self._on(self._claiming, work)
            except (OperationalError, InterfaceError) as error:
                await self._outage(self._claiming, error)
                if work != self._enter:
                    await self._claims(self._enter)

    async def _results(self, work: Callable[[], T]) -> T:
        """Run `work` on the settling thread; while the database is away, what is done waits in memory."""
        while True:
            try:
                return await self._on(self._settling, work)
            except (OperationalError, InterfaceError) as error:
                await self._outage(self._settling, error)

    async def _on(self, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)

    async def _outage(self, thread: ThreadPoolExecutor, error: Exception) -> None:
        log.warning("the database is away; the sender waits", error=str(error).strip()[:200])
        await self._on(thread, _close)
        await asyncio.sleep(1.0)

    async def _claim_until(self, stop: asyncio.Event, until_empty: bool) -> None:
        loop = asyncio.get_running_loop()
        swept_at = loop.time()
        while not stop.is_set():
            if loop.time() - swept_at > SWEEP_SECONDS:
                swept_at = loop.time()
                await self._claims(lambda: self.outbox.sweep(clock.now()))
            room = int(self._in_hand_limit) - len(self._hand)
            if room < min(self.batch, self._in_hand_limit / 4):
                await self._pause(self._finished, 0.2)
                continue
            jobs, judged = await self._claims(partial(self._claim, min(room, self.batch)))
            taken_at = loop.time()
            for job in jobs:
                self._hand[job.id] = job
                self._waiting.append((job, taken_at))
            if jobs:
                self._arrived.set()
            if not judged:
                if until_empty and not self._hand:
                    return
                await _first(stop.wait(), asyncio.sleep(IDLE_SECONDS if not self._hand else 0.02))

    async def _pause(self, event: asyncio.Event, seconds: float) -> None:
        event.clear()
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return

    async def _settle_until_over(self) -> None:
        while not self._over or self._done:
            await asyncio.sleep(0.01)
            await self._settle()

    async def _settle(self) -> None:
        if self.breaker.changed:
            changed, self.breaker.changed = self.breaker.changed, {}
            await self._results(lambda: lines.keep(self.server.route, changed))
        if not self._done:
            return
        done, self._done = self._done, []
        await self._results(lambda: self.outbox.settle(done, clock.now()))
        for job, _outcome, _at in done:
            self._hand.pop(job.id, None)
        self._keep_pace(len(done))
        self._finished.set()

    def _keep_pace(self, done: int) -> None:
        """Let so much into the hand as HAND_SECONDS of the present pace want, rising at most twofold at a time."""
        now = asyncio.get_running_loop().time()
        pace = done / max(now - self._settled_at, 0.001)
        self._settled_at = now
        wanted = min(pace * HAND_SECONDS, self._in_hand_limit * 2)
        smooth = 0.7 * self._in_hand_limit + 0.3 * wanted
        self._in_hand_limit = min(self._most_in_hand, max(LEAST_IN_HAND, smooth))

    async def _give_back(self) -> None:
        jobs = [job for job, _taken_at in self._waiting]
        self._waiting.clear()
        if jobs:
            await self._results(lambda: self.outbox.release(jobs, clock.now()))
        for job in jobs:
            self._hand.pop(job.id, None)

    # the wire's side
    async def _line(self) -> None:
        """One connection's life: opened for a mail, closed when it falls quiet, opened again after trouble."""
        name = socket.getfqdn() or "localhost"
        while (first := await self._next()) is not None:
            try:
                line = await smtp.connect(self.server, name)
            except smtp.ConnectError as error:
                self._report(smtp.Outcome(first.key, "unsent", "connect", str(error)))
                self._no_server(error)
                continue
            at_start = [first]
            try:
                await line.pump(partial(self._following, at_start), self._at_hand, self._report)
            finally:
                for mail in at_start:
                    self._report(smtp.Outcome(mail.key, "unsent", "connect", "connection lost"))
            await line.quit()

    def _no_server(self, error: smtp.ConnectError) -> None:
        if ROUTE not in self.breaker.lines:
            log.warning("the SMTP server takes no mail from us", host=self.server.host, error=str(error))
        answered = str(error)[:3].isdigit()
        reason = replies.meaning(str(error), "connect").reason if answered else "connect"
        self.breaker.fails(ROUTE, reason, str(error), clock.now())
        self._let_go(str(error))

    def _let_go(self, why: str, sender: str = ROUTE) -> None:
        """Give back what waits in the hand for a line that stands still: nothing of it was offered."""
        kept = deque[tuple[Job, float]]()
        for job, taken_at in self._waiting:
            if sender in (ROUTE, self.outbox.sender_of(job)):
                self._done.append((job, smtp.Outcome(job.id, "unsent", "connect", why), clock.now()))
            else:
                kept.append((job, taken_at))
        self._waiting = kept

    async def _following(self, at_start: list[smtp.Mail]) -> smtp.Mail | None:
        return at_start.pop() if at_start else await self._next(QUIET_SECONDS)

    async def _next(self, seconds: float | None = None) -> smtp.Mail | None:
        """The next mail, waiting for one; None when it is time to stop or `seconds` have passed without one."""
        while True:
            mail = self._at_hand()
            if mail is not None:
                return mail
            if self._stopping:
                return None
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return None

    def _at_hand(self) -> smtp.Mail | None:
        while self._waiting:
            job, taken_at = self._waiting.popleft()
            if asyncio.get_running_loop().time() - taken_at > OFFER_WITHIN:
                self._done.append((job, smtp.Outcome(job.id, "unsent", "connect", ""), clock.now()))
                continue
            mail = self.outbox.mail(job, clock.now())
            if isinstance(mail, smtp.Mail):
                return mail
            self._report(mail)
        return None

    def _report(self, outcome: smtp.Outcome) -> None:
        job, now = self._hand[outcome.key], clock.now()
        if outcome.result != "sent" or self.breaker.lines or self.breaker.is_watching:
            sender = self.outbox.sender_of(job)
            before = self.breaker.changed.copy()
            outcome = self.breaker.judge(outcome, sender, now)
            for line in self.breaker.changed.keys() - before.keys():
                if self.breaker.changed[line] is not None:
                    log.warning("a line stands still", sender=line, reply=outcome.reply)
                    self._let_go(outcome.reply, line)
        self._done.append((job, outcome, now))
        self.sent += outcome.result == "sent"


def _close() -> None:
    connection.close()  # the connection of the thread that runs this


async def _first(*waits: Coroutine[Any, Any, Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    _done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()


async def _run() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sender = Sender(smtp.server_of(settings.SMTP_URL))
    log.info("the sender starts", server=f"{sender.server.host}:{sender.server.port}")
    carried = [Carrier(channel).run(stop) for channel in outbox.every() if channel.hand_over]
    await asyncio.gather(sender.run(stop), *carried)
    log.info("the sender has stopped", sent=sender.sent)


def main() -> int:
    """Send mail until told to stop. Any number of senders may run; each takes what the others have not."""
    uvloop.run(_run())
    return 0
