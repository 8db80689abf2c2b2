"""The collector's face: every way in, and what it is answered. One process, no Django.

GET /tag.js · POST /e (a batch) · GET /c/<token> (click) · GET /o/<token>.gif (open) · POST /f/<slug> · GET /health
Batches and forms are answered after their commit; clicks and opens never wait for it.
"""

import asyncio
import gc
import os
import signal
from functools import lru_cache
from pathlib import Path

import msgspec
import structlog

from hagukumi.kit import callers, tokens

from . import forms, mail, networks, pipeline, wire
from .house import House
from .http import Answer, Request, Server, head

log = structlog.get_logger(__name__)
_TAG = Path(__file__).parent / "tag.js"
"""Written by the front end's build from `frontend/tag`."""
_GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_NO_STORE = ("cache-control", "no-store")
_NOSNIFF = ("x-content-type-options", "nosniff")
_JSON = (("content-type", "application/json; charset=utf-8"), _NO_STORE, _NOSNIFF)
_TEXT = (("content-type", "text/plain; charset=utf-8"), _NO_STORE, _NOSNIFF)
_TAG_HEAD = head(
    ("content-type", "text/javascript; charset=utf-8"), ("cache-control", "public, max-age=3600"), _NOSNIFF,
    ("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"),
)  # fmt: skip
_GIF_HEAD = head(("content-type", "image/gif"), ("cache-control", "no-store, private"), _NOSNIFF)
_NOT_BUILT = b"the tag is not built: make front"
_FORM_FAILED = b'{"ok":false,"errors":{}}'


class App:
    """Answers requests. `house` holds what outlives them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tag = _TAG.read_bytes() if _TAG.exists() else b""

    def __call__(self, request: Request) -> Answer:
        path = request.path
        if path == "/e":
            return self._events(request)
        if path.startswith("/c/"):
            return self._click(request, path[3:])
        if path.startswith("/o/"):
            return self._open(request, path[3:].removesuffix(".gif"))
        if path.startswith("/f/"):
            return self._form(request, path[3:].strip("/"))
        if path == "/tag.js":
            return Answer(200, _TAG_HEAD, self.tag) if self.tag else Answer(503, head(*_TEXT), _NOT_BUILT)
        if path == "/health":
            found = self.house.health()
            return Answer(200 if found["ok"] else 503, head(*_JSON), msgspec.json.encode(found))
        if path == "/noop" and self.house.bench:
            return Answer(204)
        return Answer(404, head(*_TEXT), b"404")

    # -- events -----------------------------------------------------------------------------------------------

    def _events(self, request: Request) -> Answer:
        origin = request.headers.get("origin", "").lower()
        if request.method != "POST":
            return self._preflight(request, origin)
        house = self.house
        context = house.context()
        if reason := pipeline.judge(_judged(request.headers, origin), context):
            house.buffer.drop(reason)
            return Answer(403 if reason is pipeline.Drop.FOREIGN else 204, head(_NO_STORE))
        reply = _allow(origin)
        if request.too_large:
            house.buffer.drop(pipeline.Drop.TOO_LARGE)
            return Answer(413, reply)
        try:
            batch = wire.decode_batch(request.body)
        except ValueError:
            house.buffer.drop(pipeline.Drop.MALFORMED)
            return Answer(400, reply)
        status, lines = house.take(batch, context)
        return Answer(status, reply, after=house.buffer.put(lines) if lines else None)

    def _preflight(self, request: Request, origin: str) -> Answer:
        if request.method != "OPTIONS":
            return Answer(405, head(*_TEXT, ("allow", "POST, OPTIONS")), b"405")
        if origin not in self.house.registry.origins:
            return Answer(403, head(_NO_STORE))
        return Answer(204, _allow(origin, preflight=True))

    # -- mail -------------------------------------------------------------------------------------------------

    def _click(self, request: Request, token: str) -> Answer:
        try:
            click = mail.read_click(token)
        except tokens.BadTokenError:
            return Answer(404, head(*_TEXT), b"404")
        agent = request.headers.get("user-agent", "")
        verdict = mail.judge_click(click, agent, _purpose(request.headers), self._caller(request))
        at = self.house.clock()
        is_reader = request.method != "HEAD" and not verdict
        target = mail.with_arrival(click, self.house.registry.sites, at) if is_reader else click.url
        if request.method == "GET":
            self.house.buffer.put([mail.click_line(click, at, verdict, self.house.private)])
        where = ("location", target)
        return Answer(302, head(where, _NO_STORE, ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")))

    def _open(self, request: Request, token: str) -> Answer:
        try:
            lead_id, delivery_id = mail.read_open(token)
        except tokens.BadTokenError:
            return Answer(404, head(*_TEXT), b"404")
        if request.method == "GET":
            agent = request.headers.get("user-agent", "")
            verdict = mail.judge_open(agent, _purpose(request.headers), self._caller(request))
            self.house.buffer.put([mail.open_line(lead_id, delivery_id, self.house.clock(), verdict)])
        return Answer(200, _GIF_HEAD, _GIF)

    def _caller(self, request: Request) -> str:
        """The address of whoever asks, through our own proxies."""
        return callers.client_address(request.peer, request.headers.get("x-forwarded-for", ""), self.house.proxies)

    # -- forms ------------------------------------------------------------------------------------------------

    def _form(self, request: Request, slug: str) -> Answer:
        headers = request.headers
        origin = headers.get("origin", "").lower()
        if request.method != "POST":
            return self._preflight(request, origin)
        house = self.house
        if reason := pipeline.judge(_judged(headers, origin), house.context()):
            house.buffer.drop(reason)
            return Answer(403, head(_NO_STORE))
        reply = head(*_JSON) + _allow(origin, stored=False)
        form = house.registry.forms.get(slug)
        if form is None:
            return Answer(404, reply, _FORM_FAILED)
        if request.too_large:
            return Answer(413, reply, _FORM_FAILED)
        try:
            answers = forms.read(headers.get("content-type", ""), request.body)
        except ValueError:
            return Answer(400, reply, _FORM_FAILED)
        caller, language = self._caller(request), headers.get("accept-language", "")
        verdict = forms.judge(form, answers, language, house.clock(), house.base_url, caller)
        if verdict.drop:
            house.buffer.drop(verdict.drop)
        return Answer(
            200 if verdict.reply["ok"] else 422,
            reply,
            msgspec.json.encode(verdict.reply),
            after=house.buffer.put([verdict.line]) if verdict.line else None,
            lost=_FORM_FAILED,
        )


def _judged(headers: dict[str, str], origin: str) -> pipeline.Head:
    return pipeline.Head(headers.get("user-agent", ""), _purpose(headers), origin)


def _purpose(headers: dict[str, str]) -> str:
    """What a browser says of a request that nobody has asked for yet; '' for an ordinary one."""
    return (headers.get("sec-purpose") or headers.get("purpose") or headers.get("x-moz") or "").lower()


@lru_cache(maxsize=1024)
def _allow(origin: str, *, preflight: bool = False, stored: bool = True) -> bytes:
    """Header lines: CORS for an origin that has been judged, and (`stored`) that nobody keeps the answer."""
    lines = [_NO_STORE] if stored else []
    if origin:
        lines += [("access-control-allow-origin", origin), ("vary", "origin")]
    if preflight:
        lines += [
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "content-type"),
            ("access-control-max-age", "86400"),
        ]
    return head(*lines)


def serve(port: int, address: str = "0.0.0.0") -> int:  # noqa: S104 - tags call from everywhere
    """Answer on `port` until SIGTERM or SIGINT; what was taken is safe before this returns."""
    import uvloop

    uvloop.run(_serve(port, address))
    return 0


async def _serve(port: int, address: str) -> None:
    house = House.from_environment(os.environ)
    house.buffer.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    pipeline.warm_up()
    networks.warm_up()
    # what is here now stays; a request leaves next to no cycles, and a search through everything makes others wait
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    server = Server(App(house))
    try:
        await server.listen(address, port)
        log.info("the collector listens", port=port)
        await stop.wait()
        await server.close()
    finally:
        await house.buffer.close()
        log.info("the collector has stopped", spooled_bytes=house.spool.bytes_waiting())
