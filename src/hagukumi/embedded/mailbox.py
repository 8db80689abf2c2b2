"""The development mailbox: a real SMTP server that keeps what it is given, and a page that shows it.

    SMTP  127.0.0.1:PORT+2   HTML and JSON  127.0.0.1:PORT+3

    GET  /                 the list (`q`, `page`, `lang=en`)       GET /mail/<id>          one mail
    GET  /mail/<id>.eml    the bytes                               GET /mail/<id>/html     its HTML, sandboxed
    GET  /api/mails        the list as JSON (`q`, `limit`, `offset`)   GET /api/mails/<id>  one mail as JSON
    POST /clear            removes all (DELETE /api/mails for programs)

It listens to this machine only; HAGUKUMI_BIND opens it as it opens the other faces. Every page but /health asks for the
key that `hagukumi up` prints (and HAGUKUMI_HOME/mailbox.key keeps): `?key=` once, a cookie from then on; programs may
send `Authorization: Bearer`. A request for another host is refused: so comes a foreign page whose name now leads here.
"""

import asyncio
import contextlib
import hmac
import json
import re
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, urlencode

from aiosmtpd.smtp import SMTP, Envelope, Session
from granian.server.embed import Server

from hagukumi.embedded import mailpages
from hagukumi.embedded.mailstore import Mail, MailStore, Summary
from hagukumi.kit import address, log

_COOKIE = "hagukumi_mailbox"
LARGEST = 32 * 2**20  # bytes of one mail
_OURS = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
_THEIRS = f"sandbox {mailpages.SANDBOX}; default-src 'none'; img-src * data:; style-src 'unsafe-inline' *; font-src *"
_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_MAIL = re.compile(r"^/mail/(?P<id>[0-9a-f-]+)(?P<rest>\.eml|/html|/part/(?P<part>\d{1,4}))?$")
_log = log.get("hagukumi.mailbox")


class Scope(Protocol):
    """What we read of Granian's RSGI scope."""

    proto: str
    method: str
    path: str
    query_string: str
    headers: Any


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    csp: str = _OURS + "; frame-ancestors 'none'"
    headers: list[tuple[str, str]] = field(default_factory=list)

    def all_headers(self) -> list[tuple[str, str]]:
        fixed = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ]
        return [("content-type", self.kind), ("content-security-policy", self.csp), *fixed, *self.headers]


class Catcher:
    """aiosmtpd's handler: every recipient is welcome, every mail is kept."""

    def __init__(self, store: MailStore) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        try:
            self.store.save(raw, envelope.mail_from or "", list(envelope.rcpt_tos))
        except OSError as error:
            _log.error("mail not kept", error=str(error))
            return "452 4.3.1 Insufficient system storage"
        return "250 2.0.0 Kept"


class Pages:
    """The HTTP face of a store; an RSGI application."""

    def __init__(self, store: MailStore, key: str = "", hosts: Iterable[str] = address.LOOPBACK) -> None:
        """`key` '': nobody is asked for one."""
        self.store = store
        self._key = key
        self._hosts = frozenset(hosts)

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:
        if scope.proto != "http":
            protocol.close(403)
            return
        try:
            answer = await asyncio.to_thread(self.answer, scope)
        except Exception:
            _log.exception("mailbox page failed", path=scope.path)
            answer = Answer(b"Internal error", "text/plain", 500)
        headers = answer.all_headers()
        if scope.method == "HEAD":
            protocol.response_empty(answer.status, headers)
        else:
            protocol.response_bytes(answer.status, headers, answer.body)

    def answer(self, scope: Scope) -> Answer:
        """The answer to a request. No method but GET changes anything unasked: a foreign page's POST is refused."""
        if not address.is_known_host(str(scope.headers.get("host") or ""), self._hosts):
            return Answer(b"Unknown host", "text/plain", 400)
        query = {key: values[0] for key, values in parse_qs(scope.query_string).items()}
        if scope.path != "/health" and (answer := self._stopped(scope, query)):
            return answer
        word = mailpages.Words(query.get("lang", "ja"))
        if scope.method in ("GET", "HEAD"):
            if scope.path == "/health":
                return _json({"ok": True, "mails": len(self.store)})
            if scope.path.startswith("/api/mails"):
                return self._api(scope.path, query)
            return self._page(scope.path, query, word)
        if not _same_origin(scope):
            return Answer(b"Forbidden", "text/plain", 403)
        if (scope.method, scope.path) == ("POST", "/clear"):
            self.store.clear()
            home = "/?lang=en" if word.language == "en" else "/"
            return Answer(status=303, headers=[("location", home)])
        if (scope.method, scope.path) == ("DELETE", "/api/mails"):
            return _json({"removed": self.store.clear()})
        return Answer(b"Method not allowed", "text/plain", 405)

    def _stopped(self, scope: Scope, query: dict[str, str]) -> Answer | None:
        """The answer to whoever does not show the key, or shows it in the address (which is then cleaned of it)."""
        if not self._key:
            return None
        given = query.pop("key", "")
        if given and hmac.compare_digest(given.encode(), self._key.encode()):
            if scope.method not in ("GET", "HEAD") or scope.path.startswith("/api/"):
                return None
            cookie = f"{_COOKIE}={self._key}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
            kept = f"?{urlencode(query)}" if query else ""
            return Answer(status=303, headers=[("location", scope.path + kept), ("set-cookie", cookie)])
        shown = [str(scope.headers.get("authorization") or "").removeprefix("Bearer ").strip()]
        shown += [one.split("=", 1)[1] for one in _cookies(scope) if one.startswith(f"{_COOKIE}=")]
        if any(hmac.compare_digest(one.encode(), self._key.encode()) for one in shown):
            return None
        if scope.path.startswith("/api/"):
            return _json({"error": "the key of the mailbox is needed"}, 401)
        return _html(mailpages.locked(mailpages.Words(query.get("lang", "ja"))), 401)

    def _page(self, path: str, query: dict[str, str], word: mailpages.Words) -> Answer:
        if path == "/":
            page = _number(query.get("page"), 1, 1, 10_000)
            words = query.get("q", "")[:200]
            mails, total = self.store.search(words, (page - 1) * mailpages.PER_PAGE, mailpages.PER_PAGE)
            return _html(mailpages.listing(word, mails, total, words, page))
        found = _MAIL.match(path)
        mail = self.store.mail(found["id"]) if found else None
        if found is None or mail is None:
            return _html(mailpages.missing(word), 404)
        if found["rest"] is None:
            return _html(mailpages.one(word, mail))
        if found["rest"] == ".eml":
            named = [("content-disposition", f'attachment; filename="{mail.summary.id}.eml"')]
            return Answer(self.store.raw(mail.summary.id) or b"", "message/rfc822", headers=named)
        if found["rest"] == "/html":
            return Answer(mailpages.framed(mail).encode(), csp=f"{_THEIRS}; frame-ancestors 'self'")
        return self._part(mail, int(found["part"]), word)

    def _part(self, mail: Mail, index: int, word: mailpages.Words) -> Answer:
        part = next((one for one in mail.parts if one.index == index), None)
        if part is None:
            return _html(mailpages.missing(word), 404)
        inline = part.kind in _INLINE
        shown = "inline" if inline else "attachment"
        headers = [("content-disposition", f"{shown}; filename*=UTF-8''{quote(part.name, safe='')}")]
        kind = part.kind if inline else "application/octet-stream"
        return Answer(part.body, kind, csp="sandbox; default-src 'none'", headers=headers)

    def _api(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/api/mails":
            limit, offset = _number(query.get("limit"), 50, 0, 1000), _number(query.get("offset"), 0, 0, 10**6)
            mails, total = self.store.search(query.get("q", ""), offset, limit)
            return _json({"total": total, "mails": [_line(one) for one in mails]})
        mail = self.store.mail(path.removeprefix("/api/mails/"))
        if mail is None:
            return _json({"error": "no such mail"}, 404)
        parts = [
            {"index": part.index, "name": part.name, "kind": part.kind, "size": len(part.body)} for part in mail.parts
        ]
        facts = {"headers": mail.headers, "text": mail.text, "html": mail.html, "parts": parts}
        return _json({**_line(mail.summary), **facts})


async def serve(folder: Path, smtp_port: int, http_port: int, bind: str = "127.0.0.1", key: str = "") -> None:
    """Listen until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    loop = asyncio.get_running_loop()
    store = MailStore(folder)
    catcher = Catcher(store)
    smtp = await loop.create_server(lambda: _protocol(catcher), bind, smtp_port)
    web = Server(
        Pages(store, key, address.hosts([], bind)), address=bind, port=http_port, log_enabled=False, websockets=False
    )
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    serving = loop.create_task(_quietly(web.serve))
    stopping = loop.create_task(stop.wait())
    _log.info("mailbox ready", smtp=smtp_port, http=http_port, mails=len(store))
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    smtp.close()
    web.stop()  # type: ignore[no-untyped-call]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, 2)
    stopping.cancel()


def main(folder: Path, smtp_port: int, http_port: int, bind: str = "127.0.0.1", key: str = "") -> int:
    """`hagukumi mailbox`: serve until told to stop; 1 when a port is taken."""
    try:
        asyncio.run(serve(folder, smtp_port, http_port, bind, key))
    except OSError as error:
        _log.error("mailbox cannot listen", error=str(error))
        return 1
    return 0


async def _quietly(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def _protocol(catcher: Catcher) -> SMTP:
    return SMTP(
        catcher,
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        decode_data=False,
        hostname="localhost",
        ident="Hagukumi mailbox",
        timeout=300,
    )


def _cookies(scope: Scope) -> list[str]:
    return [one.strip() for one in str(scope.headers.get("cookie") or "").split(";")]


def _same_origin(scope: Scope) -> bool:
    """A browser names the page a request comes from; programs name none."""
    origin = scope.headers.get("origin")
    return origin is None or str(origin).split("://", 1)[-1] == scope.headers.get("host")


def _line(one: Summary) -> dict[str, str]:
    at = one.received_at.isoformat()
    return {"id": one.id, "received_at": at, "from": one.sender, "to": one.to, "subject": one.subject}


def _html(page: str, status: int = 200) -> Answer:
    return Answer(page.encode("utf-8", "replace"), status=status)


def _json(body: object, status: int = 200) -> Answer:
    text = json.dumps(body, ensure_ascii=False)
    return Answer(text.encode("utf-8", "replace"), "application/json", status)


def _number(raw: str | None, default: int, low: int, high: int) -> int:
    return min(high, max(low, int(raw))) if raw and raw.isdecimal() and len(raw) < 9 else default
