"""計測タグ: sites, signs of life, pages and what they mean."""

import uuid
from datetime import timedelta

import pytest

from hagukumi.collect.tracking import rules
from hagukumi.collect.tracking.models import Drop, Inbox, Page, Site
from hagukumi.kit import clock
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db


def test_a_site_is_kept_by_its_origin(signed_in, marketer):
    client = signed_in(marketer)
    client.post("/tracking/sites/", {"name": "本社", "origin": "https://WWW.Aoba.example.co.jp/path?x=1"})
    assert Site.objects.get().origin == "https://www.aoba.example.co.jp"
    bad = client.post("/tracking/sites/", {"name": "x", "origin": "javascript:alert(1)"})
    assert bad.status_code == 422
    assert "アドレスの形" in bad.content.decode()


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("www.aoba.co.jp", "https://www.aoba.co.jp"),
        ("http://localhost:8080/x", "http://localhost:8080"),
        ("https://青葉.jp", "https://xn--6s1au30b.jp"),
    ],
)
def test_origins(given, origin):
    assert rules.origin(given) == origin


def test_the_tag_is_alive_when_it_was_heard(signed_in, marketer):
    now = clock.now()
    Site.objects.create(origin="https://www.aoba.example.co.jp", name="本社", created_at=now)
    client = signed_in(marketer)
    assert "まだ届いていません" in client.get("/tracking/live/").content.decode()
    Inbox.objects.create(event_id=uuid.uuid4(), at=now - timedelta(seconds=5), kind="view", visitor="visitor-0001",
                         url="https://www.aoba.example.co.jp/")  # fmt: skip
    beat(now)
    assert "動いています" in client.get("/tracking/live/").content.decode()


def test_hostile_titles_are_escaped_and_pages_can_be_marked(signed_in, marketer):
    now = clock.now()
    Inbox.objects.create(event_id=uuid.uuid4(), at=now, kind="view", visitor="visitor-0001",
                         url="https://www.aoba.example.co.jp/price", title="<img src=x onerror=alert(1)>")  # fmt: skip
    beat(now)
    settle(now + timedelta(seconds=30))
    client = signed_in(marketer)
    text = client.get("/tracking/pages/").content.decode()
    assert "&lt;img src=x" in text
    assert "<img src=x" not in text
    page = Page.objects.get()
    assert client.post(f"/tracking/pages/{page.pk}/category/", {"category": "price"}).status_code == 302
    assert client.post(f"/tracking/pages/{page.pk}/category/", {"category": "<x>"}).status_code == 422
    page.refresh_from_db()
    assert page.category == "price"
    assert "ありません" in client.get("/tracking/pages/?category=case").content.decode()


def test_drops_are_shown_with_their_reason(signed_in, marketer):
    Drop.objects.create(day=clock.jst_date(clock.now()), reason="bot", count=1234)
    text = signed_in(marketer).get("/tracking/drops/").content.decode()
    assert "ボット" in text
    assert "1,234" in text


def test_every_reason_of_the_collector_has_words():
    from hagukumi.collector.pipeline import Drop as Reason

    assert {reason.value for reason in Reason} <= set(rules.DROP_REASONS)
