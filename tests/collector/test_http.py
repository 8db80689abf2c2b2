"""The collector's HTTP by itself: real sockets, a handler of a few lines, and senders that do not play fair."""

import asyncio
import contextlib
import json
import re

import pytest
import structlog
import uvloop

from hagukumi.collector import http
from hagukumi.collector.http import Answer, head

HOST = b"Host: a.example\r\n"
CHUNK = b"1000\r\n" + b"x" * 4096 + b"\r\n"


class Rig:
    """A server with a handler to try: /echo, /wait (until `after` is set), /lost, /broken, /bad-header."""

    def __init__(self):
        self.after = asyncio.get_running_loop().create_future()
        self.stop = asyncio.Event()
        self.seen = []

    def answer(self, request):
        self.seen.append((request.method, request.path, len(request.body)))
        if request.too_large:
            return Answer(413)
        match request.path:
            case "/wait" | "/lost":
                return Answer(200, body=b"safe", after=self.after, lost=b"lost")
            case "/broken":
                raise RuntimeError("a defect")
            case "/deep":
                return self.answer(request)
            case path if path.startswith("/c/"):
                raise ValueError(path)
            case "/bad-header":
                return Answer(302, head(("location", "https://a.example/\r\nset-cookie: x=1")))
        return Answer(200, head(("x-kind", "echo")), request.body or request.path.encode())


def run(story, monkeypatch, **limits):
    """Run `story(rig, connect)` against a server on a free port; `limits` are constants of the module."""
    for name, value in limits.items():
        monkeypatch.setattr(http, name, value)

    async def whole():
        rig = Rig()
        server = rig.server = http.Server(rig.answer)
        port = await server.listen("127.0.0.1", 0)
        story_told = asyncio.create_task(story(rig, lambda: asyncio.open_connection("127.0.0.1", port)))
        await asyncio.wait(
            {story_told, asyncio.create_task(rig.stop.wait())}, timeout=20, return_when="FIRST_COMPLETED"
        )
        await server.close()
        await asyncio.wait_for(story_told, 10)

    uvloop.run(whole())


async def say(connect, *parts):
    """Send, say no more, and read to the end."""
    reader, writer = await connect()
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write_eof()
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


def statuses(text):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", text)]


async def until_closed(reader):
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 5)
    return b""


def test_an_answer_byte_for_byte(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        writer.write(b"GET /a?b=c HTTP/1.1\r\n" + HOST + b"\r\n")
        text = await reader.readuntil(b"/a")
        assert re.sub(rb"date: [^\r]+", b"date: -", text) == (
            b"HTTP/1.1 200 OK\r\ndate: -\r\nx-kind: echo\r\ncontent-length: 2\r\n\r\n/a"
        )
        writer.write(b"HEAD /a HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"content-length: 2\r\nconnection: close\r\n\r\n")

    run(story, monkeypatch)


def test_requests_in_one_breath_are_answered_in_their_order(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        ask = b"".join(b"GET /%s HTTP/1.1\r\n%s\r\n" % (name, HOST) for name in (b"wait", b"one", b"two"))
        writer.write(ask)
        await asyncio.sleep(0.1)
        assert rig.seen == [("GET", "/wait", 0)]
        rig.after.set_result(None)
        text = await reader.readuntil(b"/two")
        assert [text.index(body) for body in (b"safe", b"/one", b"/two")] == sorted(
            text.index(body) for body in (b"safe", b"/one", b"/two")
        )

    run(story, monkeypatch)


def test_what_could_not_be_kept_is_a_503(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        writer.write(b"POST /lost HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        await asyncio.sleep(0.05)
        rig.after.set_exception(OSError("the disk is full"))
        text = await reader.readuntil(b"lost")
        assert statuses(text) == [503]

    run(story, monkeypatch)


def test_a_body_in_chunks_and_one_that_is_announced(monkeypatch):
    async def story(rig, connect):
        chunked = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        text = await say(connect, chunked, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
        assert text.endswith(b"abcde")
        asked = b"POST /echo HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        assert statuses(await say(connect, asked, b"ok")) == [100, 200]

    run(story, monkeypatch)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
        b"POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 17,
    ],
)
def test_a_large_body_is_refused_and_not_kept(monkeypatch, sent):
    async def story(rig, connect):
        assert statuses(await say(connect, sent)) == [413]
        assert rig.seen == [("POST", "/e", 0)]

    run(story, monkeypatch)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBroken Header\r\n\r\n", 400),
        (b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 600_000, 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 20_000 + b"\r\n", 431),
    ],
)
def test_what_is_not_a_request_is_refused_and_the_connection_ends(monkeypatch, sent, status):
    async def story(rig, connect):
        assert statuses(await say(connect, sent + b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n")) == [status]
        assert rig.seen == []

    run(story, monkeypatch)


def test_a_defect_is_a_500_and_says_nothing_more(monkeypatch):
    async def story(rig, connect):
        ask = b"GET /broken HTTP/1.1\r\n" + HOST + b"\r\nGET /bad-header HTTP/1.1\r\n" + HOST + b"\r\n"
        text = await say(connect, ask + b"GET /fine HTTP/1.1\r\n" + HOST + b"\r\n")
        assert statuses(text) == [500, 500, 200]
        assert b"set-cookie" not in text and b"defect" not in text

    run(story, monkeypatch)


def test_a_defect_is_logged_in_one_short_line_without_what_the_sender_wrote(monkeypatch):
    async def story(rig, connect):
        for way in (b"/deep", b"/c/c2VjcmV0"):
            assert statuses(await say(connect, b"GET " + way + b" HTTP/1.1\r\n" + HOST + b"\r\n")) == [500]

    with structlog.testing.capture_logs() as lines:
        run(story, monkeypatch)
    assert [(line["way"], line["error"]) for line in lines] == [("/deep", "RecursionError"), ("/c", "ValueError")]
    assert all(len(json.dumps(line)) < 1_000 and "exc_info" not in line for line in lines)
    assert "c2VjcmV0" not in json.dumps(lines)
    assert "test_http.py" in lines[1]["where"]


def test_who_has_stopped_talking_still_hears_the_answer(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        writer.write(b"POST /wait HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        writer.write_eof()
        await asyncio.sleep(0.05)
        rig.after.set_result(None)
        text = await until_closed(reader)
        assert (statuses(text), text[-4:]) == ([200], b"safe")

    run(story, monkeypatch)


def test_http_1_0_and_an_offered_upgrade_end_after_the_answer(monkeypatch):
    async def story(rig, connect):
        for ask in (
            b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"GET /new HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ):
            reader, writer = await connect()
            writer.write(ask)
            text = await until_closed(reader)
            assert statuses(text) == [200]
            assert b"connection: close" in text

    run(story, monkeypatch)


def test_who_dawdles_or_is_silent_is_shown_out(monkeypatch):
    async def story(rig, connect):
        silent, _keep = await connect()
        dawdling, writer = await connect()
        writer.write(b"POST /e HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\nx")
        assert await until_closed(silent) == await until_closed(dawdling) == b""
        assert rig.seen == []

    run(story, monkeypatch, IDLE_SECONDS=0.3, REQUEST_SECONDS=0.2, SWEEP_SECONDS=0.05)


def test_who_waits_for_a_commit_is_not_shown_out(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        writer.write(b"POST /wait HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        await asyncio.sleep(0.5)
        rig.after.set_result(None)
        assert statuses(await reader.readuntil(b"safe")) == [200]

    run(story, monkeypatch, IDLE_SECONDS=0.1, REQUEST_SECONDS=0.1, SWEEP_SECONDS=0.02)


def test_who_does_not_read_is_not_served_on_and_shown_out(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        body = b"x" * 60_000
        ask = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body
        reader._transport.pause_reading()
        for _ in range(400):
            writer.write(ask)
        await asyncio.sleep(1.5)
        assert len(rig.seen) < 400
        assert not rig.server.doors

    run(story, monkeypatch, REQUEST_SECONDS=0.3, SWEEP_SECONDS=0.05)


def test_one_connection_too_many_is_closed_at_once(monkeypatch):
    async def story(rig, connect):
        first, _second = [await connect() for _ in range(2)]
        third, _writer = await connect()
        assert await until_closed(third) == b""
        first[1].write(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        assert statuses(await first[0].readuntil(b"/a")) == [200]

    run(story, monkeypatch, MAX_DOORS=2)


def test_a_stop_lets_the_answer_on_its_way_leave(monkeypatch):
    async def story(rig, connect):
        reader, writer = await connect()
        idle, _keep = await connect()
        writer.write(b"POST /wait HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n")
        await asyncio.sleep(0.05)
        rig.stop.set()
        assert await until_closed(idle) == b""
        rig.after.set_result(None)
        text = await until_closed(reader)
        assert statuses(text) == [200]
        assert b"connection: close" in text

    run(story, monkeypatch)
