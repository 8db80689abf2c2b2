"""The wire: what a batch looks like, and how an event becomes one line of `COPY inbox` (which is also the spool's)."""

import re
from datetime import UTC, datetime
from random import getrandbits
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

COLUMNS = (
    "event_id", "at", "kind", "visitor", "lead_id", "delivery_id", "object_id", "url", "title", "referrer", "amount",
    "drop_reason", "details",
)  # fmt: skip
COPY = f"COPY inbox ({', '.join(COLUMNS)}) FROM STDIN"
MAX_BODY = 65_536
MAX_EVENTS = 50
MAX_URL_BYTES = 2_000
"""`page.url` is unique by a btree index, whose entries may hold 2,700 bytes."""
MAX_TITLE = 300
MAX_DETAILS_BYTES = 2_000
MAX_DEPTH = 8
"""How deep details may nest: deeper says nothing to anybody, and what walks it would run out of stack."""
_SPECIAL = re.compile(r"[\\\t\n\r\x00]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": ""}


class Event(msgspec.Struct):
    """One event as the tag sends it: id, kind word, time (epoch ms), url, title, referrer, amount, details."""

    k: str
    id: str = ""
    t: float = 0.0
    u: str = ""
    ti: str = ""
    r: str = ""
    n: float | None = None
    d: dict[str, Any] | None = None


class Batch(msgspec.Struct):
    """A visitor's batch: `s` is the sender's clock when it left (epoch ms), `a` the token of an arrival from a mail."""

    v: str
    e: list[Event]
    s: float = 0.0
    a: str = ""


_decode = msgspec.json.Decoder(Batch).decode
_encode_json = msgspec.json.Encoder().encode


def decode_batch(body: bytes) -> Batch:
    """The batch of a request's body. ValueError where it is not one: no JSON, no UTF-8, another shape, too deep."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("not a batch of events") from error


def too_deep(details: dict[str, Any] | None) -> bool:
    """Whether details nest deeper than MAX_DEPTH. Walks level by level: it must not need the stack that it guards."""
    level: list[Any] = [details] if details else []
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [
            item
            for value in level
            for item in (value.values() if isinstance(value, dict) else value)
            if isinstance(item, dict | list)
        ]
    return True


def line(
    kind: str,
    at: float,
    *,
    event_id: str = "",
    visitor: str = "",
    lead_id: int | None = None,
    delivery_id: int | None = None,
    object_id: int | None = None,
    url: str = "",
    title: str = "",
    referrer: str = "",
    amount: float | None = None,
    drop_reason: str = "",
    details: dict[str, Any] | None = None,
) -> str:
    """One row of `inbox` in COPY's text format, with its newline. `at` is a UTC epoch in seconds."""
    return (
        f"{event_id or new_id()}\t{datetime.fromtimestamp(at, UTC).isoformat()}\t{kind}\t{visitor}\t"
        f"{_number(lead_id)}\t{_number(delivery_id)}\t{_number(object_id)}\t{escape(url)}\t{escape(title)}\t"
        f"{escape(referrer)}\t{_number(amount)}\t{drop_reason}\t{_details(details)}\n"
    )


def new_id() -> str:
    """A fresh event id: unique, not secret (asking the system for randomness costs more than the rest of a line)."""
    return f"{getrandbits(128):032x}"


def _number(value: float | None) -> str:
    return "\\N" if value is None else str(value)


def _details(details: dict[str, Any] | None) -> str:
    if not details:
        return "\\N"
    return escape(_encode_json(without_nul(details)).decode())


def escape(text: str) -> str:
    """A value in COPY's text format; NUL, which PostgreSQL cannot hold, goes."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], text)


def without_nul(value: Any) -> Any:
    """The same JSON value without NUL in any text, key or depth."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value


def small_details(details: dict[str, Any] | None) -> dict[str, Any] | None:
    """The details, or None where they are larger than a fact should carry."""
    if not details or len(_encode_json(details)) > MAX_DETAILS_BYTES:
        return None
    return details


def cut(text: str, limit: int) -> str:
    """At most `limit` characters."""
    return text if len(text) <= limit else text[:limit]


def campaign(url: str) -> dict[str, str]:
    """The utm_* values of an address, without their prefix, each at most 60 characters; none of an odd address."""
    if "utm_" not in url:
        return {}
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=False, max_num_fields=100)
    except ValueError:  # a bracket that is no IPv6 address, or parameters without end
        return {}
    return {key[4:24]: cut(value, 60) for key, value in pairs if key.startswith("utm_") and "@" not in value}
