"""The front: strangers who send slowly, without end or too much stop nobody, and leave nothing behind."""

import http.client
import json
import re
import socket
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

SLOW = 300
pytestmark = pytest.mark.django_db(transaction=True)


def begin(port: int, path: str, length: int | None = 100_000, head: str = "") -> socket.socket:
    """A POST that has shown its head and the first byte of its body."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=10)
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    kind = "Content-Type: application/x-www-form-urlencoded"
    opened.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{kind}\r\n{head}{size}\r\n\r\n".encode())
    if length is not None:
        opened.sendall(b"a")
    return opened


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, dict]:
    with closing(http.client.HTTPConnection("localhost", port, timeout=10)) as line:
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace"), dict(answer.getheaders())


def status_of(opened: socket.socket) -> int:
    """What the server says to a request that is still under way; 0 where it says nothing."""
    try:
        said = opened.recv(4096)
    except (TimeoutError, ConnectionError):
        return 0
    return int(said.split()[1]) if said else 0


def staff_cookie(user) -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    store.save()
    return f"hagukumi_session={store.session_key}"


def test_slow_bodies_stop_neither_staff_nor_public_pages(live, admin) -> None:
    cookie = staff_cookie(admin)
    slow = [begin(live.port, "/login/") for _ in range(SLOW)]
    try:
        for one in slow:
            one.sendall(b"b")
        assert ask(live.port, "GET", "/login/")[0] == 200
        assert ask(live.port, "GET", "/leads/", Cookie=cookie)[0] == 200
        assert ask(live.port, "GET", "/u/no-such-token/")[0] in (200, 404, 410)
        assert ask(live.port, "POST", "/f/none", b"email=a")[0] in (403, 404)
        page, headers = ask(live.port, "GET", "/login/")[1:]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page).group(1)
        jar = re.search(r"csrftoken=\w+", str(headers)).group()
        form = f"csrfmiddlewaretoken={token}&login={admin.email}&password=correct-horse-battery".encode()
        kind = "application/x-www-form-urlencoded"
        status, _page, headers = ask(live.port, "POST", "/login/", form, Cookie=jar, Content_Type=kind)
        assert status == 302 and "hagukumi_session" in str(headers)
        for one in slow:
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(1)  # every one of them is still being waited for
    finally:
        for one in slow:
            one.close()


def test_a_body_that_does_not_arrive_is_given_up(live) -> None:
    port = live.port + 1
    live.run("-c", f"from hagukumi.app.web import serve; serve({port}, body_seconds=0.3)")
    wait_for(port)
    for length in (100_000, None):
        with closing(begin(port, "/login/", length)) as opened:
            assert status_of(opened) == 408


def test_a_stranger_cannot_send_much(live, admin) -> None:
    """Said before the body is read, and in the middle of one that does not say its size; nothing reaches a disk."""
    for path in ("/login/", "/setup/", "/f/any", "/imports/new/", "/content/new/", "/api/v1/leads", "/no-such-page/"):
        with closing(begin(live.port, path, 20 * 10**9)) as opened:
            assert status_of(opened) == 413, path
        with closing(begin(live.port, path, None)) as opened:
            for _ in range(6):
                opened.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            assert open_files(live.running[0].pid) == [], path
            opened.sendall(b"0\r\n\r\n")
            assert status_of(opened) == 413, path
    cookie = "Cookie: hagukumi_session=0123456789abcdef0123456789abcdef\r\n"
    with closing(begin(live.port, "/imports/new/", 50 * 2**20, cookie)) as opened:
        assert status_of(opened) == 413, "a made-up session is not one"
    # 20 MB: far past what others may send. It is Django that answers (a form without its CSRF token).
    known = staff_cookie(admin)
    assert ask(live.port, "POST", "/imports/new/", b"x" * 20 * 2**20, Cookie=known)[0] == 403
    assert ask(live.port, "POST", "/sources/new/", b"x" * 20 * 2**20, Cookie=known)[0] == 413


def test_what_is_asked_arrives_as_it_was_meant(live, admin) -> None:
    for auth in ({}, {"Authorization": "Bearer nobody"}):
        status, said, headers = ask(
            live.port, "POST", "/api/v1/leads", b"x" * 6 * 2**20, Content_Type="application/json", **auth
        )
        assert status == 413 and headers["content-type"] == "application/problem+json"
        assert json.loads(said)["status"] == 413 and json.loads(said)["title"]
    assert ask(live.port, "GET", "/login/", Host="evil.example")[0] == 400
    assert ask(live.port, "GET", "/login/", Host=f"127.0.0.1:{live.port}")[0] == 200
    status, _page, headers = ask(live.port, "GET", "/leads/?q=%E8%82%B2&x=a%2Bb")
    assert status == 302 and headers["location"] == "/login/?next=/leads/%3Fq%3D%25E8%2582%25B2%26x%3Da%252Bb"
    assert ask(live.port, "GET", "/%E8%82%B2")[0] == 404
    assert ask(live.port, "HEAD", "/login/")[:2] == (200, "")


def test_it_stops_when_told_to(live) -> None:
    with closing(begin(live.port, "/login/")):
        live.running[0].terminate()
        assert live.running[0].wait(timeout=10) == 0


def open_files(pid: int) -> list[str]:
    """Files without a name that the process writes to: bodies on disk."""
    found = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(fd.readlink()))
    return [one for one in found if one.endswith("(deleted)") and "/tmp" in one]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            ask(port, "GET", "/login/")
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no answer on {port} ({sys.executable})")
