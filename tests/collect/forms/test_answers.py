"""What people answer is judged once, the same for the collector and the web page, in their language."""

import pytest

from hagukumi.kit import answers, tokens

FORM = answers.Definition(
    title_ja="お問い合わせ",
    consent="required",
    fields=(
        answers.Field("company", "text", "会社名", "Company", True, "company_name"),
        answers.Field("mail", "email", "メール", "E-mail", True, "email"),
        answers.Field("tel", "tel", "電話", "Phone", False, "phone"),
        answers.Field("users", "text", "人数", "Users", False, "users_expected"),
        answers.Field("when", "select", "時期", "When", False, "timeframe", (answers.Choice("半年以内"),)),
        answers.Field("line", "text", "系統", "Line", False, "fields.line"),
        answers.Field("tour", "checkbox", "見学したい", "Tour"),
    ),
)
AT = 1_800_000_000.0
GOOD = {"company": "青葉製作所", "mail": "a@aoba.example.co.jp", answers.CONSENT: "on"}


def started(seconds_ago=10.0):
    return {answers.STARTED: answers.started_token(3, AT - seconds_ago)}


def judge(language="ja", **given):
    return answers.validate(FORM, {**GOOD, **started(), **given}, language, at=AT)


def test_good_answers_become_values():
    outcome = judge(tel="０３－１２３４－５６７８", users="1,200名", when="半年以内", tour="on", line=" A\x00B ")
    assert outcome.ok
    assert outcome.consent
    assert outcome.values == {
        "company": "青葉製作所", "mail": "a@aoba.example.co.jp", "tel": "03-1234-5678", "users": 1200,
        "when": "半年以内", "line": "AB", "tour": True,
    }  # fmt: skip
    assert answers.lead_row(FORM, outcome.values) == {
        "company_name": "青葉製作所", "email": "a@aoba.example.co.jp", "phone": "03-1234-5678", "users_expected": 1200,
        "timeframe": "半年以内", "fields": {"line": "AB"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "japanese", "english"),
    [
        ({"company": " "}, "company", "入力してください。", "Please fill this in."),
        ({"mail": "a@b"}, "mail", "メールアドレスの形", "check the e-mail"),
        ({"tel": "12345"}, "tel", "電話番号を確かめて", "check the phone"),
        ({"users": "many"}, "users", "数字で", "enter a number"),
        ({"when": "いつか"}, "when", "一覧から", "from the list"),
        ({"company": "あ" * 201}, "company", "200 文字まで", "200 characters"),
        ({answers.CONSENT: ""}, answers.CONSENT, "同意が必要", "agreement is needed"),
    ],
)
def test_each_mistake_is_named_beside_its_field_in_both_languages(given, field, japanese, english):
    assert japanese in judge("ja", **given).errors[field]
    assert english in judge("en", **given).errors[field]


@pytest.mark.parametrize("address", ["a..b@docomo.ne.jp", "ab.@ezweb.ne.jp", "ａ@aoba.example.co.jp", "x+y@日本.jp"])
def test_addresses_that_exist_in_japan_pass(address):
    assert judge(mail=address).ok


@pytest.mark.parametrize("address", ["a b@x.jp", "a@x.jp\nBcc: b@x.jp", "<a@x.jp>", "a@x", "@x.jp", "a@x.jp,b@x.jp"])
def test_what_is_no_address_does_not(address):
    assert "mail" in judge(mail=address).errors


def test_a_filled_trap_is_a_robot():
    assert judge(**{answers.TRAP: "https://spam.example"}).trap


def test_a_page_that_was_never_handed_out_is_a_robot():
    assert judge(**{answers.STARTED: "made-up"}).trap
    assert judge(**{answers.STARTED: tokens.seal("click", 3, int(AT) - 10)}).trap


def test_too_quick_and_too_late_are_said():
    assert "早すぎ" in judge(**started(0)).errors[""]
    assert "reload" in judge("en", **started(answers.MAX_SECONDS + 5)).errors[""]


def test_a_redirect_goes_to_the_web_only():
    assert answers.safe_redirect("javascript:alert(1)") == ""
    assert answers.safe_redirect("//evil.example/") == ""
    assert answers.safe_redirect("https://www.aoba.example.co.jp/ok") == "https://www.aoba.example.co.jp/ok"


def test_language_of_a_browser():
    assert answers.language_of("en-US,en;q=0.9,ja;q=0.8") == "en"
    assert answers.language_of("ja,en;q=0.8") == "ja"
    assert answers.language_of("fr") == "ja"
