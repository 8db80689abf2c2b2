"""The way of an event into the inbox: named steps, each of which lets it pass or names why it leaves.

First the request is judged by its head (`HEAD_STEPS`), then each event (`EVENT_STEPS`). What leaves is counted.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import crawleruseragents

from . import wire

PAST_SECONDS = 3 * 86_400.0
"""Older than the memory of event ids (`tracking.digest`) cannot be told from a repeat."""
FUTURE_SECONDS = 300.0
PER_MINUTE = 300
AGENT_LENGTH = 512
"""A name longer than this is no browser's; the list's patterns see so much of it."""
KINDS = frozenset({"view", "dwell", "scroll", "download", "custom"})
_AMOUNT_LIMIT = 1e9
_AMOUNT_LEAST = 1e-30
"""The ledger keeps four-byte floats: what is nearer to nothing than this it refuses as an underflow."""
_BOT = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headless|phantomjs|lighthouse|pagespeed|pingdom|uptime|monitor|curl/|wget/|python-"
    r"|aiohttp|httpx|okhttp|java/|go-http-client|libwww|scrapy|facebookexternalhit|preview|validator|^$",
    re.IGNORECASE,
)
"""Words that the list of crawlers (crawleruseragents) lacks or holds in one spelling only."""
_PICTURE_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy|ymailproxy", re.IGNORECASE)
_SCANNER = re.compile(
    r"barracuda|mimecast|proofpoint|symantec|messagelabs|trendmicro|fireeye|forcepoint|sophos|safelinks|zscaler"
    r"|microsoft office existence|urlscan|virustotal|ironport|fortinet|fortimail|checkpoint|trend micro"
    r"|bitdefender|avanan|vade ?secure|hornetsecurity|retarus|spamtitan|mailguard|cloudmark|ironscales|darktrace",
    re.IGNORECASE,
)
_VISITOR = re.compile(r"[A-Za-z0-9_-]{8,40}")
_ORIGIN = re.compile(r"https?://[^/?#\\]+", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Drop(StrEnum):
    """Why an event left. The words are stored (`dropped.reason`) and have labels in `tracking.rules`."""

    BOT = "bot"
    PREFETCH = "prefetch"
    FOREIGN = "foreign"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    TOO_OLD = "too_old"
    FUTURE = "future"
    RATE = "rate"
    TRAP = "trap"


@dataclass(slots=True)
class Head:
    """What the steps read of a request. `secret` purposes of a browser: prefetch or not; `origin` '' where unsaid."""

    agent: str
    purpose: str
    origin: str


@dataclass(slots=True)
class Context:
    """What the steps may know: registered origins, the instant of receipt (epoch seconds), visitors' counts."""

    origins: frozenset[str]
    received: float
    skew: float = 0.0
    visitor: str = ""
    rates: "Rates" = field(default_factory=lambda: Rates())


class Rates:
    """Events per visitor in the running minute."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: dict[str, int] = {}

    def over(self, visitor: str, at: float) -> bool:
        """Count one event; True when the visitor has had more than PER_MINUTE in this minute."""
        minute = int(at // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        count = self._counts[visitor] = self._counts.get(visitor, 0) + 1
        return count > PER_MINUTE


@lru_cache(maxsize=4096)
def is_bot(agent: str) -> bool:
    return _BOT.search(agent) is not None or crawleruseragents.is_crawler(agent[:AGENT_LENGTH])


@lru_cache(maxsize=4096)
def is_scanner(agent: str) -> bool:
    """True for what opens and clicks in a person's place: mail gateways, link scanners, crawlers."""
    return _SCANNER.search(agent) is not None or is_bot(agent)


def is_picture_proxy(agent: str) -> bool:
    """True for what fetches a mail's pictures for a reader who has just opened it."""
    return _PICTURE_PROXY.search(agent) is not None


def warm_up() -> None:
    """Compile the list of crawlers now, which takes longer than a request may."""
    is_bot("Mozilla/5.0 (X11; Linux x86_64) Firefox/0")


def bot_agent(head: Head, context: Context) -> Drop | None:
    return Drop.BOT if is_bot(head.agent) else None


def prefetch(head: Head, context: Context) -> Drop | None:
    return Drop.PREFETCH if "prefetch" in head.purpose or "prerender" in head.purpose else None


def foreign_origin(head: Head, context: Context) -> Drop | None:
    return Drop.FOREIGN if head.origin and head.origin not in context.origins else None


HEAD_STEPS: tuple[Callable[[Head, Context], Drop | None], ...] = (bot_agent, prefetch, foreign_origin)


def judge(head: Head, context: Context) -> Drop | None:
    """The first reason why nothing of this request is taken, or None."""
    for step in HEAD_STEPS:
        if reason := step(head, context):
            return reason
    return None


def well_formed(event: wire.Event, context: Context) -> wire.Event | Drop:
    """Known kind, web address, finite amount, an id of ours or the client's; long texts are cut, not refused."""
    if event.k not in KINDS or not event.u.startswith(("https://", "http://")):
        return Drop.MALFORMED
    if event.n is not None:
        if not -_AMOUNT_LIMIT < event.n < _AMOUNT_LIMIT:
            return Drop.MALFORMED
        if abs(event.n) < _AMOUNT_LEAST:
            event.n = 0.0
    if wire.too_deep(event.d):
        return Drop.MALFORMED
    if event.id and _UUID.fullmatch(event.id) is None:
        return Drop.MALFORMED
    return event


def own_site(event: wire.Event, context: Context) -> wire.Event | Drop:
    """The page must lie on a registered site (a download may point elsewhere: its head was judged)."""
    if event.k == "download" or origin_of(event.u) in context.origins:
        return event
    return Drop.FOREIGN


def on_time(event: wire.Event, context: Context) -> wire.Event | Drop:
    """Puts the event on our clock: `t` becomes epoch seconds."""
    if not event.t:
        event.t = context.received
        return event
    event.t = at = event.t / 1000 + context.skew
    if at < context.received - PAST_SECONDS:
        return Drop.TOO_OLD
    return Drop.FUTURE if at > context.received + FUTURE_SECONDS else event


def within_rate(event: wire.Event, context: Context) -> wire.Event | Drop:
    return Drop.RATE if context.rates.over(context.visitor, context.received) else event


EVENT_STEPS: tuple[Callable[[wire.Event, Context], wire.Event | Drop], ...] = (
    well_formed, own_site, on_time, within_rate,
)  # fmt: skip


def take(event: wire.Event, context: Context) -> wire.Event | Drop:
    """Run an event through every step: the event, or the first step's reason."""
    for step in EVENT_STEPS:
        taken = step(event, context)
        if isinstance(taken, Drop):
            return taken
        event = taken
    return event


def valid_visitor(visitor: str) -> bool:
    return _VISITOR.fullmatch(visitor) is not None


def origin_of(url: str) -> str:
    """`https://www.example.co.jp` of an address, lower-case; '' where it is not http or https."""
    found = _ORIGIN.match(url)
    return found.group().lower() if found else ""
