"""The asynchronous front of the web face: a request is whole, and within its limits, before Django's threads see it.

A body that trickles in holds a few bytes here and no thread. What is refused is kept nowhere. Public pages (forms,
unsubscribe, downloads, the sign-in) have threads of their own, so that strangers cannot take those of the staff.
An RSGI application (Granian) around Django's WSGI handler; see ADR 14.
"""

import asyncio
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import IO, Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from django.urls import Resolver404, resolve

from hagukumi.kit import address

log = structlog.get_logger(__name__)
STAFF_THREADS, PUBLIC_THREADS = 4, 3
MOST_WAITING = 200
"""Whole requests that may wait for a thread of one kind; further ones are told to come again."""
BODY_SECONDS = 20.0
"""A body must be whole by then; a longer one gets as much time again as LEAST_PACE allows for it."""
LEAST_PACE = 20_000
"""Bytes a second."""
STRANGER_BODY = 256 * 1024
KNOWN_BODY = 5 * 2**20
"""Bytes: of whoever shows no session and no token; of whoever shows one (it is examined by Django)."""
HEARD_OUT = 32 * 2**20
"""Of a body that is too large, so much is read and thrown away: a client that is still sending hears no answer."""
IN_MEMORY = 2**20
HELD_BODIES = 256 * 2**20
"""Bytes of unfinished bodies in memory, together."""
SEND_SECONDS = 60.0
"""A streamed answer ends when its reader takes nothing for so long."""
_BODILESS = ("GET", "HEAD", "OPTIONS")
_SAID = {
    408: ("送信が途中で止まったため、受け取れませんでした。", "The request did not arrive in time."),
    413: ("送られたデータが大きすぎます。", "The request is too large."),
    503: ("混み合っています。しばらくしてからもう一度お試しください。", "Too busy. Please try again in a moment."),
}


class RefusedError(Exception):
    """The request ends here, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Pool:
    """Threads for one kind of visitor, and how many requests they have before them."""

    def __init__(self, name: str, threads: int) -> None:
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.before_it = 0

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run `work` on one of the threads. RefusedError (503) where too many wait already."""
        if self.before_it >= MOST_WAITING:
            raise RefusedError(503)
        self.before_it += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work, *args)
        finally:
            self.before_it -= 1


@dataclass(frozen=True)
class Whole:
    """An answer that leaves at once: bytes, or the path of a file that Granian sends by itself."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    file: str = ""


class Front:
    """The application that Granian calls."""

    def __init__(self, handler: WSGIHandler, *, body_seconds: float = BODY_SECONDS) -> None:
        self._handler = handler
        self._body_seconds = body_seconds
        self._staff, self._public = Pool("staff", STAFF_THREADS), Pool("public", PUBLIC_THREADS)
        self._held = 0
        self._base = urlsplit(settings.BASE_URL)
        self.busy = 0

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        self.busy += 1
        try:
            await self._serve(scope, protocol)
        except RefusedError as refused:
            _refuse(protocol, scope, refused.status)
        except Exception:
            log.exception("the front stumbled", path=scope.path)
            with suppress(Exception):
                protocol.response_empty(500, [])
        finally:
            self.busy -= 1

    async def _serve(self, scope: Any, protocol: Any) -> None:
        view = _view(scope.path)
        pool = self._public if getattr(view, "roles", ("public",)) == ("public",) else self._staff
        limit = await self._limit(scope, view)
        body, size = await self._body(scope, protocol, limit)
        try:
            environ = self._environ(scope, body, size)
            answer = await pool.run(self._answer, environ, protocol, asyncio.get_running_loop())
        finally:
            body.close()
        if answer is None:
            return
        if scope.method == "HEAD" or not (answer.body or answer.file):
            protocol.response_empty(answer.status, answer.headers)
        elif answer.file:
            protocol.response_file(answer.status, answer.headers, answer.file)
        else:
            protocol.response_bytes(answer.status, answer.headers, answer.body)

    # -- what comes in ------------------------------------------------------------------------------------------

    async def _limit(self, scope: Any, view: Any) -> int:
        """How many bytes of body this request may have. Files are for people who are signed in, and that is asked."""
        cookies = scope.headers.get("cookie") or ""
        megabytes = getattr(view, "uploads_mb", 0)
        if megabytes and await self._staff.run(_is_signed_in, cookies):
            return int(megabytes) * 2**20
        if settings.SESSION_COOKIE_NAME in cookies or scope.headers.get("authorization"):
            return KNOWN_BODY
        return STRANGER_BODY

    async def _body(self, scope: Any, protocol: Any, limit: int) -> tuple[IO[bytes], int]:
        """The whole body, in memory or on disk, and its size. RefusedError: too large, too slow, too many."""
        declared = str(scope.headers.get("content-length") or "")
        if declared and (not declared.isdecimal() or int(declared) > limit):
            if declared.isdecimal() and int(declared) <= HEARD_OUT:
                await self._hear_out(protocol.__aiter__())
            raise RefusedError(413)
        if scope.method in _BODILESS and not declared and not scope.headers.get("transfer-encoding"):
            return io.BytesIO(), 0
        began, size, held = time.monotonic(), 0, 0
        body: IO[bytes] = io.BytesIO()
        chunks = protocol.__aiter__()
        try:
            while True:
                left = began + self._body_seconds + size / LEAST_PACE - time.monotonic()
                try:
                    chunk = await asyncio.wait_for(anext(chunks), max(left, 0.001))
                except StopAsyncIteration:
                    break
                size += len(chunk)
                if size > limit:
                    body.close()
                    await self._hear_out(chunks)
                    raise RefusedError(413)
                if size > IN_MEMORY and isinstance(body, io.BytesIO):
                    body = _to_disk(body)
                    held = self._hold(-held)
                if isinstance(body, io.BytesIO):
                    held += self._hold(len(chunk))
                body.write(chunk)
        except TimeoutError:
            body.close()
            raise RefusedError(408) from None
        except BaseException:
            body.close()
            raise
        finally:
            self._hold(-held)
        body.seek(0)
        return body, size

    async def _hear_out(self, chunks: Any) -> None:
        """Read what is still on its way, up to HEARD_OUT bytes, and keep none of it."""
        size = 0
        with suppress(TimeoutError, StopAsyncIteration):
            async with asyncio.timeout(self._body_seconds):
                while size <= HEARD_OUT:
                    size += len(await anext(chunks))

    def _hold(self, change: int) -> int:
        """Count bytes in memory. Returns `change`, 0 for what was let go. RefusedError where it is too much for us."""
        if change > 0 and self._held + change > HELD_BODIES:
            raise RefusedError(503)
        self._held += change
        return max(change, 0)

    def _environ(self, scope: Any, body: IO[bytes], size: int) -> dict[str, Any]:
        """The request as WSGI has it. Header names with "_" are left out: they would pass for those with "-"."""
        host = scope.headers.get("host") or scope.authority or ""
        secure = self._base.scheme == "https" and address.is_known_host(host, [address.host_of(settings.BASE_URL)])
        name, _colon, port = (scope.server or "").rpartition(":")
        environ = {
            "REQUEST_METHOD": scope.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": name or "localhost",
            "SERVER_PORT": port or "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": (scope.client or "").rpartition(":")[0].strip("[]"),
            "CONTENT_LENGTH": str(size),
            "wsgi.version": (1, 0),
            # behind a proxy the way to us is plain; what the browser sees is in the public address
            "wsgi.url_scheme": "https" if secure else "http",
            "wsgi.input": body,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": _Wrapper,
        }
        for header, value in scope.headers.items():
            if "_" in header or header == "content-length":
                continue
            key = "CONTENT_TYPE" if header == "content-type" else "HTTP_" + header.upper().replace("-", "_")
            joint = "; " if header == "cookie" else ","
            environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
        return environ

    # -- what goes out, on a thread -----------------------------------------------------------------------------

    def _answer(self, asked: dict[str, Any], protocol: Any, loop: asyncio.AbstractEventLoop) -> Whole | None:
        """Django's answer; None where it was streamed and has left already."""
        begun: list[tuple[int, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            begun.append((int(status[:3]), [(name.lower(), value) for name, value in headers]))
            return lambda _bytes: None  # WSGI's old way of writing, which Django does not use

        answer: Any = self._handler(asked, start)
        status, headers = begun[0]
        if isinstance(answer, _Wrapper) and answer.path:
            path = answer.path
            answer.close()
            return Whole(status, headers, file=path)
        try:
            if not getattr(answer, "streaming", False):
                return Whole(status, headers, b"".join(answer))
            if asked["REQUEST_METHOD"] == "HEAD":
                return Whole(status, headers)
            _stream(answer, status, headers, protocol, loop)
            return None
        finally:
            answer.close()


class _Wrapper:
    """wsgi.file_wrapper: Django hands over an open file; Granian sends it by its path, whoever reads how slowly."""

    streaming = True

    def __init__(self, file: Any, size: int = 0) -> None:
        self._file = file
        self._size = size or 65_536
        self.close = file.close
        # part of a file (a range was asked for) is no file of its own
        self.path = str(file.name) if isinstance(file, io.BufferedReader) and file.tell() == 0 else ""

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(self._size):
            yield chunk


def _stream(
    answer: Iterable[bytes], status: int, headers: list[tuple[str, str]], protocol: Any, loop: asyncio.AbstractEventLoop
) -> None:
    async def begin() -> Any:
        return protocol.response_stream(status, headers)

    async def send(transport: Any, chunk: bytes) -> None:
        await asyncio.wait_for(transport.send_bytes(chunk), SEND_SECONDS)

    transport = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    for chunk in answer:
        try:
            asyncio.run_coroutine_threadsafe(send(transport, chunk), loop).result()
        except Exception as error:  # whoever asked has gone
            log.info("a download was not read to its end", error=type(error).__name__)
            return


def _view(path: str) -> Any:
    try:
        return resolve(path).func
    except Resolver404:
        return None


def _is_signed_in(cookie: str) -> bool:
    """Whether the session that is shown exists and belongs to somebody."""
    try:
        shown = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    close_old_connections()
    try:
        store = import_module(settings.SESSION_ENGINE).SessionStore(shown.value if shown else "")
        return bool(store.get("_auth_user_id"))
    finally:
        close_old_connections()


def _to_disk(body: io.BytesIO) -> IO[bytes]:
    """A file without a name: it is gone with the request, whatever ends it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever gets the body
    file.write(body.getvalue())
    return file


def _refuse(protocol: Any, scope: Any, status: int) -> None:
    headers = [("cache-control", "no-store"), ("connection", "close")]
    if status == 503:
        headers.append(("retry-after", "5"))
    ja, en = _SAID.get(status, ("", HTTPStatus(status).phrase))
    if scope.path.startswith("/api/"):
        english = (scope.headers.get("accept-language") or "").lower().startswith("en")
        problem = {"type": "about:blank", "title": en if english else ja, "status": status, "detail": "", "errors": []}
        headers.append(("content-type", "application/problem+json"))
        protocol.response_bytes(status, headers, json.dumps(problem, ensure_ascii=False).encode())
        return
    headers.append(("content-type", "text/plain; charset=utf-8"))
    protocol.response_bytes(status, headers, f"{ja}\n{en}\n".encode())
