"""What every answer says to browsers and proxies: nothing is kept, nothing is guessed, https stays https."""

import pytest
from django.test import Client

from hagukumi.collect.forms import services as forms
from hagukumi.collect.tracking import rules
from hagukumi.collect.tracking import services as tracking

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/", "/leads/", "/settings/audit/", "/profile/", "/leads/export/", "/settings/audit.csv", "/nowhere/"]
)
def test_no_page_about_people_is_kept(path, admin, signed_in):
    answer = signed_in(admin).get(path)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/login/", "/setup/", "/u/x/", "/k/x", "/api/v1/me"])
def test_nor_is_a_public_one(path, admin):
    assert "no-store" in Client().get(path).headers["Cache-Control"]


def test_https_stays_https_where_our_address_is_https(admin, settings):
    assert "Strict-Transport-Security" not in Client().get("/login/").headers
    settings.SESSION_COOKIE_SECURE = True
    assert Client().get("/login/").headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example.jp;script-src *",
        "https://a.example.jp script-src",
        "https://*.example.jp",
        "https://a.example.jp'",
        "https://a_b.example.jp",
        "https://-a.example.jp",
        "https://a..example.jp",
        "javascript://example.jp",
        "https://a.example.jp:99999",
        "https://" + "a" * 64 + ".jp",
    ],
)
def test_a_site_whose_address_would_be_a_policy_of_its_own_is_refused(address, now):
    with pytest.raises((ValueError, UnicodeError)):
        tracking.add_site(address, name="x", now=now)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://www.example.co.jp/path?x=1", "https://www.example.co.jp"),
        ("例え.jp", "https://xn--r8jz45g.jp"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("WWW.Example.JP.", "https://www.example.jp"),
    ],
)
def test_a_site_s_address_is_written_one_way(address, origin):
    assert rules.origin(address) == origin


def test_what_was_stored_before_cannot_open_the_policy_either(now):
    from hagukumi.collect.tracking.models import Site

    Site.objects.create(name="x", origin="https://a.example.jp; script-src *", created_at=now)
    Site.objects.create(name="y", origin="https://b.example.jp", created_at=now)
    made = forms.create(name="資料", slug="catalog", kind="download", now=now)
    made.refresh_from_db()
    forms.set_state(made, "open", now)
    policy = Client().get("/f/catalog").headers["Content-Security-Policy"]
    assert "https://b.example.jp" in policy and "a.example.jp" not in policy


def test_files_of_the_front_end_are_not_guessed_at(admin, settings):
    found = sorted(settings.STATIC_DIST.rglob("*.js")) if settings.STATIC_DIST.is_dir() else []
    if not found:
        pytest.skip("the front end is not built")
    answer = Client().get(f"/static/{found[0].relative_to(settings.STATIC_DIST)}")
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "max-age=3600" in answer.headers["Cache-Control"]
