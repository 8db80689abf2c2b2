"""The collector's face: a Granian RSGI application, one process, no Django.

GET /tag.js · POST /e (a batch) · GET /c/<token> (click) · GET /o/<token>.gif (open) · POST /f/<slug> · GET /health
Batches and forms are answered after their commit; clicks and opens never wait for it.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import msgspec
import structlog

from hagukumi.kit import tokens

from . import forms, mail, pipeline, wire
from .house import House

log = structlog.get_logger(__name__)
_TAG = (Path(__file__).parent / "tag.js").read_bytes()
_GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_NO_STORE = ("cache-control", "no-store")
_NOSNIFF = ("x-content-type-options", "nosniff")
_JSON = [("content-type", "application/json; charset=utf-8"), _NO_STORE, _NOSNIFF]
_TEXT = [("content-type", "text/plain; charset=utf-8"), _NO_STORE, _NOSNIFF]
_TAG_HEADERS = [
    ("content-type", "text/javascript; charset=utf-8"), ("cache-control", "public, max-age=3600"), _NOSNIFF,
    ("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"),
]  # fmt: skip
_GIF_HEADERS = [("content-type", "image/gif"), ("cache-control", "no-store, private"), _NOSNIFF]


class TooLargeError(Exception):
    """The body is larger than the collector reads."""


class App:
    """Answers requests. `house` holds what outlives them."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def __call__(self, scope: Any, proto: Any) -> None:
        path = scope.path
        if path == "/e":
            await self._events(scope, proto)
        elif path.startswith("/c/"):
            self._click(scope, proto, path[3:])
        elif path.startswith("/o/"):
            self._open(scope, proto, path[3:].removesuffix(".gif"))
        elif path.startswith("/f/"):
            await self._form(scope, proto, path[3:].strip("/"))
        elif path == "/tag.js":
            proto.response_bytes(200, _TAG_HEADERS, _TAG)
        elif path == "/health":
            proto.response_bytes(200, _JSON, msgspec.json.encode(self.house.health()))
        elif path == "/noop" and self.house.bench:
            proto.response_empty(204, [])
        else:
            proto.response_str(404, _TEXT, "404")

    # -- events -----------------------------------------------------------------------------------------------

    async def _events(self, scope: Any, proto: Any) -> None:
        headers = scope.headers
        origin = headers.get("origin", "").lower()
        if scope.method != "POST":
            self._preflight(scope, proto, origin)
            return
        house = self.house
        context = house.context()
        if reason := pipeline.judge(_head(headers, origin), context):
            house.buffer.drop(reason)
            proto.response_empty(403 if reason is pipeline.Drop.FOREIGN else 204, [_NO_STORE])
            return
        reply = _allow(origin)
        try:
            batch = wire.decode_batch(await _body(headers, proto))
        except TooLargeError:
            house.buffer.drop(pipeline.Drop.TOO_LARGE)
            proto.response_empty(413, reply)
            return
        except (msgspec.DecodeError, UnicodeDecodeError):
            house.buffer.drop(pipeline.Drop.MALFORMED)
            proto.response_empty(400, reply)
            return
        status, lines = house.take(batch, context)
        if lines:
            try:
                await house.buffer.put(lines)
            except OSError:
                status = 503
        proto.response_empty(status, reply)

    def _preflight(self, scope: Any, proto: Any, origin: str) -> None:
        if scope.method != "OPTIONS":
            proto.response_str(405, [*_TEXT, ("allow", "POST, OPTIONS")], "405")
            return
        known = origin in self.house.registry.origins
        proto.response_empty(204 if known else 403, _allow(origin, preflight=True) if known else [_NO_STORE])

    # -- mail -------------------------------------------------------------------------------------------------

    def _click(self, scope: Any, proto: Any, token: str) -> None:
        try:
            click = mail.read_click(token)
        except tokens.BadTokenError:
            proto.response_str(404, _TEXT, "404")
            return
        agent = scope.headers.get("user-agent", "")
        suspect = scope.method == "HEAD" or pipeline.is_scanner(agent) or bool(_purpose(scope.headers))
        at = self.house.clock()
        target = click.url if suspect else mail.with_arrival(click, self.house.registry.sites, at)
        headers = [("location", target), _NO_STORE, ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")]
        proto.response_empty(302, headers)
        if scope.method == "GET":
            self.house.buffer.put([mail.click_line(click, at, suspect)])

    def _open(self, scope: Any, proto: Any, token: str) -> None:
        try:
            lead_id, delivery_id = mail.read_open(token)
        except tokens.BadTokenError:
            proto.response_str(404, _TEXT, "404")
            return
        proto.response_bytes(200, _GIF_HEADERS, _GIF)
        if scope.method == "GET":
            suspect = pipeline.is_scanner(scope.headers.get("user-agent", "")) or bool(_purpose(scope.headers))
            self.house.buffer.put([mail.open_line(lead_id, delivery_id, self.house.clock(), suspect)])

    # -- forms ------------------------------------------------------------------------------------------------

    async def _form(self, scope: Any, proto: Any, slug: str) -> None:
        headers = scope.headers
        origin = headers.get("origin", "").lower()
        if scope.method != "POST":
            self._preflight(scope, proto, origin)
            return
        house = self.house
        if reason := pipeline.judge(_head(headers, origin), house.context()):
            house.buffer.drop(reason)
            proto.response_empty(403, [_NO_STORE])
            return
        form = house.registry.forms.get(slug)
        if form is None:
            proto.response_bytes(404, [*_JSON, *_allow(origin)], b'{"ok":false,"errors":{}}')
            return
        try:
            answers = forms.read(headers.get("content-type", ""), await _body(headers, proto))
        except TooLargeError:
            proto.response_bytes(413, [*_JSON, *_allow(origin)], b'{"ok":false,"errors":{}}')
            return
        except ValueError:
            proto.response_bytes(400, [*_JSON, *_allow(origin)], b'{"ok":false,"errors":{}}')
            return
        verdict = forms.judge(form, answers, headers.get("accept-language", ""), house.clock(), house.base_url)
        status = 200 if verdict.reply["ok"] else 422
        if verdict.drop:
            house.buffer.drop(verdict.drop)
        if verdict.line:
            try:
                await house.buffer.put([verdict.line])
            except OSError:
                status, verdict.reply = 503, {"ok": False, "errors": {}}
        proto.response_bytes(status, [*_JSON, *_allow(origin)], msgspec.json.encode(verdict.reply))


def _head(headers: Any, origin: str) -> pipeline.Head:
    return pipeline.Head(headers.get("user-agent", ""), _purpose(headers), origin)


def _purpose(headers: Any) -> str:
    """What a browser says of a request that nobody has asked for yet; '' for an ordinary one."""
    purpose = headers.get("sec-purpose") or headers.get("purpose") or headers.get("x-moz") or ""
    return str(purpose).lower()


def _allow(origin: str, *, preflight: bool = False) -> list[tuple[str, str]]:
    """CORS for an origin that has been judged."""
    if not origin:
        return [_NO_STORE]
    allowed = [_NO_STORE, ("access-control-allow-origin", origin), ("vary", "origin")]
    if preflight:
        allowed += [
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "content-type"),
            ("access-control-max-age", "86400"),
        ]
    return allowed


async def _body(headers: Any, proto: Any) -> bytes:
    """The whole body; TooLargeError past MAX_BODY, which is never held in memory."""
    declared = headers.get("content-length", "")
    if declared.isdecimal():
        if int(declared) > wire.MAX_BODY:
            raise TooLargeError
        return bytes(await proto())
    parts: list[bytes] = []
    size = 0
    async for part in proto:
        size += len(part)
        if size > wire.MAX_BODY:
            raise TooLargeError
        parts.append(part)
    return b"".join(parts)


def serve(port: int, address: str = "0.0.0.0") -> int:  # noqa: S104 - tags call from everywhere
    """Answer on `port` until SIGTERM or SIGINT; what was taken is safe before this returns."""
    import uvloop

    uvloop.run(_serve(port, address))
    return 0


async def _serve(port: int, address: str) -> None:
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    house = House.from_environment(os.environ)
    house.buffer.start()
    server = Server(
        App(house), address=address, port=port, http=HTTPModes.http1, websockets=False, log_enabled=False, backlog=2048,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    log.info("the collector listens", port=port)
    try:
        await server.serve()
    finally:
        await house.buffer.close()
        log.info("the collector has stopped", spooled_bytes=house.spool.bytes_waiting())
