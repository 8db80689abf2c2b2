"""A caller with a token, for the tests of the API."""

import json

import pytest

from hagukumi.accounts import services as accounts
from hagukumi.accounts.rules import SCOPES


@pytest.fixture
def call(client, admin, now):
    """`call("get", "/leads", scopes=[...], **query-or-body)` -> response; every scope by default."""
    plain = {}

    def send(method, path, body=None, *, scopes=SCOPES, query=None, **headers):
        key = tuple(scopes)
        if key not in plain:
            plain[key] = accounts.issue_token("テスト", list(scopes), admin, now)[1]
        headers = {"Authorization": f"Bearer {plain[key]}", **headers}
        if method == "get":
            return client.get(f"/api/v1{path}", query or {}, headers=headers)
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.generic(
            method.upper(), f"/api/v1{path}", data, content_type=headers.pop("Content-Type", "application/json"),
            headers=headers,
        )  # fmt: skip

    return send
