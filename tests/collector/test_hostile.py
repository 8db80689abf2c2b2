"""What strangers send: nothing of it is a 500, fills the log, or stops what others send."""

import asyncio
import json
import time
import uuid
from itertools import product
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hagukumi.collector import app, house, wire
from hagukumi.collector.http import Request
from hagukumi.kit import answers

SITE = "https://www.aoba.example.co.jp"
DEEP = "[" * 900 + "]" * 900


def event(**fields):
    return json.dumps({"v": "visitor-0001", "e": [{"k": "view", "u": f"{SITE}/", **fields}]})


def raw(fields):
    return f'{{"v":"visitor-0001","e":[{{"k":"custom","u":"{SITE}/",{fields}}}]}}'


MALFORMED = {
    "900 nested arrays": raw(f'"d":{{"a":{DEEP}}}'),
    "30,000 nested arrays": raw('"d":{"a":' + "[" * 30_000 + "]" * 30_000 + "}"),
    "nested objects": raw('"d":' + '{"a":' * 900 + "1" + "}" * 900),
    "nine levels": raw('"d":{"a":[[[[[[[[1]]]]]]]]}'),
    "a number without end": raw('"n":' + "9" * 5_000),
    "a time without end": raw('"t":1e999'),
    "half a character": raw('"ti":"\\ud800"'),
    "a list for a text": raw('"ti":["a"]'),
    "no body": "",
}
TAKEN = {
    "NUL everywhere": {"ti": "a\x00b", "d": {"k\x00": ["\x00", {"\x00": "\x00"}]}, "r": "https://a.example/\x00"},
    "a bracket in the address": {"k": "download", "u": "https://[utm_"},
    "parameters without end": {"u": f"{SITE}/?utm_source=x" + "&a=1" * 400},
    "a number next to nothing": {"k": "custom", "n": 1e-50},
    "numbers too large for an integer": {"k": "custom", "d": {"a": 10**40, "b": 1e308}},
    "details too large to keep": {"k": "custom", "d": {"a": "x" * 20_000}},
    "our own words": {"k": "custom", "d": {"by": "human", "why": "staff", "arrival": "x", "utm": 1, "name": "見積"}},
    "a backslash at the end": {"ti": "\\", "r": "https://a.example/\\"},
    "the end of COPY": {"ti": "\\.", "d": {"a": "\\.\n"}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_batch_is_a_400_and_counted(collector, name):
    assert collector.ask("POST", "/e", MALFORMED[name], Origin=SITE)[0] == 400
    assert collector.drops() == {"malformed": 1}
    assert not collector.rows("drop_reason = ''")


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_only_odd_is_kept_beside_the_others(collector, name):
    own = str(uuid.uuid4())
    assert collector.say(TAKEN[name], {"id": own}) == 204
    assert own in {str(row["event_id"]) for row in collector.rows("drop_reason = ''")}
    assert len(collector.rows("drop_reason = ''")) == 2


def test_a_page_cannot_speak_for_us(collector):
    collector.say(TAKEN["our own words"])
    assert collector.rows()[0]["details"] == {"name": "見積"}


def test_a_good_event_is_kept_beside_a_malformed_one(collector):
    body = raw(f'"d":{{"a":{DEEP[450:-450]}}}').replace('"e":[', f'"e":[{{"k":"view","u":"{SITE}/"}},')
    assert collector.ask("POST", "/e", body, Origin=SITE)[0] == 204
    assert len(collector.rows("drop_reason = ''")) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"a":' + "[" * 30_000, "application/json", 400),
        (f'{{"a":{DEEP}}}', "application/json", 400),
        ('{"email":%s}' % ("9" * 5_000), "application/json", 400),
        ('{"email":"\\ud800"}', "application/json", 400),
        ("&" * 1_000, "application/x-www-form-urlencoded", 400),
        ("a=1&" * 300, "application/x-www-form-urlencoded", 400),
        ("last_name=%00&email=%00%ff", "application/x-www-form-urlencoded", 422),
        (b"\xff\xfe", "\xff", 422),
    ],
)
def test_answers_that_are_none(collector, body, content_type, status):
    assert collector.ask("POST", "/f/catalog", body, Origin=SITE, Content_Type=content_type)[0] == status
    assert not collector.rows("drop_reason = ''")


def test_NUL_in_an_answer_is_not_kept(collector):
    started = answers.started_token(31, time.time() - 5)
    told = {"last_name": "佐\x00藤", "email": "sato@aoba.example.co.jp", "_started": started, "_visitor": "v\x00"}
    form = "application/x-www-form-urlencoded"
    status, _, said = collector.ask("POST", "/f/catalog", urlencode(told), Origin=SITE, Content_Type=form)
    assert (status, list(json.loads(said)["errors"])) == (422, ["last_name"])
    assert not collector.rows("drop_reason = ''")


TOKENS = ["", "/", "%00", "あ", "A" * 8_000, "=" * 40, "....", "AAAA", "%", "-_-_", "\u00ff"]


def test_addresses_made_up(collector):
    for way, token in product(("/c/", "/o/", "/f/", "/e", "/"), TOKENS):
        for method in ("GET", "POST", "OPTIONS", "HEAD", "PUT"):
            status = collector.ask(method, way + quote(token, safe="/=."), Origin=SITE)[0]
            assert 400 <= status < 500 or (method, status) == ("OPTIONS", 204)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"k": st.sampled_from(["view", "custom", "download", "dwell"]) | st.text(max_size=5)},
        optional={
            "u": st.builds(str.__add__, st.sampled_from([f"{SITE}/", f"{SITE}/?utm_a="]), st.text(max_size=40)) | JSON,
            "id": st.uuids().map(str) | JSON, "t": JSON, "ti": JSON, "r": JSON, "n": st.floats() | JSON, "d": JSON,
        },
    ),
    max_size=4,
)  # fmt: skip
BATCHES = st.fixed_dictionaries(
    {"v": st.just("visitor-0001") | JSON, "e": EVENTS | JSON}, optional={"s": JSON, "a": JSON}
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A collector that has no database and answers in this process; what it raises is seen here."""
    rooms = house.House(home=tmp_path_factory.mktemp("alone"), database_url="", base_url=SITE)
    return app.App(rooms)


def answered(alone, request):
    """The status, and every line that would go to the database."""

    async def ask():
        answer = alone(request)
        lines, alone.house.buffer._lines = alone.house.buffer._lines, []
        alone.house.buffer._done = None
        return answer.status, lines

    return asyncio.run(ask())


AGENT = {"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130", "origin": SITE, "content-type": "text/plain"}


@settings(max_examples=400, deadline=None)
@given(body=BATCHES.map(json.dumps).map(str.encode) | JSON.map(json.dumps).map(str.encode) | st.binary(max_size=200))
def test_no_body_whatever_breaks_the_way_in(alone, body):
    status, lines = answered(alone, Request("POST", "/e", AGENT, body))
    assert status in (204, 400, 413)
    for line in lines:
        assert line.count("\t") == len(wire.COLUMNS) - 1
        assert line.endswith("\n")
        assert "\x00" not in line


@settings(max_examples=200, deadline=None)
@given(token=st.text(max_size=60), way=st.sampled_from(["/c/", "/o/", "/f/", "/"]))
def test_no_address_whatever_breaks_it(alone, token, way):
    status, lines = answered(alone, Request("GET", way + token, AGENT))
    assert 400 <= status < 500 or way + token in ("/tag.js", "/health")
    assert not lines
