"""What the collector must know to answer without the database: registered sites and open forms, with a copy on disk."""

import contextlib
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import structlog

log = structlog.get_logger(__name__)
_SITES = "SELECT origin FROM site ORDER BY origin"
_FORMS = """
SELECT form.slug, form.id AS form_id, version.id AS version_id, form.content_id, version.definition
FROM form JOIN form_version version ON version.id = form.version_id
WHERE form.state = 'open' ORDER BY form.slug
"""
_INBOX = "SELECT (SELECT id FROM inbox ORDER BY id LIMIT 1), (SELECT id FROM inbox ORDER BY id DESC LIMIT 1)"
INBOX_MARKS = 2_000
"""At one reading in two seconds an hour's; a lag of more than that is told as an hour at least."""


class OpenForm(msgspec.Struct):
    """A form that may be answered now: its ids, the file it opens (if any), and its definition as stored."""

    slug: str
    form_id: int
    version_id: int
    content_id: int | None
    definition: dict[str, Any]


class Known(msgspec.Struct):
    """One reading of the registry."""

    sites: list[str] = []
    forms: list[OpenForm] = []


class Registry:
    """`origins` and `forms` in memory, refreshed from the database, kept in `path` for a start without it.

    `own_origins`: the house's own addresses, where hosted forms live.
    """

    def __init__(self, path: Path, own_origins: frozenset[str]) -> None:
        self._path = path
        self._own = own_origins
        self._bytes = b""
        self._inbox: deque[tuple[int, float]] = deque()
        self.origins = own_origins
        self.sites: frozenset[str] = frozenset()
        self.forms: dict[str, OpenForm] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._hold(msgspec.json.decode(path.read_bytes(), type=Known))

    async def refresh(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        """Read sites and forms; the disk copy is replaced only when something changed."""
        async with connection.cursor() as cursor:
            await cursor.execute(_SITES)
            sites = [str(row[0]) for row in await cursor.fetchall()]
            await cursor.execute(_FORMS)
            rows = await cursor.fetchall()
            await cursor.execute(_INBOX)
            self._watch_inbox(*(await cursor.fetchone() or (None, None)))
        forms = [msgspec.convert(row, OpenForm) for row in _named(rows)]
        self._hold(Known(sites, forms))

    def inbox_seconds(self) -> float:
        """For how long the oldest row of the inbox has been there, by our own watch (a page's clock may be wrong)."""
        return round(time.monotonic() - self._inbox[0][1], 1) if self._inbox else 0.0

    def _watch_inbox(self, oldest: Any, newest: Any) -> None:
        """Note when which rows were first seen; `oldest` and `newest` are ids, None where the inbox is empty."""
        if oldest is None:
            self._inbox.clear()
            return
        while self._inbox and self._inbox[0][0] < oldest:
            self._inbox.popleft()
        if len(self._inbox) < INBOX_MARKS and (not self._inbox or self._inbox[-1][0] < newest):
            self._inbox.append((newest, time.monotonic()))

    def _hold(self, known: Known) -> None:
        data = msgspec.json.encode(known)
        if data == self._bytes:
            return
        self._bytes = data
        self.sites = frozenset(site.lower().rstrip("/") for site in known.sites)
        self.origins = self.sites | self._own
        self.forms = {form.slug: form for form in known.forms}
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_bytes(data)
            partial.replace(self._path)
        except OSError as error:
            log.warning("the registry's copy could not be written", error=str(error))


def _named(rows: list[tuple[object, ...]]) -> list[dict[str, object]]:
    names = ("slug", "form_id", "version_id", "content_id", "definition")
    return [dict(zip(names, row, strict=True)) for row in rows]
