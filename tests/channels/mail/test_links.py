"""Links as people write them in Japanese: where one ends, what a value in one becomes, what is no link at all."""

import re

import pytest

from hagukumi.channels.mail import links, render, slips
from hagukumi.channels.mail.identity import Identity

IDENTITY = Identity(
    "青葉", "news@aoba.example.jp", "", "株式会社青葉", "東京都千代田区1-1", "https://aoba.example.jp/contact",
    "https://m.example.jp", "https://t.example.jp",
)  # fmt: skip


def made(source, text="", values=None, tracked=False):
    compiled = render.compile_mail(
        subject="件名", preheader="", source=source, text=text, kind="marketing", identity=IDENTITY, tracked=tracked
    )
    return compiled, compiled.render(values or {}, 7, 42)


def hrefs(html):
    return [url.replace("&amp;", "&") for url in re.findall(r'<a href="([^"]*)"', html) if "/u/" not in url]


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("詳しくはhttps://a.jp/b?c=1&d=2をご覧ください", "https://a.jp/b?c=1&d=2"),
        ("https://a.jp/b。つぎの文", "https://a.jp/b"),
        ("「https://a.jp/b」で", "https://a.jp/b"),
        ("（https://a.jp/b）で", "https://a.jp/b"),
        ("(https://a.jp/b)で", "https://a.jp/b"),
        ("https://a.jp/b、https", "https://a.jp/b"),
        ("https://a.jp/b.", "https://a.jp/b"),
        ("https://a.jp/wiki/A_(B)です", "https://a.jp/wiki/A_(B)"),
        ("HTTPS://A.jp/b　全角の空白", "HTTPS://A.jp/b"),
        ("**https://a.jp/b**", "https://a.jp/b"),
    ],
)
def test_an_address_ends_where_japanese_goes_on(written, address):
    assert [written[start:end] for start, end in links.find(written)] == [address]
    _compiled, done = made(written)
    assert hrefs(done.html) == [address]
    assert written.replace("**", "") in done.text.replace("\r\n", "\n")


@pytest.mark.parametrize("words", ["xhttps://a.jp", "https://", "http:/a.jp"])
def test_what_is_no_address(words):
    assert list(links.find(words)) == []


def test_the_words_around_a_tracked_link_stay_in_the_text_part():
    compiled, done = made("本文", text="詳しくはhttps://a.jp/bをご覧ください。（https://a.jp/c）", tracked=True)
    assert compiled._links == ["https://a.jp/b", "https://a.jp/c"]
    assert re.search(
        r"詳しくはhttps://t\.example\.jp/c/[\w-]+をご覧ください。（https://t\.example\.jp/c/[\w-]+）", done.text
    )
    assert "お問い合わせ: https://aoba.example.jp/contact" in done.text, "the contact is shown, not led round"


def test_brackets_inside_an_address_do_not_cut_it():
    _compiled, done = made("[育成](https://ja.wikipedia.org/wiki/A_(B)) と [[押す]](https://a.jp/x_(y))")
    assert hrefs(done.html) == ["https://ja.wikipedia.org/wiki/A_(B)", "https://a.jp/x_(y)"]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("plus+tag@a.jp", "plus%2Btag%40a.jp"),
        ("A&B", "A%26B"),
        ("100%オフ", "100%25%E3%82%AA%E3%83%95"),
        ("a/b?c", "a%2Fb%3Fc"),
    ],
)
@pytest.mark.parametrize("tracked", [False, True])
def test_a_value_inside_an_address_is_percent_encoded(value, encoded, tracked):
    source = "{{ 会社名 }} [見る](https://a.jp/s?q={{ 会社名 }})\n\nhttps://a.jp/t?q={{ 会社名 }}"
    compiled, done = made(source, values={"会社名": value}, tracked=tracked)
    assert value in done.text, "outside an address it stays as it is"
    if tracked:
        filled = [compiled._filled_link(number, {"会社名": value}) for number in compiled._templated]
    else:
        filled = hrefs(done.html)
        assert f"https://a.jp/t?q={encoded}" in done.text
    assert filled == [f"https://a.jp/s?q={encoded}", f"https://a.jp/t?q={encoded}"]


@pytest.mark.parametrize(
    ("value", "link"),
    [("https://a.jp/?x=1&y=2", "https://a.jp/?x=1&y=2"), ("javascript:alert(1)", "https://m.example.jp")],
)
def test_a_value_that_is_a_link_as_a_whole_must_be_one(value, link):
    _compiled, done = made("[資料]({{ 項目.url }})", values={"項目": {"url": value}})
    assert [url.replace("&#x2f;", "/") for url in hrefs(done.html)] == [link]
    assert f"資料\r\n{link}\r\n" in done.text


@pytest.mark.parametrize(
    "words",
    ["%姓% 様", "%%FIRST_NAME%%", "{contactfield=firstname}", "{name} 様", "{姓}様", "*|FNAME|*", "${name}", "<<姓>>",
     "[[name]]", "｛｛姓｝｝", "｛姓｝", "##会社名##", "$$name$$", "{!Contact.Name}", "<%= name %>"],
)  # fmt: skip
def test_another_tools_placeholder_is_told_before_it_goes_out(words):
    source = f"# ご案内\n\n{words}"
    ((part, warning),) = slips.warnings(subject="", preheader="", source=source, text="")
    assert part == "mjml"
    assert warning.startswith("3行目") and words.split(" 様")[0].removesuffix("様") in warning
    assert [part for part, _words in slips.warnings(subject=words, preheader="", source="", text="")] == ["subject"]


@pytest.mark.parametrize(
    "words",
    ["[見る](https://a.jp/b c)", "[見る]（https://a.jp/b）", '<a href="https://a.jp">見る</a>', "<b>太字</b>",
     '<mj-text><a href="https://a.jp/b c">x</a></mj-text>'],
)  # fmt: skip
def test_a_link_that_is_none_and_pasted_html_are_told(words):
    assert [part for part, _words in slips.warnings(subject="", preheader="", source=words, text="")] == ["mjml"]


@pytest.mark.parametrize(
    "words",
    ["50%オフ、20%引き、100%", "{{ 姓 }} 様 {% if 名 %}a{% endif %}", "https://a.jp/%E3%81%82%E3%81%84?a=%20b%20",
     "[[押す]](https://a.jp)", "3 < 5 で 7 > 6", "<mj-style>p {color: red} %a%</mj-style><mj-section></mj-section>",
     "10% から 20% へ", "残り#1 #2", "①{{ 会社名|default(\"御社\") }}"],
)  # fmt: skip
def test_ordinary_words_are_left_alone(words):
    assert slips.warnings(subject="", preheader="", source=words, text=words) == []
