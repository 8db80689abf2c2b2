"""The bytes of a mail."""

import email
import email.policy
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hagukumi.channels.mail import mime, render, replies, rules
from hagukumi.channels.mail.compiled import Compiled
from hagukumi.channels.mail.identity import Identity
from hagukumi.kit import tokens

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
IDENTITY = Identity(
    "青葉 育成チーム",
    "news@aoba.example.jp",
    "",
    "株式会社青葉",
    "東京都千代田区丸の内1-1",
    "03-1234-5678",
    "https://mail.example.jp",
    "https://t.example.jp",
)
SOURCE = (
    "{{ 会社名 }} {{ 姓 }} 様\n\n[事例](https://www.example.jp/case?a=1&b=2)\n\n"
    "[[資料]](https://www.example.jp/d/{{ 姓 }})"
)


def compiled(**changes) -> Compiled:
    given = {
        "subject": "{{ 姓 }}様へ",
        "preheader": "",
        "source": SOURCE,
        "text": "",
        "kind": "marketing",
        "identity": IDENTITY,
    }
    return render.compile_mail(**(given | changes))


def read(content: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


@pytest.fixture(autouse=True)
def _key(settings, monkeypatch):
    monkeypatch.setenv("HAGUKUMI_SECRET_KEY", "only-for-tests")


def test_every_byte_of_a_mail():
    content = compiled(source="{{ 姓 }} 様").fill({"姓": "山田"}, "y@example.jp", 7, 42, NOW)
    assert content == Path(__file__).with_name("mail.eml").read_bytes()


def test_what_a_reader_sees():
    mail = read(compiled().fill({"姓": "髙﨑", "会社名": "㈱青葉"}, "y@example.jp", 7, 42, NOW))

    assert mail["Subject"] == "髙﨑様へ"
    assert mail["From"] == "青葉 育成チーム <news@aoba.example.jp>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = mail["List-Unsubscribe"].removeprefix("<https://mail.example.jp/u/").removesuffix(">")
    assert tokens.unseal("unsubscribe", token) == ([7, 42], "")
    for kind in ("plain", "html"):
        body = mail.get_body((kind,)).get_content()
        assert "㈱青葉 髙﨑 様" in body
        for item in ("株式会社青葉", "東京都千代田区丸の内1-1", "03-1234-5678", "いつでも停止できます", f"/u/{token}"):
            assert item in body
    assert "iso-2022-jp" not in mail.as_string().lower()


def test_links_and_pixel_lead_to_the_collector():
    done = compiled().render({"姓": "山田"}, 7, 42)
    links = [part.split('"')[0] for part in done.html.split("https://t.example.jp/c/")[1:]]
    assert [tokens.unseal("click", link) for link in links] == [
        ([7, 42, 0], "https://www.example.jp/case?a=1&b=2"),
        ([7, 42, 1], "https://www.example.jp/d/%E5%B1%B1%E7%94%B0"),
        ([7, 42, tokens.TRAP_LINK], "https://mail.example.jp"),
    ]
    pixel = done.html.split("https://t.example.jp/o/")[1].split(".gif")[0]
    assert tokens.unseal("open", pixel) == ([7, 42], "")
    assert "www.example.jp" not in done.html


@pytest.mark.parametrize("length", range(1, 121))
def test_a_subject_of_any_length_comes_back_exactly(length):
    pick = random.Random(length)
    alphabet = "あ漢字ｶﾅ髙﨑㈱①𠮷😀abc 1-?=_。"
    subject = "".join(pick.choice(alphabet) for _ in range(length)).strip() or "件"
    raw = mime.header("Subject", subject)
    assert all(len(line) <= 76 for line in raw.split(b"\r\n"))
    assert read(raw + b"\r\n")["Subject"] == subject


@pytest.mark.parametrize(
    "bad", ["x\r\nBcc: evil@example.jp", "x\nBcc: evil@example.jp", "x\r\n\r\n<h1>", "x\u2028Bcc: a@b.jp"]
)
def test_no_value_adds_a_header(bad):
    mail = read(compiled(subject="{{ 姓 }}").fill({"姓": bad}, "y@example.jp", 7, 42, NOW))
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "multipart/alternative"
    assert read(mime.mailbox("From", bad, "a@b.jp") + b"\r\n")["Bcc"] is None


@pytest.mark.parametrize(
    "written",
    ["{{ 姓 }}", "{{ 姓|safe }}", "<mj-section><mj-column><mj-text>{{ 姓 }}</mj-text></mj-column></mj-section>"],
)
def test_a_persons_data_is_never_html(written):
    done = compiled(source=written).render({"姓": "<img src=x onerror=alert(1)>"}, 7, 42)
    assert "<img src=x" not in done.html
    assert "&lt;img src=x" in done.html


def test_a_link_made_of_a_persons_data_cannot_be_a_script():
    done = compiled(source="[x]({{ 項目.url }})").render({"項目": {"url": "javascript:alert(1)"}}, 7, 42)
    assert "javascript" not in done.html
    link = done.html.split("https://t.example.jp/c/")[1].split('"')[0]
    assert tokens.unseal("click", link)[1] == "https://mail.example.jp"


def test_what_is_missing_has_a_fallback():
    done = compiled(source='{{ 会社名 }} {{ 姓 }} {{ 役職名|default("ご担当") }} {{ last_name }}').render({}, 7, 42)
    assert "貴社 ご担当者 ご担当 ご担当者" in done.text
    assert done.subject == "ご担当者様へ"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("a\n{{ 姓", "2行目の差し込みに誤り"),
        ("{{ 名字 }}", "「名字」という差し込み項目はありません"),
        ("{{ 項目.なし }}", "「項目.なし」という差し込み項目はありません"),
        ("<mj-section>\n<mj-colum></mj-colum></mj-section>", "2行目の <mj-colum> は使えません"),
        ("<mj-section><mj-column></mj-section>", "MJML の書き方に誤り"),
        ("<mj-section><mj-include path='/etc/passwd' /></mj-section>", "<mj-include> は使えません"),
        ("[x](javascript:alert(1))", "リンク先"),
        ("<mj-section><mj-column><mj-raw><script>1</script></mj-raw></mj-column></mj-section>", "スクリプト"),
        ("{% for i in range(99999999) %}x{% endfor %}", "1行目の差し込みに誤り"),
    ],
)
def test_mistakes_are_caught_on_saving(source, problem):
    found = render.check(subject="s", preheader="", source=source, text="", field_keys=frozenset({"budget"}))
    assert len(found) == 1 and found[0][0] == "mjml" and problem in found[0][1]


def test_an_operational_mail_has_no_stop_link():
    content = compiled(kind="operational").fill({}, "y@example.jp", 7, 42, NOW)
    assert b"List-Unsubscribe" not in content
    assert "株式会社青葉" in read(content).get_body(("plain",)).get_content()


def test_every_reason_and_state_is_written_out():
    assert all(str(text) for text in rules.REASONS.values())


@pytest.mark.parametrize(
    ("address", "quoted"),
    [("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'), ("ab.@ezweb.ne.jp", '"ab."@ezweb.ne.jp'), ("a.b@x.jp", "a.b@x.jp")],
)
def test_old_mobile_addresses(address, quoted):
    assert rules.sendable_address(address)
    assert rules.quoted_address(address) == quoted


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "a b@x.jp", "a@x.jp\r\nRCPT TO:<e@x.jp>", "あ@x.jp", "<a@x.jp>", "a@b@x.jp"]
)
def test_addresses_that_cannot_be_sent_to(address):
    assert not rules.sendable_address(address)


@pytest.mark.parametrize(
    ("reply", "stage", "unknown"),
    [
        ("550 5.1.1 no such user", "rcpt", True),
        ("550 User unknown", "rcpt", True),
        ("550 5.7.1 blocked, see user guide", "rcpt", False),
        ("554 rejected", "content", False),
        ("550 5.1.1 unknown", "content", True),
    ],
)
def test_which_answers_mean_a_dead_mailbox(reply, stage, unknown):
    assert replies.meaning(reply, stage).suppresses is unknown
