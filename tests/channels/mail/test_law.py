"""The law's gate looks at the finished mail: what is missing there is named, and nothing goes out."""

import email
from dataclasses import replace

import pytest

from hagukumi.channels.mail import document, law, render, rules, services
from hagukumi.channels.mail.identity import Identity
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.mail.text import language_of
from hagukumi.channels.outbox.models import Delivery

IDENTITY = Identity(
    "青葉", "news@aoba.example.jp", "", "株式会社 青葉 & 子会社", "東京都千代田区丸の内1-1", "03-1234-5678",
    "https://m.example.jp", "https://t.example.jp",
)  # fmt: skip
HIDDEN = (
    '<mj-section><mj-column><mj-raw><div style="display:none"></mj-raw></mj-column></mj-section>',
    "<mjml><mj-body><mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section></mj-body></mjml>",
)


def found(source, *, identity=IDENTITY, kind="marketing", text="", for_real=True):
    compiled = render.compile_mail(
        subject="s", preheader="", source=source, text=text, kind=kind, identity=identity, tracked=False
    )
    return law.problems(compiled, identity, kind, for_real=for_real)


@pytest.mark.parametrize(
    "source",
    ["こんにちは", "<mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section>", HIDDEN[1],
     HIDDEN[1].replace("</mj-body>", "</mj-body >"), HIDDEN[1].replace("</mj-body>", "</mj-body\n>"),
     "<mj-section><mj-column><mj-text>a <!-- </mj-text> --></mj-text></mj-column></mj-section>"],
)  # fmt: skip
def test_a_mail_that_shows_everything_may_go(source):
    assert found(source) == []
    assert found("本文", text="自分で書いたテキスト") == []


def test_what_the_finished_html_does_not_show_is_named(monkeypatch):
    monkeypatch.setattr(document, "to_mjml", lambda source, **more: f"<mjml><mj-body>{source}</mj-body></mjml>")
    problems = found("<mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section>")
    for item in rules.DISPLAY_ITEMS.values():
        assert any(f"HTML 版に「{item}」" in problem for problem in problems)
    assert not any("テキスト版" in problem for problem in problems)


def test_a_footer_that_nobody_can_see_does_not_count():
    reader = law._Visible()
    reader.feed(
        '<body><div style="display: none"><p>株式会社青葉</p><a href="https://m/u/x">x</a></div><p>見える</p></body>'
    )
    assert ("".join(reader.out).split(), reader.links) == (["見える"], [])


@pytest.mark.parametrize("value", [".", "-", "　", "なし", "N/A", "xxx", "・・・", "未定", "ー"])
@pytest.mark.parametrize("name", ["legal_name", "postal_address", "contact"])
def test_an_item_that_says_nothing_is_missing(name, value):
    assert any(
        str(rules.DISPLAY_ITEMS[name]) in problem for problem in found("a", identity=replace(IDENTITY, **{name: value}))
    )


@pytest.mark.parametrize(
    "address", ["aoba@gmail.com", "a@YAHOO.co.jp", "a@mail.yahoo.co.jp", "a@docomo.ne.jp", "a@qq.com"]
)
def test_a_free_mail_domain_is_no_sender(address):
    assert any("無料メール" in problem for problem in found("a", identity=replace(IDENTITY, email=address)))
    assert rules.free_mail_domain("a@gmail.com.aoba.jp") == ""


@pytest.mark.parametrize(
    ("changed", "word"),
    [({"base_url": "http://m.example.jp"}, "https"), ({"collector_url": "http://t.example.jp"}, "クリック計測"),
     ({"base_url": "https://localhost:8000"}, "この計算機"), ({"collector_url": "https://127.0.0.1"}, "この計算機"),
     ({"base_url": "https://192.168.1.5"}, "この計算機"), ({"base_url": "https://hagukumi"}, "この計算機")],
)  # fmt: skip
def test_links_must_lead_somewhere_for_people_once_a_real_server_is_set(changed, word):
    identity = replace(IDENTITY, **changed)
    assert any(word in problem for problem in found("a", identity=identity))
    assert found("a", identity=identity, for_real=False) == []


def test_an_operational_mail_needs_no_stop_link_but_its_sender():
    assert found("a", kind="operational") == []
    assert len(found("a", kind="operational", identity=replace(IDENTITY, contact=""))) == 1


def test_an_english_mail_has_an_english_footer_and_says_so():
    mail = render.compile_mail(
        subject="Hello {{ 姓 }}", preheader="", source="Dear {{ last_name }} of {{ company_name }},\n\nnews.", text="",
        kind="marketing", identity=IDENTITY, tracked=False,
    ).render({}, 1, 2)  # fmt: skip
    assert '<html lang="en"' in mail.html and ">Unsubscribe</a>" in mail.html and "Contact: 03-1234-5678" in mail.html
    assert "Unsubscribe: https://m.example.jp/u/" in mail.text
    assert mail.subject == "Hello Customer"
    assert "Dear Customer of your company" in mail.text
    assert language_of("Hello", "", "日本 {{ x }}", "") == "ja"
    assert language_of("", "", "{{ 姓 }}", "") == "ja", "nothing said: the house's language"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changed", "word"), [({"legal_name": "."}, "正式名称"), ({"email": "a@gmail.com"}, "無料メール")]
)
def test_neither_a_broadcast_nor_the_sender_lets_an_unlawful_mail_out(
    message, consenting, queue, deliver, script, changed, word
):
    Sender.objects.update(**changed)
    message.refresh_from_db()
    assert any(word in problem for problem in services.problems(message))
    (lead,) = consenting(1)
    queue(message, [lead])
    deliver()
    mail = Delivery.objects.get()
    assert (mail.state, mail.reason) == ("failed", "law_missing")
    assert word in mail.receipt
    assert script.mails == []


@pytest.mark.django_db(transaction=True)
def test_ten_of_ten_mails_of_a_whole_document_carry_the_items(message, consenting, queue, deliver, script):
    Message.objects.update(mjml=HIDDEN[1].replace("</mj-body>", "</mj-body >"))
    queue(message, consenting(10))
    deliver()
    assert len(script.mails) == 10
    for _to, content in script.mails:
        parts = list(email.message_from_bytes(content).walk())[1:]
        for part in parts:
            words = part.get_payload(decode=True).decode()
            assert (
                "株式会社青葉" in words and "東京都千代田区丸の内1-1" in words and "https://mail.example.jp/u/" in words
            )
