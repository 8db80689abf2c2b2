"""Errors are problem details with the right status; every operation asks for its scope."""

import re

import pytest

from hagukumi.accounts.rules import SCOPES
from hagukumi.integrations.api import auth, docs
from hagukumi.integrations.api.app import api

SCHEMA = api.get_openapi_schema()
OPERATIONS = [
    (method, re.sub(r"{[^}]+}", "1", path).removeprefix("/api/v1"), operation.get("x-scope", ""))
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]


def is_problem(answer, status):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    return True


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_without_a_token_401(client, db, method, path, scope):
    answer = getattr(client, method)(f"/api/v1{path}", content_type="application/json")
    assert is_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_without_the_scope_403(call, method, path, scope):
    others = [one for one in SCOPES if one != scope] if scope else []
    assert is_problem(call(method, path, {}, scopes=others), 403)


@pytest.mark.parametrize(("method", "path", "scope"), [one for one in OPERATIONS if one[2]])
def test_with_the_scope_it_opens(call, method, path, scope):
    assert call(method, path, {}, scopes=[scope]).status_code not in (401, 403, 500)


def test_every_scope_opens_something():
    assert {scope for _method, _path, scope in OPERATIONS if scope} == set(SCOPES)


def test_addresses_and_methods_that_are_not_there(call):
    assert is_problem(call("get", "/nothing"), 404)
    assert is_problem(call("delete", "/leads"), 405)
    assert "GET" in call("delete", "/leads")["Allow"]


def test_bodies_that_are_no_json(call):
    assert is_problem(call("post", "/leads", b"{"), 400)
    assert is_problem(call("post", "/leads", b"[" * 100_000), 400)
    assert is_problem(call("post", "/leads", b"email=a", **{"Content-Type": "application/x-www-form-urlencoded"}), 415)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "あ", "\x00", "a" * 199])
@pytest.mark.parametrize("path", ["/leads", "/deliveries", "/leads/{}/timeline", "/segments/{}/members"])
def test_a_foreign_cursor_is_400(call, people, now, path, cursor):
    from hagukumi.judge.segments.models import Segment

    (lead,) = people(1)
    segment = Segment.objects.create(name="s", tree={}, created_at=now, updated_at=now)
    path = path.format(segment.id if "segments" in path else lead)
    assert is_problem(call("get", path, query={"cursor": cursor}), 400)


@pytest.mark.parametrize("key", ["", "あ", "a b", "x" * 121])
def test_a_key_that_is_no_key_is_422(call, key):
    assert call("post", "/leads", {"email": "a@midori.co.jp"}, **{"Idempotency-Key": key}).status_code == 422


def test_too_many_requests_are_429(call, monkeypatch):
    monkeypatch.setattr(auth, "REQUESTS_PER_MINUTE", 2)
    answers = [call("get", "/me").status_code for _ in range(4)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_what_breaks_inside_is_a_500_problem(call, monkeypatch):
    monkeypatch.setattr("hagukumi.overview.leads.reads.page", lambda *_, **__: 1 / 0)
    assert is_problem(call("get", "/leads"), 500)


def test_english_where_asked(call):
    assert "token" in call("get", "/me", scopes=[], **{"Accept-Language": "en"}).json()["title"].lower()


def test_the_readable_page_shows_every_operation(client, signed_in, marketer):
    text = signed_in(marketer).get("/api/docs").content.decode()
    for path in SCHEMA["paths"]:
        assert path in text
    assert "<code>Idempotency-Key</code>" in text, "headers by their written names"
    assert "idempotency_key" not in text
    assert client.get("/api/docs").status_code == 302
    summaries = {operation["summary"] for methods in SCHEMA["paths"].values() for operation in methods.values()}
    assert summaries == {str(words) for words in docs.SUMMARIES}


def test_the_description_is_public(client, db):
    assert client.get("/api/openapi.json").json()["openapi"].startswith("3.")
