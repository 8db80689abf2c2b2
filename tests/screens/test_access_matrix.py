"""The authorisation matrix: every screen and every API operation, for every role and for a stranger.

The tables are the truth and are written by hand: the product is held against them, never they against the product.
"""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from hagukumi.accounts.rules import ROLES, SCOPES

# who may GET and who may POST: A administrators, M marketing, S sales, all: strangers too, -: the method is not served
TABLE = """
GET  POST
AMS  AMS  /api/docs
all  all  /api/openapi.json
AMS  AMS  /
all  all  /login/
all  all  /login/inactive/
all  all  /logout/
all  all  /setup/
all  all  /welcome/<str:uid>/<str:token>/
AMS  AMS  /profile/
-    all  /language/
A--  A--  /settings/members/
-    A--  /settings/members/invite/
-    A--  /settings/members/<int:pk>/link/
-    A--  /settings/members/<int:pk>/role/
-    A--  /settings/members/<int:pk>/active/
A--  A--  /settings/tokens/
-    A--  /settings/tokens/<int:pk>/revoke/
A--  A--  /settings/workspace/
A--  A--  /settings/audit/
A--  A--  /settings/audit/limits/
A--  A--  /settings/audit.csv
-    A--  /settings/members/<int:pk>/second-step/
AMS  AMS  /profile/security/
-    AMS  /profile/security/sessions/
AMS  AMS  /profile/security/confirm/
AMS  AMS  /profile/security/confirm/code/
AMS  AMS  /profile/security/confirm/passkey/
AMS  AMS  /profile/security/app/
AMS  AMS  /profile/security/app/remove/
AMS  -    /profile/security/codes/
AMS  AMS  /profile/security/codes/new/
AMS  AMS  /profile/security/codes/file/
AMS  AMS  /profile/security/passkeys/
AMS  AMS  /profile/security/passkeys/new/
AMS  AMS  /profile/security/passkeys/<int:pk>/remove/
all  all  /login/second-step/
all  all  /login/passkey/
AM-  -    /imports/
AM-  AM-  /imports/new/
AM-  AM-  /imports/<int:import_id>/
-    AM-  /imports/<int:import_id>/cancel/
AM-  -    /imports/<int:import_id>/rejects.csv
AM-  -    /imports/<int:import_id>/result.csv
AMS  -    /sources/
AM-  AM-  /sources/new/
AM-  AM-  /sources/<int:source_id>/
AM-  -    /forms/
AM-  AM-  /forms/new/
AM-  AM-  /forms/<int:pk>/
-    AM-  /forms/<int:pk>/state/
AM-  AM-  /forms/<int:pk>/edit/
-    AM-  /forms/<int:pk>/preview/
AM-  -    /forms/<int:pk>/answers/
AM-  AM-  /forms/<int:pk>/held/
AM-  -    /forms/<int:pk>/answers.csv
all  all  /f/<slug:slug>
all  -    /f/<slug:slug>/thanks
AM-  -    /tracking/
-    AM-  /tracking/sites/
-    AM-  /tracking/sites/<int:pk>/remove/
AM-  -    /tracking/live/
AM-  -    /tracking/pages/
-    AM-  /tracking/pages/<int:pk>/category/
AM-  -    /tracking/drops/
AMS  AMS  /leads/
-    AM-  /leads/tag/
-    AM-  /leads/tag/undo/
AMS  AMS  /leads/export/
AMS  AMS  /leads/<int:lead_id>/
AMS  AMS  /leads/<int:lead_id>/timeline/
-    AM-  /leads/<int:lead_id>/verdict/
AMS  AMS  /leads/<int:lead_id>/facts/<str:key>/
-    AMS  /leads/<int:lead_id>/note/
-    AMS  /leads/<int:lead_id>/tag/
-    AMS  /leads/<int:lead_id>/state/
-    AM-  /leads/<int:lead_id>/consent/
A--  A--  /leads/<int:lead_id>/privacy/
-    A--  /leads/<int:lead_id>/privacy/export/
AMS  AMS  /companies/
AMS  AMS  /companies/<int:company_id>/
AMS  AMS  /companies/<int:company_id>/edit/
AMS  AMS  /segments/
AM-  AM-  /segments/new/
AMS  AMS  /segments/<int:segment_id>/
AM-  AM-  /segments/<int:segment_id>/edit/
-    AM-  /segments/<int:segment_id>/archive/
AMS  AMS  /segments/<int:segment_id>/why/<int:lead_id>/
-    AMS  /conditions/preview/
AMS  AMS  /scenarios/
AM-  AM-  /scenarios/new/
AMS  AMS  /scenarios/<int:scenario_id>/
AMS  -    /scenarios/<int:scenario_id>/counts/<int:number>.json
AM-  AM-  /scenarios/<int:scenario_id>/edit/
-    AM-  /scenarios/<int:scenario_id>/rename/
AM-  AM-  /scenarios/<int:scenario_id>/publish/
-    AM-  /scenarios/<int:scenario_id>/<str:act>/turn/
AMS  AMS  /scenarios/<int:scenario_id>/people/<int:number>/
AM-  -    /scenarios/<int:scenario_id>/try/
AMS  AMS  /messages/
AM-  AM-  /messages/new/
AMS  AMS  /messages/<int:broadcast_id>/
AM-  AM-  /messages/<int:broadcast_id>/deliveries.csv
-    AM-  /messages/<int:broadcast_id>/resend/
-    AM-  /messages/<int:broadcast_id>/<slug:act>/
AMS  AMS  /messages/templates/
AM-  AM-  /messages/templates/new/
-    AM-  /messages/templates/preview/
-    AM-  /messages/templates/check/
AM-  AM-  /messages/templates/<int:message_id>/
-    AM-  /messages/templates/<int:message_id>/test/
-    AM-  /messages/templates/<int:message_id>/archive/
AM-  AM-  /messages/senders/
AM-  AM-  /messages/senders/new/
AM-  AM-  /messages/senders/<int:sender_id>/
-    AM-  /messages/senders/<int:sender_id>/archive/
-    AM-  /messages/resend/<int:lead_id>/<int:delivery_id>/
AM-  AM-  /messages/suppressions/
-    AM-  /messages/suppressions/lift/
AMS  AMS  /learn/mail/
all  all  /u/<str:token>/
all  all  /u/<str:token>
all  all  /k/<str:token>
AM-  -    /content/
AM-  AM-  /content/new/
AM-  AM-  /content/<int:pk>/
AM-  -    /content/<int:pk>/file/
all  -    /d/<str:token>
AMS  AMS  /scoring/
AMS  AMS  /scoring/versions/<int:version_id>/
AM-  AM-  /scoring/<int:model_id>/draft/
AM-  AM-  /scoring/<int:model_id>/draft/rules/new/
AM-  AM-  /scoring/<int:model_id>/draft/rules/<slug:key>/
-    AM-  /scoring/<int:model_id>/draft/rules/<slug:key>/delete/
-    AM-  /scoring/<int:model_id>/publish/
-    AM-  /scoring/<int:model_id>/discard/
AMS  AMS  /phases/
AMS  AMS  /phases/<slug:model_key>/move/<int:lead_id>/
AMS  AMS  /phases/<slug:model_key>/rules/
AM-  AM-  /phases/<slug:model_key>/rules/new/
AM-  AM-  /phases/<slug:model_key>/rules/<int:rule_id>/
-    AM-  /phases/<slug:model_key>/rules/<int:rule_id>/delete/
AMS  AMS  /handovers/
AMS  AMS  /handovers/<int:lead_id>/<int:handover_id>/
-    A-S  /handovers/<int:lead_id>/<int:handover_id>/accept/
-    A-S  /handovers/<int:lead_id>/<int:handover_id>/return/
-    AMS  /leads/<int:lead_id>/hand-over/
AMS  AMS  /deals/
A-S  A-S  /leads/<int:lead_id>/deals/new/
AMS  AMS  /deals/<int:lead_id>/<int:deal_id>/
-    A-S  /deals/<int:lead_id>/<int:deal_id>/stage/
-    A-S  /deals/<int:lead_id>/<int:deal_id>/close/
AMS  AMS  /funnel/
AMS  AMS  /plan/
AM-  AM-  /plan/save/
A--  A--  /settings/health/
-    A--  /settings/health/<slug:owner>/<int:object_id>/again/
"""

# which scope a token needs, and no other one is enough; any: whichever it has
OPERATIONS = """
any              GET   /api/v1/me
leads:read       GET   /api/v1/leads
leads:write      POST  /api/v1/leads
leads:read       GET   /api/v1/leads/{lead_id}
activity:read    GET   /api/v1/leads/{lead_id}/timeline
leads:erase      GET   /api/v1/leads/{lead_id}/everything
leads:erase      DELETE /api/v1/leads/{lead_id}
activity:write   POST  /api/v1/activities
segments:read    GET   /api/v1/segments
segments:read    GET   /api/v1/segments/{segment_id}/members
deliveries:read  GET   /api/v1/deliveries
"""

INITIALS = {"admin": "A", "marketing": "M", "sales": "S"}
DUMMIES = {"int": "1", "slug": "x", "str": "x", "uuid": "00000000-0000-0000-0000-000000000001", "path": "x"}
FINE = {200, 204, 302, 400, 404, 410, 422}
"""How a screen answers whom it lets in, here about things that are not there."""

SCREENS = [tuple(line.split()) for line in TABLE.strip().splitlines()[1:]]
CALLS = [tuple(line.split()) for line in OPERATIONS.strip().splitlines()]


def _walk(patterns, prefix="/"):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def _address(route: str) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>|{\w+}", lambda match: DUMMIES[match.group(1) or "int"], route)


def test_every_address_of_the_product_has_its_row():
    """A new address without a row fails here, and so does a row whose address is gone. Ninja's bare root is a 404."""
    found = [route for route in _walk(get_resolver().url_patterns) if not re.match(r"/api/(v1/.*)?$", route)]
    assert sorted(route for _get, _post, route in SCREENS) == sorted(set(found))


def test_every_operation_of_the_api_has_its_row():
    from hagukumi.integrations.api.app import api

    paths = api.get_openapi_schema()["paths"].items()
    found = [(method.upper(), path) for path, methods in paths for method in methods]
    assert sorted((method, path) for _scope, method, path in CALLS) == sorted(found)
    assert {scope for scope, _method, _path in CALLS} == {*SCOPES, "any"}
    assert set(INITIALS) == set(ROLES)


@pytest.mark.parametrize(("get", "post", "route"), SCREENS, ids=[route for _get, _post, route in SCREENS])
def test_a_screen_lets_in_whom_the_table_names(get, post, route, client, signed_in, admin, marketer, seller):
    """The others are refused (403), strangers are sent to the sign-in, and nobody gets by with another method."""
    address = _address(route)
    for method, cell in (("get", get), ("post", post)):
        answer = getattr(client, method)(address)
        said = f"{method} {address} as a stranger: {answer.status_code}"
        if cell == "all":
            assert answer.status_code in FINE | {403} and not _turned_away(answer), said
        else:
            assert _turned_away(answer) or (cell == "-" and answer.status_code == 405), said
        for member in (admin, marketer, seller):
            status = getattr(signed_in(member), method)(address).status_code
            said = f"{method} {address} as {member.role}: {status}"
            if cell == "-":
                assert status in (403, 405), said
            elif cell == "all":
                assert status in FINE | {403}, said  # /login/inactive/ says 403 to everybody: that is its message
            elif INITIALS[member.role] in cell:
                assert status in FINE, said
            else:
                assert status == 403, said


@pytest.mark.parametrize(("get", "post", "route"), SCREENS, ids=[route for _get, _post, route in SCREENS])
def test_no_other_method_is_a_way_in(get, post, route, client, signed_in, marketer, seller):
    address = _address(route)
    if "all" in (get, post):
        return
    for method in ("head", "put", "patch", "delete", "options"):
        answer = getattr(client, method)(address)
        assert _turned_away(answer) or answer.status_code == 405, f"{method} {address}: {answer.status_code}"
        for member in (marketer, seller):
            if INITIALS[member.role] not in get + post:
                status = getattr(signed_in(member), method)(address).status_code
                assert status in (403, 405), f"{method} {address} as {member.role}: {status}"


def _turned_away(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/login/?next=")


@pytest.fixture
def knock(client, admin, now):
    """Calls an operation with a token of these scopes; returns the status."""
    from hagukumi.accounts.services import issue_token

    def call(method: str, path: str, *scopes: str) -> int:
        _token, plain = issue_token("試験", scopes, admin, now)
        return _ask(client, method, path, HTTP_AUTHORIZATION=f"Bearer {plain}")

    return call


def _ask(client, method: str, path: str, **headers) -> int:
    asked = getattr(client, method.lower())
    return asked(_address(path), data={}, content_type="application/json", **headers).status_code


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_the_api_knows_no_stranger(scope, method, path, client, signed_in, admin):
    assert _ask(client, method, path) == 401
    assert _ask(client, method, path, HTTP_AUTHORIZATION="Bearer hgk_wrong") == 401
    assert _ask(signed_in(admin), method, path) == 401, "a session is no token"


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_an_operation_asks_for_the_scope_of_the_table(scope, method, path, knock):
    assert knock(method, path) == 403
    for one in SCOPES:
        status = knock(method, path, one)
        assert status in FINE if scope in ("any", one) else status == 403, f"{method} {path} with {one}: {status}"
