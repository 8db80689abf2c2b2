"""What the collector holds between requests: clock, registry, rates, buffer."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hagukumi.kit import address, callers, clock, tokens

from . import mail, page_url, pipeline, wire
from .buffer import Buffer
from .pipeline import Context, Drop, Rates
from .registry import Registry
from .spool import Spool

_OFFSET_SECONDS = 0.2
INBOX_SECONDS = 120.0
"""A row that nobody has digested for so long: the heart has stopped or is far behind."""
OURS = frozenset({"arrival", "by", "why", "utm"})
"""Details that we alone write: a page that sends them could speak for us."""


class Clock:
    """Epoch seconds of `kit.clock`; where that is moved by a file, the file is read a few times a second at most."""

    def __init__(self, moved: bool) -> None:
        self._moved = moved
        self._offset = 0.0
        self._due = 0.0

    def __call__(self) -> float:
        if self._moved and time.monotonic() >= self._due:
            self._offset = clock.now().timestamp() - time.time()
            self._due = time.monotonic() + _OFFSET_SECONDS
        return time.time() + self._offset


class House:
    """One running collector. `bench`: also answers POST /noop, the limit that the benchmark compares with.

    `private`: names of parameters that this company keeps out of addresses, besides `page_url.PRIVATE`.
    """

    def __init__(
        self,
        *,
        home: Path,
        database_url: str,
        base_url: str,
        moved: bool = False,
        bench: bool = False,
        private: frozenset[str] = frozenset(),
        proxies: int = 0,
    ) -> None:
        self.proxies = proxies
        self.base_url = base_url.rstrip("/")
        self.private = private
        self.bench = bench
        self.clock = Clock(moved)
        self.rates = Rates()
        home.mkdir(parents=True, exist_ok=True)
        self.registry = Registry(home / "collector.json", _own_origins(self.base_url))
        self.spool = Spool(home / "spool")
        self.buffer = Buffer(database_url, self.spool, self.clock, self.registry.refresh)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "House":
        """As the supervisor sets it: HAGUKUMI_HOME, DATABASE_URL, HAGUKUMI_BASE_URL, HAGUKUMI_SECRET_KEY."""
        port = environ.get("PORT", "8000")
        home = Path(environ.get("HAGUKUMI_HOME", "var")).resolve()
        if not environ.get("HAGUKUMI_SECRET_KEY"):
            raise SystemExit("HAGUKUMI_SECRET_KEY がありません / HAGUKUMI_SECRET_KEY is not set")
        tokens.seal("check", 0)
        return cls(
            home=home,
            database_url=environ.get("DATABASE_URL", "postgresql:///hagukumi"),
            base_url=address.normalise(environ.get("HAGUKUMI_BASE_URL") or f"http://localhost:{port}"),
            moved=bool(environ.get("HAGUKUMI_CLOCK")),
            bench=environ.get("HAGUKUMI_BENCH") == "1",
            private=page_url.words(environ.get("HAGUKUMI_PRIVATE_PARAMETERS", "")),
            proxies=callers.trusted_proxies(environ),
        )

    def context(self) -> Context:
        return Context(self.registry.origins, self.clock(), rates=self.rates)

    def take(self, batch: wire.Batch, context: Context) -> tuple[int, list[str]]:
        """The HTTP status and the inbox lines of a batch; what leaves is counted. 400: malformed, all of it."""
        if len(batch.e) > wire.MAX_EVENTS:
            self.buffer.drop(Drop.TOO_LARGE, len(batch.e))
            return 413, []
        if not pipeline.valid_visitor(batch.v):
            self.buffer.drop(Drop.MALFORMED, max(len(batch.e), 1))
            return 400, []
        context.visitor = batch.v
        context.skew = context.received - batch.s / 1000 if batch.s else 0.0
        lead_id, delivery_id, arrival = _arrival(batch.a, context.received)
        lines: list[str] = []
        left: set[Drop] = set()
        for event in batch.e:
            taken = pipeline.take(event, context)
            if isinstance(taken, Drop):
                self.buffer.drop(taken)
                left.add(taken)
                continue
            lines.append(_line(taken, batch.v, lead_id, delivery_id, arrival, self.private))
        return (400 if left == {Drop.MALFORMED} and not lines else 204), lines

    def health(self) -> dict[str, Any]:
        """What was asked a moment ago: has the database answered, does the disk take events, who waits how long.

        `ok` and `problems` (codes): "database" away, "disk" (neither room nor writable), "spool" (events wait on it),
        "inbox" (nobody digests what is committed). Seconds are of waiting; `last_commit` is an epoch.
        """
        spooled = self.spool.bytes_waiting()
        inbox_seconds = self.registry.inbox_seconds()
        wrong = {
            "database": not self.buffer.alive,
            "disk": not self.spool.takes(),
            "spool": spooled > 0,
            "inbox": inbox_seconds > INBOX_SECONDS,
        }
        problems = [code for code, is_wrong in wrong.items() if is_wrong]
        return {
            "ok": not problems,
            "error": ", ".join(problems),
            "problems": problems,
            "database": self.buffer.alive,
            "heard_seconds": self.buffer.heard_seconds,
            "spooled_bytes": spooled,
            "waiting_lines": self.buffer.waiting,
            "waiting_seconds": self.buffer.waiting_seconds,
            "inbox_seconds": inbox_seconds,
            "last_commit": self.buffer.last_commit or None,
            "sites": len(self.registry.sites),
            "forms": len(self.registry.forms),
        }


def _line(
    event: wire.Event,
    visitor: str,
    lead_id: int | None,
    delivery_id: int | None,
    arrival: str,
    private: frozenset[str],
) -> str:
    details = _discreet(wire.small_details(event.d), private)
    if details and not OURS.isdisjoint(details):
        details = {key: value for key, value in details.items() if key not in OURS}
    if "utm_" in event.u and (campaign := wire.campaign(event.u)):
        details = {**(details or {}), "utm": campaign}
    if arrival:
        details = {**(details or {}), "arrival": arrival}
    return wire.line(
        event.k,
        event.t,
        event_id=event.id,
        visitor=visitor,
        lead_id=lead_id,
        delivery_id=delivery_id,
        url=page_url.clean(event.u, private),
        title=wire.cut(event.ti, wire.MAX_TITLE),
        referrer=page_url.clean(event.r, private) if event.r.startswith("http") else "",
        amount=event.n,
        details=details,
    )


def _discreet(details: dict[str, Any] | None, private: frozenset[str]) -> dict[str, Any] | None:
    """The details; an address that a page sends among them is kept no further than the page's own."""
    return details and {
        key: page_url.clean(value, private) if isinstance(value, str) and value.startswith("http") else value
        for key, value in details.items()
    }


def _arrival(token: str, now: float) -> tuple[int | None, int | None, str]:
    """Lead, delivery and the arrival's own id of a fresh token; nothing for a stale or foreign one."""
    if not token:
        return None, None, ""
    return mail.read_arrival(token, now)


def _own_origins(base_url: str) -> frozenset[str]:
    """Where hosted forms are served from; on a developer's machine both names of it."""
    origin = pipeline.origin_of(base_url)
    return frozenset({origin, origin.replace("//localhost", "//127.0.0.1")})
