"""The buffer: many requests, one commit. Lines gather while the last COPY is under way and leave with the next.

One task owns the database connection. `put` returns a future that is done when the lines are safe: committed, or on
the spool's disk while the database is away or slow. It fails only when neither is possible.
"""

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from . import wire
from .spool import Spool

log = structlog.get_logger(__name__)
COMMIT_SECONDS = 5.0
"""A commit that takes longer counts as a database that is away: the lines go to disk (a repeat is known by its id)."""
RETRY_SECONDS = 0.5
ALIVE_SECONDS = 10.0
"""Longer than a refresh and a commit may take together, so that a slow commit is not told as an outage."""
GATHER_SECONDS = 0.001
FULL_LINES = 2_000

Refresh = Callable[[psycopg.AsyncConnection[tuple[object, ...]]], Awaitable[None]]


class Buffer:
    """Group commit of lines into `inbox`. `refresh` is called on the same connection every `refresh_seconds`."""

    def __init__(
        self,
        database_url: str,
        spool: Spool,
        clock: Callable[[], float],
        refresh: Refresh,
        refresh_seconds: float = 2.0,
    ) -> None:
        self._url = database_url
        self.spool = spool
        self._clock = clock
        self._refresh = refresh
        self._refresh_seconds = refresh_seconds
        self._refresh_at = 0.0
        self._lines: list[str] = []
        self._done: asyncio.Future[None] | None = None
        self._drops: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._connection: psycopg.AsyncConnection[tuple[object, ...]] | None = None
        self._connect_at = 0.0
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.last_commit = 0.0
        self._heard_at = 0.0
        self._waits_since = 0.0

    # -- what requests call -----------------------------------------------------------------------------------

    def put(self, lines: list[str]) -> "asyncio.Future[None]":
        """Take lines; the future is done when they are safe and raises OSError when they could not be kept."""
        self._lines += lines
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
            self._waits_since = time.monotonic()
            self._wake.set()
        return self._done

    def drop(self, reason: str, count: int = 1) -> None:
        """Count events that left the pipeline; the counts leave with the next commit."""
        self._drops[reason] += count
        self._wake.set()

    @property
    def alive(self) -> bool:
        """Whether the database has answered within ALIVE_SECONDS (it is asked every `refresh_seconds`)."""
        return self._connection is not None and time.monotonic() - self._heard_at < ALIVE_SECONDS

    @property
    def heard_seconds(self) -> float | None:
        """Since the database last answered; None where it never has."""
        return round(time.monotonic() - self._heard_at, 1) if self._heard_at else None

    @property
    def waiting(self) -> int:
        return len(self._lines)

    @property
    def waiting_seconds(self) -> float:
        """How long the oldest line that is not yet safe has been waiting."""
        return round(time.monotonic() - self._waits_since, 3) if self._lines else 0.0

    # -- life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Bring everything that was taken to safety, then let go of the database."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._disconnect()

    async def _run(self) -> None:
        while not self._closing or self._lines or self._drops:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            if not self._closing and len(self._lines) < FULL_LINES:
                await asyncio.sleep(GATHER_SECONDS)
            try:
                await self._turn()
            except Exception:
                log.exception("the collector's writer stumbled")
                await asyncio.sleep(RETRY_SECONDS)

    async def _turn(self) -> None:
        await self._connect()
        lines, done, self._lines, self._done = self._lines, self._done, [], None
        lines += self._take_drops()
        if lines:
            try:
                await self._keep(lines)
            except OSError as error:
                log.critical("neither the database nor the disk takes events", error=str(error))
                if done is not None:
                    done.set_exception(error)
                    done.exception()  # a redirect's event has nobody waiting for it
                return
        if done is not None and not done.done():
            done.set_result(None)
        await self._replay_some()
        await self._refresh_if_due()

    def _take_drops(self) -> list[str]:
        drops, self._drops = self._drops, Counter()
        now = self._clock()
        return [wire.line("", now, event_id=str(uuid.uuid4()), amount=n, drop_reason=why) for why, n in drops.items()]

    async def _keep(self, lines: list[str]) -> None:
        """Commit, else spool. OSError when the disk is full as well."""
        if self._connection is not None and await self._try(self._copy(lines)):
            return
        await asyncio.to_thread(self.spool.append, _encoded(lines))

    # -- the database -----------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        if self._connection is not None or time.monotonic() < self._connect_at:
            return
        try:
            connecting = psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=2)
            self._connection = await asyncio.wait_for(connecting, 3)
            self._refresh_at = 0.0
            log.info("the collector reached the database")
        except (psycopg.Error, TimeoutError, OSError):
            self._connect_at = time.monotonic() + RETRY_SECONDS

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(connection.close(), 1)

    async def _try(self, work: Awaitable[None]) -> bool:
        """Await work on the connection; False when the database is away or too slow, and the connection is let go."""
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await work
        except (psycopg.Error, TimeoutError, OSError) as error:
            log.warning("the database is away; events go to the spool", error=_cause(error))
            await self._disconnect()
            return False
        self._heard_at = time.monotonic()
        return True

    async def _copy(self, lines: list[str]) -> None:
        """Commit lines; rows that PostgreSQL cannot hold are found by halving, counted and left out."""
        assert self._connection is not None
        try:
            async with self._connection.cursor() as cursor, cursor.copy(wire.COPY) as copy:
                await copy.write(_encoded(lines))
        except psycopg.DataError as error:
            if len(lines) == 1:
                # the message names the value, which a stranger wrote or which is somebody's
                log.warning("a row was refused by the database", error=type(error).__name__, state=error.sqlstate)
                self.drop("malformed")
                return
            await self._copy(lines[: len(lines) // 2])
            await self._copy(lines[len(lines) // 2 :])
        self.last_commit = self._clock()

    async def _replay_some(self) -> None:
        """Copy one spooled file back, while new requests gather; they wait for one part at most."""
        if self._connection is None or not self.spool.waiting or (path := self.spool.take()) is None:
            return
        try:
            for lines in self.spool.chunks(path):
                if not await self._try(self._copy(lines)):
                    return
                if self._lines:
                    fresh, done, self._lines, self._done = self._lines, self._done, [], None
                    await self._keep(fresh)
                    if done is not None and not done.done():
                        done.set_result(None)
        except BlockingIOError:  # somebody is being erased from it: at the next turn
            return
        self.spool.done(path)
        log.info("the spool was copied back", file=path.name)
        self._wake.set()

    async def _refresh_if_due(self) -> None:
        if self._connection is None or time.monotonic() < self._refresh_at:
            return
        self._refresh_at = time.monotonic() + self._refresh_seconds
        await self._try(self._refresh(self._connection))


def _cause(error: BaseException) -> str:
    """What went wrong, on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _encoded(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "replace")
