"""HTTP/1.1 for the collector: llhttp (by httptools) on one uvloop thread, with the limits that a hostile sender needs.

A request is handed over whole, its body at most MAX_BODY bytes; the handler returns an `Answer`, which leaves at once
or when its `after` is done. No task and no second thread stand between a page view and its commit.
"""

import asyncio
import re
import resource
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import cast

import httptools
import structlog

log = structlog.get_logger(__name__)
MAX_HEAD = 16_384
MAX_BODY = 65_536
MAX_DOORS = 8_000
"""Connections at a time; a further one is closed at once."""
REQUEST_SECONDS = 20.0
"""A request that is not whole by then, and an answer that is not read by then, end the connection."""
IDLE_SECONDS = 75.0
LINGER_SECONDS = 2.0
"""So long is listened to one who was refused, that the answer may reach them."""
SWEEP_SECONDS = 1.0
GRACE_SECONDS = 10.0
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WAY = re.compile(r"/[a-z.]{0,12}")
LOGGED_FRAMES = 6
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Request:
    """One request. Header names are lower-case; `too_large`: its body was past MAX_BODY and is not here.

    `refused`: it was not HTTP; the status to say so with. No handler sees it. `peer`: the address connected to us.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    too_large: bool = False
    refused: int = 0
    keep_alive: bool = True
    peer: str = ""


@dataclass(slots=True)
class Answer:
    """What to send. `head`: from `head()`. Where `after` fails, it is 503 with the same head and `lost` as its body."""

    status: int
    head: bytes = b""
    body: bytes = b""
    after: "asyncio.Future[None] | None" = None
    lost: bytes = b""


Handler = Callable[[Request], Answer]


def head(*pairs: tuple[str, str]) -> bytes:
    """Header lines. ValueError for a value with a line break or another control character in it."""
    lines = []
    for name, value in pairs:
        if _CONTROL.search(value):
            raise ValueError(f"the header {name} cannot hold {value!r}")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("utf-8")


def _open_many_files() -> None:
    """A connection is a file: ask for as many as MAX_DOORS needs, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DOORS + 256
    if soft < wanted and soft != resource.RLIM_INFINITY:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _date() -> bytes:
    return b"date: %s\r\n" % formatdate(usegmt=True).encode()


class Door(asyncio.Protocol):
    """One connection: requests in, answers out in their order, one at a time."""

    def __init__(self, house: "Server") -> None:
        self._house = house
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        self._peer = ""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._in_head = True
        self._begun = 0
        self._deaf = False
        self._clogged = False
        self.busy = False
        self.since = house.now()
        self.patience = IDLE_SECONDS

    # -- the connection -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        if self._house.closing or len(self._house.doors) >= MAX_DOORS:
            self.abort()
        else:
            self._house.doors.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._deaf = True
        self._waiting.clear()
        self._house.doors.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        begun = self._begun
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # an offer that we need not take: the request itself has been answered
            self._deaf = True
        except httptools.HttpParserError:
            self._refuse(400)
        if self._in_head and self._begun == begun:  # llhttp says nothing of a name or value that goes on and on
            self._weigh(len(data))

    def eof_received(self) -> bool:
        """Whoever has only stopped talking may still hear the answer."""
        self._deaf = True
        return self.busy

    def pause_writing(self) -> None:
        self._clogged = True
        self._rest(REQUEST_SECONDS)
        self._listen_if_free()

    def resume_writing(self) -> None:
        self._clogged = False
        self._go_on()

    def close(self) -> None:
        """After the answer that is on its way, if there is one."""
        self._deaf = True
        self._waiting.clear()
        if not self.busy and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- what llhttp says ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._begun += 1
        self._url, self._headers, self._parts, self._request = b"", {}, [], None
        self._rest(REQUEST_SECONDS)

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._weigh(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._weigh(len(name) + len(value))
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        self._in_head, self._size = False, 0
        if self._deaf:
            return
        path = self._url if self._url.startswith(b"/") else httptools.parse_url(self._url).path or b"/"
        method = self._parser.get_method().decode("ascii")
        keep_alive = self._parser.should_keep_alive() and self._parser.get_http_version() == "1.1"
        way = path.partition(b"?")[0].decode("latin-1")
        self._request = Request(method, way, self._headers, keep_alive=keep_alive, peer=self._peer)
        declared = self._headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > MAX_BODY:
            self._too_large(self._request)
        elif self._transport is not None and self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, part: bytes) -> None:
        if self._deaf or self._request is None:
            return
        self._size += len(part)
        if self._size > MAX_BODY:
            self._too_large(self._request)
        else:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        self._in_head, self._size = True, 0
        request, self._request = self._request, None
        if self._deaf or request is None:
            return
        request.body = b"".join(self._parts)
        self._parts = []
        if self._parser.should_upgrade():
            request.keep_alive = False
        self._waiting.append(request)
        self._go_on()

    # -- answers ------------------------------------------------------------------------------------------------

    def _weigh(self, more: int) -> None:
        self._size += more
        if self._size > MAX_HEAD:
            self._refuse(431)

    def _too_large(self, request: Request) -> None:
        """Answer without the body, which is neither kept nor read."""
        self._parts, self._request = [], None
        request.too_large, request.keep_alive = True, False
        self._waiting.append(request)
        self._deaf = True
        self._go_on()

    def _refuse(self, status: int) -> None:
        """What came is not HTTP: say so after the answers before it, and end."""
        if not self._deaf:
            self._deaf = True
            self._waiting.append(Request("", "", {}, refused=status, keep_alive=False))
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self.busy and not self._clogged and self._transport is not None:
            self._take(self._waiting.popleft())
        self._listen_if_free()

    def _take(self, request: Request) -> None:
        answer = Answer(request.refused) if request.refused else self._house.answer(request)
        if answer.after is None or (answer.after.done() and answer.after.exception() is None):
            self._send(request, answer, answer.status, answer.body)
            return
        self.busy = True

        def safe(after: "asyncio.Future[None]") -> None:
            self.busy = False
            kept = not after.cancelled() and after.exception() is None
            self._send(request, answer, answer.status if kept else 503, answer.body if kept else answer.lost)
            self._go_on()

        answer.after.add_done_callback(safe)

    def _send(self, request: Request, answer: Answer, status: int, body: bytes) -> None:
        if self._transport is None:
            return
        last = self._deaf and not self._waiting  # they have stopped talking
        keep = request.keep_alive and not last and not self._house.closing
        length = b"" if status == 204 else b"content-length: %d\r\n" % len(body)
        ending = b"\r\n" if keep else b"connection: close\r\n\r\n"
        whole = b"".join((_STATUS[status], self._house.date, answer.head, length, ending))
        self._transport.write(whole if request.method == "HEAD" or status == 204 else whole + body)
        if keep:
            self._rest(REQUEST_SECONDS if self._clogged else IDLE_SECONDS)
            return
        self._deaf = True
        self._waiting.clear()
        if request.too_large or request.refused:  # closing on unread bytes would reset the answer away
            self._rest(LINGER_SECONDS)
            self._transport.write_eof()
        else:
            self._transport.close()

    def _rest(self, patience: float) -> None:
        self.since, self.patience = self._house.now(), patience

    def _listen_if_free(self) -> None:
        """Read on only while nothing waits here, so that a sender of many requests at once cannot fill the memory."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._waiting or self._clogged:
            transport.pause_reading()
        elif not transport.is_reading():
            transport.resume_reading()


class Server:
    """All doors of one port."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.doors: set[Door] = set()
        self._listening: asyncio.Server
        self._sweeping: asyncio.Task[None]
        self.closing = False
        self.date = _date()
        self.now = asyncio.get_running_loop().time

    def answer(self, request: Request) -> Answer:
        try:
            return self._handler(request)
        except Exception as error:
            # no token, no text of theirs, a few frames: what a stranger sends must not be told here nor fill the disk
            frames = traceback.extract_tb(error.__traceback__)[-LOGGED_FRAMES:]
            where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
            way = _WAY.match(request.path)
            log.error(
                "a request could not be answered",
                way=way.group() if way else "?",
                error=type(error).__name__,
                where=where,
            )
            return Answer(500)

    async def listen(self, address: str, port: int) -> int:
        """Open the door; returns the port (0 asks for a free one). OSError where it is taken."""
        _open_many_files()
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Door(self), address, port, backlog=2048)
        self._sweeping = loop.create_task(self._sweep())
        return int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take nobody in any more, and let every answer on its way leave."""
        self._listening.close()
        await self._let_out()
        self._sweeping.cancel()

    async def _let_out(self) -> None:
        self.closing = True
        for door in list(self.doors):
            door.close()
        until = self.now() + GRACE_SECONDS
        while self.doors and self.now() < until:
            await asyncio.sleep(0.02)
        for door in list(self.doors):
            door.abort()

    async def _sweep(self) -> None:
        """Keep the date, and end connections that have used up their patience."""
        while True:
            self.date = _date()
            now = self.now()
            for door in [door for door in self.doors if not door.busy and now - door.since > door.patience]:
                door.abort()
            await asyncio.sleep(SWEEP_SECONDS)
