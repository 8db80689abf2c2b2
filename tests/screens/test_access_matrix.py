"""The authorisation matrix: every screen and every API operation, for every role and for a stranger."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from hagukumi.accounts.rules import ROLES

DUMMIES = {"int": "1", "slug": "x", "str": "x", "uuid": "00000000-0000-0000-0000-000000000001", "path": "x"}
FINE = {200, 204, 302, 400, 404, 405, 410, 422}


def _walk(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def _address(route: str) -> str:
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda match: DUMMIES[match.group(1) or "str"], route)


SCREENS = [(route, view) for route, view in _walk(get_resolver().url_patterns) if not route.startswith("api/")]


def _named(screens):
    return pytest.mark.parametrize(("route", "view"), screens, ids=[route or "(home)" for route, _view in screens])


@_named(SCREENS)
def test_every_screen_says_who_may_open_it(route, view):
    roles = getattr(view, "roles", None)
    assert roles, f"{route} wears neither @access nor @public"
    assert roles == ("public",) or set(roles) <= set(ROLES)


@_named([(route, view) for route, view in SCREENS if getattr(view, "roles", ()) == ("public",)])
def test_public_screens_answer_a_stranger(route, view, client, db, admin):
    assert client.get(_address(route)).status_code in FINE | {403}


@_named([(route, view) for route, view in SCREENS if getattr(view, "roles", ("public",)) != ("public",)])
def test_staff_screens(route, view, client, signed_in, admin, marketer, seller):
    """Whom a screen does not know it sends to the sign-in, whom it does not serve it refuses, by GET and by POST.

    405 may come before either, as long as the method that is served is guarded.
    """
    address = _address(route)
    answers = [client.get(address), client.post(address)]
    assert all(_turned_away(answer) or answer.status_code == 405 for answer in answers)
    assert any(_turned_away(answer) for answer in answers)
    for member in (admin, marketer, seller):
        inside = signed_in(member)
        found = {inside.get(address).status_code, inside.post(address).status_code}
        if member.role in view.roles:
            assert found <= FINE, f"{address} as {member.role}: {found}"
        else:
            assert found <= {403, 405}, f"{address} as {member.role}: {found}"
            assert 403 in found


def _turned_away(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/login/?next=")


def _operations():
    from hagukumi.integrations.api.app import api

    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method, re.sub(r"{[^}]+}", "1", path)


@pytest.mark.parametrize(("method", "address"), list(_operations()))
def test_the_api_knows_no_stranger(method, address, client, db):
    answer = getattr(client, method)(address, data={}, content_type="application/json")
    assert answer.status_code == 401
    wrong = getattr(client, method)(
        address, data={}, content_type="application/json", HTTP_AUTHORIZATION="Bearer hgk_wrong"
    )
    assert wrong.status_code == 401


@pytest.mark.parametrize(("method", "address"), list(_operations()))
def test_a_token_without_a_scope_may_nothing(method, address, client, admin, now):
    from hagukumi.accounts.services import issue_token

    _token, plain = issue_token("何もできないトークン", [], admin, now)
    answer = getattr(client, method)(
        address, data={}, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {plain}"
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(("method", "address"), list(_operations()))
def test_a_session_is_no_token(method, address, signed_in, admin):
    answer = getattr(signed_in(admin), method)(address, data={}, content_type="application/json")
    assert answer.status_code == 401
