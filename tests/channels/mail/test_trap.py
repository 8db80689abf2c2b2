"""The link that no reader can see: in real mails, in a real browser, and through the digest to a verdict."""

import email
import email.policy
import re
from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.channels.mail.identity import Identity
from hagukumi.channels.mail.render import compile_mail
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collector import mail as collector
from hagukumi.collector import wire
from hagukumi.kit import tokens
from hagukumi.ledger.models import Activity
from hagukumi.worker.heart import settle

IDENTITY = Identity(
    "青葉", "news@aoba.example.jp", "", "株式会社青葉", "東京都千代田区丸の内1-1", "03-1234-5678",
    "https://mail.example.jp", "https://t.example.jp",
)  # fmt: skip
SOURCE = "[事例](https://www.example.jp/case)\n\n[資料](https://www.example.jp/download)"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("HAGUKUMI_SECRET_KEY", "only-for-tests")


def made(kind="marketing", source=SOURCE, **more):
    given = {"subject": "件", "preheader": "", "text": "", "identity": IDENTITY}
    return compile_mail(source=source, kind=kind, **given | more).render({}, 7, 42)


def links(words):
    """(number, target) of each click link in the order of the source."""
    sealed = [tokens.unseal("click", token) for token in re.findall(r"/c/([\w-]+)", words)]
    return [(numbers[2], target) for numbers, target in sealed]


@pytest.mark.parametrize(
    "source",
    [
        SOURCE,
        '<mj-section><mj-column><mj-text><a href="https://www.example.jp/">x</a></mj-text></mj-column></mj-section>',
    ],
)
def test_advertising_holds_it_once_in_its_html_and_never_in_its_text(source):
    done = made(source=source)
    assert [target for number, target in links(done.html) if number == tokens.TRAP_LINK] == ["https://mail.example.jp"]
    assert tokens.TRAP_LINK not in [number for number, _target in links(done.text)]


@pytest.mark.parametrize("other", [{"kind": "operational"}, {"tracked": False}])
def test_no_other_mail_holds_it(other):
    assert tokens.TRAP_LINK not in [number for number, _target in links(made(**other).html)]


STRIPPED = [
    "", r' tabindex="-1"', r' aria-hidden="true"', r' style="visibility[^"]*"', r' (?:tabindex|aria-hidden)="[^"]*"',
]  # fmt: skip


@pytest.mark.parametrize("stripped", STRIPPED)
def test_no_reader_sees_it_or_comes_to_it_by_keyboard(browser, stripped):
    """Whichever of its attributes a mail client takes away."""
    html = made().html
    trap = next(token for token in re.findall(r"/c/([\w-]+)", html) if tokens.unseal("click", token)[0][2] == 9_999)
    page = browser.new_page()
    page.set_content(re.sub(stripped, "", html) if stripped else html)
    link = page.locator(f'a[href*="{trap}"]')
    reached = set()
    for _press in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.href || ''"))
    box, heard = link.bounding_box(), page.locator("body").aria_snapshot()
    page.close()
    assert sum("/c/" in one for one in reached) == 2, "the reader's own links are reached"
    assert not any(trap in one for one in reached)
    assert box is None or box["width"] * box["height"] == 0
    assert trap not in heard


def click(token, at):
    """Follow a link as an unremarkable browser does; the collector's row lies in the inbox then."""
    followed = collector.read_click(token)
    line = collector.click_line(followed, at.timestamp(), collector.judge_click(followed, CHROME, "", ""))
    with connection.cursor() as cursor, cursor.copy(wire.COPY) as copy:
        copy.write(line)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("follows_the_trap", "told"), [(True, ["bot", "bot"]), (False, [None])])
def test_who_follows_it_in_a_mail_that_was_sent_is_a_machine(
    message, consenting, queue, deliver, script, follows_the_trap, told
):
    queue(message, consenting(1))
    deliver()
    ((_to, content),) = script.mails
    mail = email.message_from_bytes(content, policy=email.policy.default)
    html = mail.get_body(("html",)).get_content()
    assert tokens.TRAP_LINK not in [number for number, _target in links(mail.get_body(("plain",)).get_content())]
    later = Delivery.objects.get().sent_at + timedelta(hours=1)
    for token in re.findall(r"/c/([\w-]+)", html):
        if tokens.unseal("click", token)[0][2] != tokens.TRAP_LINK:
            click(token, later)
        elif follows_the_trap:
            click(token, later + timedelta(seconds=20))
    settle(later + timedelta(minutes=1))
    clicks = Activity.objects.filter(kind=12, object_id=message.pk).order_by("at")
    assert [(act.details or {}).get("by") for act in clicks] == told
