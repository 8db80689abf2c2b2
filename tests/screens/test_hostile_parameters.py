"""Every screen's parameters, filled with what nobody means: no screen breaks. Chance is seeded, the run bounded."""

import inspect
import io
import random
import re
import sys

import pytest
from django import forms as django_forms
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

from hagukumi.accounts.models import User
from hagukumi.channels.outbox.models import Delivery
from hagukumi.demo import company
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers.models import Handover

SEED = 20261126
ROUNDS = 4
"""Requests of each method to a screen, each with every parameter filled by chance."""
VALUES = (
    "\x00",
    "a\x00b",
    "",
    " ",
    "-1",
    "0",
    "1",
    "9" * 19,
    "9" * 30,
    "-" + "9" * 30,
    "1e400",
    "NaN",
    "٣",
    "²",
    "1.5",
    "abc",
    "あ" * 300,
    "x" * 5000,
    "\r\n",
    "/\n/evil.example",
    "//evil.example",
    "http://[",
    "https://[::1",
    "javascript:alert(1)",
    "%",
    "%s",
    "%(x)s",
    "_",
    "\\",
    "'",
    '"',
    "'; DROP TABLE lead; --",
    "{after}",
    "{{ 7*7 }}",
    "{% x %}",
    "<script>",
    "../../etc/passwd",
    "2026-13-45",
    "9999-12-31T23:59:59+00:00",
    "0001-01-01",
    "2026-11-20T01:00:00+00:00~99999999999999999999",
    "1.99999999999999999999999",
    "99999999999999999999.1",
    "1_9",
    "2026-11-20T00:00:00+00:00_99999999999999999999",
    "infinity.1",
    "1e308.1",
    "null",
    "true",
    "[]",
    "{}",
    "[" * 200,
    '{"type": "all", "items": [' * 30,
    '{"schema":1,"type":"all","items":[{"type":"field"}]}',
    '{"schema": 1, "type": "score", "min": 1e400}',
    "\u202e",
    "😀",
    "ﷺ" * 50,
    "tag:x",
    "on",
    "save",
    "add",
    "start",
)
ALWAYS = (
    "q",
    "after",
    "before",
    "page",
    "next",
    "state",
    "sender",
    "lead",
    "act",
    "do",
    "tree",
    "show",
    "months",
    "v",
    "node",
)
_READ = re.compile(r"""(?:GET|POST|query|post|data)\s*(?:\.get|\.getlist|\.pop)?\s*[(\[]\s*f?["']([\w-]+)["']""")
BODIES = (
    (b"", "application/json"),
    (b"{", "application/json"),
    (b'{"act": NaN, "q": [[[' + b"[" * 5000, "application/json"),
    (b"\xff\xfe\x00", "text/plain"),
    (b"\xff\xfe\x00", ""),
    (b"a=%ff%00&act=%&do=%zz", "application/x-www-form-urlencoded"),
    (b"act=\x82\xa0", "application/x-www-form-urlencoded; charset=nonsense"),
    (b"act=+ADw-", "application/x-www-form-urlencoded; charset=utf-7"),
    (b'--x\r\nContent-Disposition: form-data; name="act"\r\n\r\n\x00', "multipart/form-data; boundary=x"),
    (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="\x00"\r\n\r\nx\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    (b"--x--", "multipart/form-data"),
    (b"", "multipart/form-data; boundary=" + "x" * 300),
)
"""What no page of ours sends: bodies that are not what they say they are."""
SLUGS = ("interest", "x", "catalog")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def _walk(patterns, prefix=""):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def _parameters(view) -> list[str]:
    """What the view's module reads of a request, and the fields of its forms."""
    module = sys.modules[view.__module__]
    names = set(ALWAYS) | set(_READ.findall(inspect.getsource(module)))
    for _name, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, django_forms.BaseForm):
            names |= set(getattr(found, "base_fields", {}))
    return sorted(names)


def _filled(route: str, numbers: dict[str, object], number: object, slug: str) -> str:
    def fill(hole):
        return str(numbers.get(hole.group(2), number)) if hole.group(1) == "int" else slug

    return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", fill, route)


def _addresses(route: str, client) -> list[str]:
    """The screen of something that is there, where its number is found, and of something that cannot be."""
    if "<" not in route:
        return ["/" + route]
    known: dict[str, object] = {}
    for model, name in ((Deal, "deal_id"), (Handover, "handover_id"), (Delivery, "delivery_id")):
        if name in route and (one := model.objects.order_by("id").first()):
            known = {"lead_id": one.lead_id, name: one.id}
    tries = (_filled(route, known, number, slug) for slug in SLUGS for number in range(1, 9))
    real = next((address for address in tries if client.get(address).status_code not in (404, 400)), None)
    return [*filter(None, [real]), _filled(route, {}, "9" * 25, "a%00b"), _filled(route, {}, 2**63 - 1, "あ")]


def _send(client, address, body, kind):
    """One POST of a body as it is, taken back."""
    with transaction.atomic():
        answer = client.generic("POST", address, body, content_type=kind)
        transaction.set_rollback(True)
    return answer.status_code


def test_every_screen_is_asked():
    """What stands in the table of addresses and is no screen of this walk is the API, which has a tester of its own."""
    left_out = {route for route, view in _walk(get_resolver().url_patterns) if not getattr(view, "roles", None)}
    assert {route for route in left_out if not route.startswith("api/")} == set()
    assert "api/v1/leads" in left_out


def _ask(client, method, address, given):
    """One request whose effects are taken back, so that every request meets the same house."""
    with transaction.atomic():
        answer = getattr(client, method)(address, given)
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    return answer.status_code


def test_no_parameter_of_any_screen_breaks_it(now, signed_in, client, tmp_path, settings):
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"
    company.build(now, leads=30)
    chance = random.Random(SEED)
    inside = signed_in(User.objects.filter(role="admin").first())
    for one in (inside, client):
        one.raise_request_exception = False
    broken: dict[str, tuple] = {}
    asked = 0
    for route, view in _walk(get_resolver().url_patterns):
        if not getattr(view, "roles", None) or route == "logout/":  # the API has a tester of its own
            continue
        names = _parameters(view)
        for address in _addresses(route, inside):
            for method in ("get", "post"):
                for turn in range(ROUNDS):
                    given = {name: chance.choice(VALUES) for name in names if chance.random() < 0.7}
                    who = client if view.roles == ("public",) and turn % 2 else inside
                    asked += 1
                    if _ask(who, method, address, given) >= 500:
                        broken.setdefault(f"{method} {route}", (address, given))
            for body, kind in BODIES:
                if _send(inside, address, body, kind) >= 500:
                    broken.setdefault(f"post {route} {kind}", (address, body))
    assert not broken, "\n".join(f"{where}: {what}" for where, what in broken.items())
    assert asked > 1000


@pytest.mark.parametrize(
    ("method", "address", "given"),
    [
        ("get", "/leads/?q=%00", {}),
        ("get", "/leads/", {"after": "9" * 400}),
        ("get", "/segments/1/", {"after": "2026-11-20T00:00:00+00:00_" + "9" * 40}),
        ("get", "/companies/", {"after": "9" * 40}),
        ("get", "/tracking/pages/", {"after": "9" * 19 + "." + "9" * 19}),
        ("get", "/imports/", {"before": "9" * 40}),
        ("get", "/messages/", {"before": "9" * 40}),
        ("get", "/deals/", {"page": "9" * 30}),
        ("post", "/messages/templates/preview/", {"sender": "abc", "mjml": "x"}),
        ("post", "/language/", {"language": "en", "next": "/\n/x"}),
        ("post", "/deals/1/1/stage/", {"stage": "a\x00b"}),
    ],
)
def test_what_broke_once(method, address, given, admin, signed_in, now):
    inside = signed_in(admin)
    inside.raise_request_exception = False
    assert getattr(inside, method)(address, given).status_code < 500


def test_a_file_of_1200_headings_is_answered_in_words(admin, signed_in, now, tmp_path, settings):
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"
    inside = signed_in(admin)
    inside.raise_request_exception = False
    heads = ",".join(f"列{n}" for n in range(1200))
    file = io.BytesIO(f"{heads}\n{','.join('x' * 1200)}\n".encode())
    file.name = "wide.csv"
    answer = inside.post("/imports/new/", {"file": file, "source_name": "幅", "source_type": "card"}, follow=True)
    assert answer.status_code < 500
    if "/imports/" in (answer.redirect_chain or [("", 0)])[-1][0]:
        mapping = {f"c{n}": "" for n in range(1200)}
        assert inside.post(answer.redirect_chain[-1][0], {**mapping, "act": "start"}).status_code < 500
