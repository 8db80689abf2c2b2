"""The way into a server that wants TLS and a password: real TLS, real AUTH, and servers that are not what they say."""

import asyncio
import ssl

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from hagukumi.kit import smtp

MAIL = smtp.Mail(1, "news@example.co.jp", "hanako@example.co.jp", "Subject: 事例\r\n\r\n本文\r\n".encode())
USER, PASSWORD = "news", "pass/wörd@1"


class Box:
    """Keeps what it is given."""

    def __init__(self):
        self.content = []
        self.signed_in = []

    async def handle_DATA(self, server, session, envelope):
        self.content.append((session.ssl is not None, session.authenticated, envelope.content))
        return "250 2.0.0 kept"

    def authenticate(self, server, session, envelope, mechanism, data):
        assert isinstance(data, LoginPassword)
        self.signed_in.append(mechanism)
        good = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=good, handled=good)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """Our machine trusts the authority."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def hand_over(authority, security, *, name="localhost", password=PASSWORD, **options):
    """Hand one mail to a real server whose certificate is for `name`: (outcomes, the error or None, what it kept)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    box = Box()
    wanted = {"auth_required": True, "authenticator": box.authenticate, "hostname": "mx.example", **options}
    if security == "starttls":
        wanted |= {"tls_context": context, "require_starttls": True}

    async def whole():
        loop = asyncio.get_running_loop()
        over = context if security == "tls" else None
        listening = await loop.create_server(lambda: SMTP(box, loop=loop, **wanted), "127.0.0.1", 0, ssl=over)
        address = smtp.Server("localhost", listening.sockets[0].getsockname()[1], security, USER, password)
        outcomes, waiting = [], [MAIL]

        async def following():
            return waiting.pop() if waiting else None

        try:
            line = await smtp.connect(address, "here.example")
            await line.pump(following, lambda: None, outcomes.append)
            await line.quit()
        except smtp.ConnectError as error:
            return outcomes, error, box
        finally:
            listening.close()
        return outcomes, None, box

    return asyncio.run(whole())


def test_starttls_and_a_password(authority, trusted):
    (outcome,), _, box = hand_over(authority, "starttls")
    assert (outcome.result, outcome.reply) == ("sent", "250 2.0.0 kept")
    assert box.content == [(True, True, MAIL.content)]
    assert box.signed_in == ["PLAIN"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_tls_from_the_first_byte_and_auth_login(authority, trusted):
    # aiosmtpd takes AUTH only after a STARTTLS of its own, unless told that the connection is private already
    options = {"auth_exclude_mechanism": ["PLAIN"], "auth_require_tls": False}
    (outcome,), _, box = hand_over(authority, "tls", **options)
    assert outcome.result == "sent"
    assert box.content[0][1:] == (True, MAIL.content)
    assert box.signed_in == ["LOGIN"]


def test_a_wrong_password_is_said_in_the_servers_words(authority, trusted):
    outcomes, error, box = hand_over(authority, "starttls", password="guess")
    assert str(error).startswith("535 5.7.8")
    assert outcomes == box.content == []


def test_a_certificate_from_nobody_we_know_gets_no_password(authority):
    _, error, box = hand_over(authority, "starttls")
    assert "certificate" in str(error)
    assert box.signed_in == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_somebody_else_gets_no_password(authority, trusted, security):
    _, error, box = hand_over(authority, security, name="other.example")
    assert "certificate" in str(error)
    assert box.signed_in == []


@pytest.mark.parametrize(
    ("offer", "answer", "said"),
    [
        (b"250 mx.example\r\n", b"", "does not offer STARTTLS"),
        (b"250-mx.example\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n", "out of turn"),
        (b"250-mx.example\r\n250 STARTTLS\r\n", b"454 4.7.0 not now\r\n", "454 4.7.0"),
    ],
)
def test_no_password_is_said_in_the_clear(offer, answer, said):
    heard = []

    async def door(reader, writer):
        writer.write(b"220 mx.example\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(offer if line.startswith(b"EHLO") else answer)
        writer.close()

    async def whole():
        listening = await asyncio.start_server(door, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(smtp.ConnectError, match=said):
            await smtp.connect(smtp.Server("127.0.0.1", port, "starttls", USER, PASSWORD), "here.example")
        listening.close()

    asyncio.run(whole())
    assert not any(line.startswith(b"AUTH") for line in heard)


def test_a_password_goes_over_tls_or_when_asked_for_by_name(authority):
    outcomes, error, box = hand_over(authority, "none", auth_require_tls=False)
    assert outcomes == [] and box.signed_in == [] and "clear text" in str(error)
    assert smtp.server_of("smtp://u:p@h.jp").clear_auth is False
    assert smtp.server_of("smtp://u:p@h.jp?auth=cleartext").clear_auth is True


@pytest.mark.parametrize(
    ("url", "real"),
    [
        ("smtp://127.0.0.1:8002?mailbox=1", False),
        ("smtp://localhost?mailbox=1", False),
        ("smtp://[::1]:1025?mailbox=1", False),
        ("smtp://127.0.0.1", True),
        ("smtp://localhost:25", True),
        ("smtp://127.0.0.1:8002?mailbox=0", True),
        ("smtp://smtp.example.jp", True),
        ("smtp://smtp.example.jp?mailbox=1", True),
    ],
)
def test_only_a_mailbox_on_this_machine_reaches_nobody(url, real):
    assert smtp.is_real(smtp.server_of(url)) is real
