"""A small SMTP client for one job: many mails over few connections, and the plain truth about each hand-off.

One round trip per mail where the server offers PIPELINING: a message's content travels with the next one's envelope
(RFC 2920 allows exactly this group). A message's content is never written before the server's 354, so whatever is
lost before that was certainly not handed off; whatever is lost between content and reply is `unknown`.
"""

import asyncio
import base64
import ipaddress
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

Result = Literal["sent", "soft", "hard", "unsent", "unknown"]
Stage = Literal["address", "render", "law", "connect", "mail", "rcpt", "data", "content"]
COMMAND_SECONDS = 60.0
CONTENT_SECONDS = 300.0


@dataclass(frozen=True)
class Server:
    """Where to hand mail off. `security`: none, starttls or tls. `clear_auth`: the password may go without TLS.

    `mailbox`: it keeps what it is given (the development mailbox) instead of delivering it.
    """

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""
    password: str = ""
    clear_auth: bool = False
    mailbox: bool = False

    @property
    def route(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(url: str) -> Server:
    """`smtp://user:pass@host:port?starttls=1` or `smtps://…`; ValueError for anything else.

    A password goes over TLS only, unless `?auth=cleartext` asks for it by that name. `?mailbox=1`: see `is_real`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL must be smtp://host[:port] or smtps://host[:port]")
    clear_auth = parse_qs(parts.query).get("auth", [""])[0] == "cleartext"
    starttls = parse_qs(parts.query).get("starttls", ["0"])[0] in ("1", "true", "yes")
    security: Literal["none", "starttls", "tls"] = "none"
    if parts.scheme == "smtps":
        security = "tls"
    elif starttls:
        security = "starttls"
    port = parts.port or {"tls": 465, "starttls": 587, "none": 25}[security]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    mailbox = parse_qs(parts.query).get("mailbox", ["0"])[0] == "1"
    return Server(parts.hostname, port, security, user, password, clear_auth, mailbox)


def is_real(server: Server) -> bool:
    """Whether mail handed to it reaches people: any server but one on this machine that is said to be a mailbox.

    The address alone tells nothing: a real relay listens to 127.0.0.1 as well.
    """
    if not server.mailbox:
        return True
    try:
        return not ipaddress.ip_address(server.host).is_loopback
    except ValueError:
        return server.host != "localhost" and not server.host.endswith(".localhost")


class Mail(NamedTuple):
    """What goes over the wire. `key` is the caller's own; `content` has CRLF lines, none beginning with a dot."""

    key: int
    sender: str
    recipient: str
    content: bytes


class Outcome(NamedTuple):
    """What became of one mail. `unsent`: certainly not handed off, through no fault of its own."""

    key: int
    result: Result
    stage: Stage
    reply: str


class Reply(NamedTuple):
    code: int
    text: str


class ConnectError(OSError):
    """No session with the server: nothing was handed off."""


class LostError(OSError):
    """The connection went away or fell silent."""


class Connection(asyncio.Protocol):
    """One SMTP session. Use `connect`, then `pump`."""

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._lost = False
        self._dirty = False
        self.extensions: dict[str, str] = {}

    # the wire
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take_line(line.rstrip(b"\r").decode("utf-8", "replace"))
        if len(self._buffer) > 65536:
            self.close()
        if self._replies:
            self._wake()

    def _take_line(self, line: str) -> None:
        self._lines.append(line[4:])
        if line[3:4] != "-":
            code = int(line[:3]) if line[:3].isdigit() else 0
            self._replies.append(Reply(code, f"{line[:3]} {' '.join(self._lines)}"))
            self._lines = []

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _write(self, data: bytes) -> None:
        if self._lost or self._transport is None:
            raise LostError("connection lost")
        self._transport.write(data)

    async def _reply(self, seconds: float = COMMAND_SECONDS) -> Reply:
        while not self._replies:
            if self._lost:
                raise LostError("connection lost")
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(seconds, self._silent)
            try:
                await self._waiter
            finally:
                timer.cancel()
        return self._replies.popleft()

    def _silent(self) -> None:
        self._lost = True
        self.close()
        self._wake()

    async def _command(self, line: str) -> Reply:
        self._write(f"{line}\r\n".encode())
        return await self._reply()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def lost(self) -> bool:
        return self._lost

    # the session
    async def open(self, server: Server, name: str) -> None:
        """Greeting, EHLO, TLS and sign-in. ConnectError with the server's words where it fails."""
        try:
            await self._expect(await self._reply(), 220)
            await self._hello(name)
            if server.security == "starttls":
                await self._start_tls(server, name)
            if server.user and server.security == "none" and not server.clear_auth:
                self.close()
                raise ConnectError(
                    "the password is not sent in clear text: use smtps:// or ?starttls=1, or ask for ?auth=cleartext"
                )
            if server.user:
                await self._sign_in(server)
        except LostError as error:
            raise ConnectError(str(error)) from error

    async def _hello(self, name: str) -> None:
        reply = await self._command(f"EHLO {name}")
        if reply.code != 250:
            await self._expect(await self._command(f"HELO {name}"), 250)
        words = reply.text.split()
        self.extensions = {word.upper(): "" for word in words}

    async def _start_tls(self, server: Server, name: str) -> None:
        if "STARTTLS" not in self.extensions:
            self.close()
            raise ConnectError("the server does not offer STARTTLS")
        await self._expect(await self._command("STARTTLS"), 220)
        if self._replies or self._lines or self._buffer:  # said in the clear, to be taken for words under TLS
            self.close()
            raise ConnectError("the server spoke out of turn before TLS")
        loop = asyncio.get_running_loop()
        assert self._transport is not None
        context = ssl.create_default_context()
        upgraded = await loop.start_tls(self._transport, self, context, server_hostname=server.host)
        if upgraded is None:
            raise ConnectError("STARTTLS failed")
        self._transport = upgraded
        await self._hello(name)

    async def _sign_in(self, server: Server) -> None:
        if "PLAIN" in self.extensions or "LOGIN" not in self.extensions:
            secret = base64.b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
            await self._expect(await self._command(f"AUTH PLAIN {secret}"), 235)
            return
        await self._expect(await self._command("AUTH LOGIN"), 334)
        await self._expect(await self._command(base64.b64encode(server.user.encode()).decode()), 334)
        await self._expect(await self._command(base64.b64encode(server.password.encode()).decode()), 235)

    async def _expect(self, reply: Reply, code: int) -> None:
        if reply.code != code:
            self.close()
            raise ConnectError(reply.text)

    async def quit(self) -> None:
        """Say goodbye, without waiting long for the answer."""
        if not self._lost:
            try:
                self._write(b"QUIT\r\n")
                await self._reply(2.0)
            except LostError:
                pass
        self.close()

    # the mails
    async def pump(
        self,
        following: Callable[[], Awaitable[Mail | None]],
        at_hand: Callable[[], Mail | None],
        report: Callable[[Outcome], None],
    ) -> None:
        """Hand mails off one after another until `following` gives None or the connection ends; report each once.

        `following` waits for a mail; `at_hand` gives one that is there already, or None, at once.
        """
        ahead: Mail | None = None
        while not self._lost:
            mail = ahead or await following()
            if mail is None:
                return
            if self._lost:  # the server closed the session while we waited
                report(Outcome(mail.key, "unsent", "connect", "connection lost"))
                return
            if ahead is None:
                refused = await self._guarded(mail, self._offer(mail))
            else:
                refused = await self._guarded(mail, self._answers(mail))
            ahead = None
            if refused is not None:
                report(refused)
                continue
            ahead = at_hand() if "PIPELINING" in self.extensions else None
            try:
                self._write(mail.content + b".\r\n" + (self._envelope(ahead) if ahead else b""))
            except LostError:
                report(Outcome(mail.key, "soft", "data", "connection lost before the content"))
                if ahead:
                    report(Outcome(ahead.key, "unsent", "mail", "connection lost"))
                return
            outcome = await self._receipt(mail)
            report(outcome)
            if self._lost and ahead:
                report(Outcome(ahead.key, "unsent", "mail", "connection lost"))

    async def _guarded(self, mail: Mail, answers: Awaitable[Outcome | None]) -> Outcome | None:
        try:
            return await answers
        except LostError:
            return Outcome(mail.key, "soft", "data", "connection lost before the content")

    def _envelope(self, mail: Mail) -> bytes:
        reset = "RSET\r\n" if self._dirty else ""
        return f"{reset}MAIL FROM:<{mail.sender}>\r\nRCPT TO:<{mail.recipient}>\r\nDATA\r\n".encode()

    async def _offer(self, mail: Mail) -> Outcome | None:
        """Send one envelope; None = the server waits for the content."""
        if "PIPELINING" in self.extensions:
            self._write(self._envelope(mail))
            return await self._answers(mail)
        if self._dirty:
            await self._command("RSET")
            self._dirty = False
        for stage, line, wanted in _steps(mail):
            reply = await self._command(line)
            if reply.code != wanted and not (stage == "rcpt" and reply.code == 251):
                self._dirty = True
                if reply.code == 421:
                    self.close()
                    self._lost = True
                return self._refusal(mail, stage, reply)
        return None

    async def _answers(self, mail: Mail) -> Outcome | None:
        """Read the answers to a pipelined envelope; all three come, whichever of them refuses."""
        if self._dirty:
            await self._reply()
            self._dirty = False
        first: Outcome | None = None
        for stage, _line, wanted in _steps(mail):
            reply = await self._reply()
            if reply.code == 421:
                self.close()
                self._lost = True
                return self._refusal(mail, stage, reply)
            if reply.code != wanted and not (stage == "rcpt" and reply.code == 251):
                first = first or self._refusal(mail, stage, reply)
            elif stage == "data" and first is not None:
                self._write(b".\r\n")  # RFC 2920 3.1: nobody to deliver to; the server refuses the empty message
                await self._reply()
        self._dirty = first is not None
        return first

    def _refusal(self, mail: Mail, stage: Stage, reply: Reply) -> Outcome:
        if reply.code == 421 and stage == "mail":
            return Outcome(mail.key, "unsent", stage, reply.text)
        return Outcome(mail.key, "hard" if 500 <= reply.code < 600 else "soft", stage, reply.text)

    async def _receipt(self, mail: Mail) -> Outcome:
        try:
            reply = await self._reply(CONTENT_SECONDS)
        except LostError:
            return Outcome(mail.key, "unknown", "content", "connection lost after the content")
        if reply.code == 250:
            return Outcome(mail.key, "sent", "content", reply.text)
        return Outcome(mail.key, "hard" if 500 <= reply.code < 600 else "soft", "content", reply.text)


def _steps(mail: Mail) -> tuple[tuple[Stage, str, int], ...]:
    return (
        ("mail", f"MAIL FROM:<{mail.sender}>", 250),
        ("rcpt", f"RCPT TO:<{mail.recipient}>", 250),
        ("data", "DATA", 354),
    )


async def connect(server: Server, name: str, seconds: float = 15.0) -> Connection:
    """A session ready for `pump`. ConnectError where the server cannot be reached or refuses us."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if server.security == "tls" else None
    try:
        async with asyncio.timeout(seconds):
            _transport, line = await loop.create_connection(
                Connection, server.host, server.port, ssl=context, server_hostname=server.host if context else None
            )
            await line.open(server, name)
    except ConnectError:
        raise
    except (OSError, TimeoutError) as error:
        raise ConnectError(str(error) or type(error).__name__) from error
    return line
