"""The development mailbox's folder: one `.eml` a mail, whole or not at all, the newest 5,000 kept.

A file is `<nanoseconds since 1970, 20 digits>-<8 hex>.eml`, so names sort by arrival. The envelope is kept as delivery
agents keep it, in `Return-Path` and `Delivered-To` lines on top. Mail is hostile until shown otherwise: nothing here
raises on a malformed one.
"""

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from pathlib import Path

KEPT = 5_000
_NAME = re.compile(r"^\d{20}-[0-9a-f]{8}$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")  # with the marks that turn text around


@dataclass(frozen=True)
class Summary:
    """One line of the list."""

    id: str
    received_at: datetime
    sender: str
    to: str
    subject: str


@dataclass(frozen=True)
class Part:
    """An attachment or an embedded picture; `index` counts the mail's leaves."""

    index: int
    name: str
    kind: str
    content_id: str
    body: bytes


@dataclass(frozen=True)
class Mail:
    """A mail taken apart for showing; text and HTML as decoded, unescaped."""

    summary: Summary
    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    parts: list[Part] = field(default_factory=list)


class MailStore:
    """The folder and a small index of it in memory. One process writes; many may read."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self.folder = folder
        self.kept = kept
        folder.mkdir(parents=True, exist_ok=True)
        for partial in folder.glob("*.tmp"):
            partial.unlink(missing_ok=True)
        self._ids = sorted(path.stem for path in folder.glob("*.eml") if _NAME.match(path.stem))
        self._summaries: dict[str, Summary] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def save(self, content: bytes, sender: str, recipients: list[str]) -> str:
        """Store one mail and forget the oldest beyond the limit; its id. Raises OSError when the disk is full."""
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        envelope = [f"Return-Path: <{_line(sender)}>", *(f"Delivered-To: {_line(to)}" for to in recipients)]
        partial = self.folder / f"{name}.tmp"
        try:
            partial.write_bytes("\r\n".join([*envelope, ""]).encode("utf-8", "replace") + content)
            partial.rename(self.folder / f"{name}.eml")
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        self._ids.append(name)
        while len(self._ids) > self.kept:
            self._forget(self._ids.pop(0))
        return name

    def clear(self) -> int:
        """Remove every mail; how many there were."""
        count = len(self._ids)
        while self._ids:
            self._forget(self._ids.pop())
        return count

    def search(self, words: str, offset: int, limit: int) -> tuple[list[Summary], int]:
        """(`limit` from `offset` on, newest first, whose sender, address or subject holds every word; total)."""
        needles = words.casefold().split()
        if not needles:
            chosen = self._ids[::-1][offset : offset + limit]
            return [found for name in chosen if (found := self.summary(name))], len(self._ids)
        every = [found for name in self._ids[::-1] if (found := self.summary(name))]
        chosen_ones = [one for one in every if _matches(one, needles)]
        return chosen_ones[offset : offset + limit], len(chosen_ones)

    def raw(self, name: str) -> bytes | None:
        """The stored bytes, or None where there is no such mail (or the name is not one of ours)."""
        if not _NAME.match(name):
            return None
        try:
            return (self.folder / f"{name}.eml").read_bytes()
        except OSError:
            return None

    def summary(self, name: str) -> Summary | None:
        """The list's line, parsed once from the headers."""
        if (known := self._summaries.get(name)) is not None:
            return known
        if not _NAME.match(name):
            return None
        try:
            with (self.folder / f"{name}.eml").open("rb") as file:
                head = file.read(65536)
        except OSError:
            return None
        made = _summary(name, BytesHeaderParser(policy=policy.default).parsebytes(head))
        self._summaries[name] = made
        return made

    def mail(self, name: str) -> Mail | None:
        """The mail taken apart."""
        content = self.raw(name)
        if content is None:
            return None
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        leaves = [leaf for leaf in message.walk() if not leaf.is_multipart()]
        text = html = None
        parts = []
        for index, leaf in enumerate(leaves):
            kind = leaf.get_content_type()
            attached = "attachment" in _header(leaf, "Content-Disposition").lower()
            if kind == "text/plain" and text is None and not attached:
                text = _decoded(leaf)
            elif kind == "text/html" and html is None and not attached:
                html = _decoded(leaf)
            else:
                parts.append(_part(index, leaf, kind))
        headers = [(_clean(str(key)), _clean(_unfolded(message, key, raw))) for key, raw in message.raw_items()]
        return Mail(_summary(name, message), headers, text, html, parts)

    def _forget(self, name: str) -> None:
        self._summaries.pop(name, None)
        with contextlib.suppress(OSError):
            os.unlink(self.folder / f"{name}.eml")  # noqa: PTH108 - no Path for each of thousands


def _summary(name: str, message: Message) -> Summary:
    at = datetime.fromtimestamp(int(name[:20]) / 1e9, UTC)
    to = _header(message, "To") or ", ".join(_all(message, "Delivered-To"))
    return Summary(name, at, _header(message, "From"), to, _header(message, "Subject"))


def _matches(one: Summary, needles: list[str]) -> bool:
    hay = f"{one.sender} {one.to} {one.subject}".casefold()
    return all(needle in hay for needle in needles)


def _header(message: Message, name: str) -> str:
    """A header's decoded value; where the parser trips over it, its raw letters."""
    try:
        return _clean(str(message.get(name) or ""))
    except Exception:
        raw = (str(value) for key, value in message.raw_items() if str(key).lower() == name.lower())
        return _clean(next(raw, ""))


def _all(message: Message, name: str) -> Iterator[str]:
    return (_clean(str(value)) for key, value in message.raw_items() if str(key).lower() == name.lower())


def _unfolded(message: Message, key: str, raw: object) -> str:
    try:
        return str(message.policy.header_fetch_parse(str(key), str(raw)))
    except Exception:
        return str(raw)


def _decoded(leaf: Message) -> str:
    """The letters of a text part, whatever its charset claims to be."""
    payload = leaf.get_payload(decode=True)
    body = payload if isinstance(payload, bytes) else b""
    try:
        return body.decode(str(leaf.get_content_charset("utf-8")), "replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", "replace")


def _part(index: int, leaf: Message, kind: str) -> Part:
    try:
        name = leaf.get_filename() or ""
    except Exception:
        name = ""
    payload = leaf.get_payload(decode=True)
    content_id = _header(leaf, "Content-ID").strip("<>")
    body = payload if isinstance(payload, bytes) else b""
    return Part(index, _clean(name) or f"part-{index}", _clean(kind), content_id, body)


def _clean(value: str) -> str:
    return _CONTROL.sub("", value).encode("utf-8", "replace").decode("utf-8").replace("\n", " ").strip()


def _line(value: str) -> str:
    return _clean(value).replace("\r", "").replace("<", "").replace(">", "")
