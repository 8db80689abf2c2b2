"""Japanese text rules: what must match matches, what a person typed stays."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hagukumi.kit import ja

TEXT = st.text(max_size=40)


@given(TEXT)
def test_keys_are_stable(text):
    assert ja.fold(ja.fold(text)) == ja.fold(text)


@given(TEXT)
def test_a_name_taken_apart_loses_nothing(text):
    found = ja.person(text)
    assert set((found.last + found.first).replace(" ", "")) <= set(text)


@given(TEXT)
def test_no_cell_written_out_is_run_by_a_spreadsheet(text):
    written = ja.escape_formula(text)
    shown = unicodedata.normalize("NFKC", ja.visible(written)).strip()
    assert shown[:1] not in ("=", "+", "-", "@") or re.fullmatch(r"[+-][\d\s().-]*", written.strip())
    assert ja.unescape_formula(written) == text


@given(TEXT)
def test_phones_are_e164_or_nothing(text):
    number, _ = ja.phone(text)
    assert number == "" or (number.startswith("+") and number[1:].isdigit() and len(number) <= 16)


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (("株式会社青葉", "㈱青葉", "（株）青葉", "(株) 青葉", "㍿青葉"), "株式会社青葉"),
        (("青葉株式会社", "青葉　㈱", "青葉(株)"), "青葉株式会社"),
        (("有限会社青葉", "㈲青葉"), "有限会社青葉"),
        (("青葉(同)", "青葉合同会社"), "青葉合同会社"),
        (("青葉", " 青葉 "), "青葉"),
    ],
)
def test_a_company_in_every_spelling_has_one_key_and_another_legal_form_is_another_company(spellings, key):
    assert {ja.company_key(name) for name in spellings} == {key}


def test_the_legal_form_and_where_it_stood():
    assert ja.company("㈱青葉") == ja.CompanyName("青葉", "株式会社", "front")
    assert ja.company("日本ﾘﾃｰﾙ（株）　") == ja.CompanyName("日本リテール", "株式会社", "back")
    assert ja.company("株式会社") == ja.CompanyName("株式会社", "", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋", "高橋"),
        ("山﨑", "山崎"),
        ("渡邊", "渡辺"),
        ("渡邉", "渡辺"),
        ("齋藤", "斎藤"),
        ("斉藤", "齊藤"),
        ("濱田", "浜田"),
        ("澤", "沢"),
    ],
)
def test_variant_kanji_match(one, other):
    assert ja.fold(one) == ja.fold(other)


@pytest.mark.parametrize("address", ["ab.@docomo.ne.jp", "a..b@ezweb.ne.jp", "m_x+1@sub.example.co.jp"])
def test_addresses_that_old_phones_made_are_taken(address):
    assert ja.is_email(address)


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "a b@example.jp", "a@-x.jp", "a@example", "a@b@example.jp", "x" * 250 + "@a.jp"]
)
def test_what_is_no_address_is_refused(address):
    assert not ja.is_email(address)


def test_addresses_in_full_width():
    assert ja.email(" ｇｏｔｏ８４＠ｄｅｎｋｉ４８．ｅｘａｍｐｌｅ．ｃｏｍ") == "goto84@denki48.example.com"
    assert ja.is_role_address("info@example.jp") and not ja.is_role_address("infante@example.jp")


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("zero@example.jp\u200b", "zero@example.jp"),
        ("\ufeffbom@example.jp", "bom@example.jp"),
        ("\u202artl@example.jp\u202c\xa0", "rtl@example.jp"),
        ("ctl@\x0bexample.jp", "ctl@example.jp"),
        ("天野 遥 <Haruka@example.jp>", "haruka@example.jp"),
        ("a@example.jp; b@example.jp", "a@example.jp"),
        ("trail@example.jp.", "trail@example.jp"),
        ("taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
        ("（退職）t@example.jp", ""),
        ("山田@example.jp", ""),
        ('"hon da"@example.jp', ""),
    ],
)
def test_an_address_that_is_taken_can_be_mailed(cell, address):
    assert ja.is_email(ja.email(cell)) == bool(address)
    if address:
        assert ja.email(cell) == address


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("092ー6829ー5244", ("+819268295244", "")),
        ("09221485376", ("+819221485376", "")),
        ("０５２－８９６２－２６８５", ("+815289622685", "")),
        ("312345678", ("+81312345678", "")),
        ("03-1234-5678 内線 12", ("+81312345678", "12")),
        ("+81 (0)3-1234-5678", ("+81312345678", "")),
        ("090-1234-5678", ("+819012345678", "")),
        ("0120-123-456", ("+81120123456", "")),
        ("+1 650-253-0000", ("+16502530000", "")),
        ("なし", ("", "")),
        ("abc", ("", "")),
        ("9.01235E+10", ("", "")),
        ("03-1111-2222/090-3333-4444", ("+81311112222", "")),
    ],
)
def test_phones(typed, stored):
    assert ja.phone(typed) == stored


def test_phones_are_shown_as_japan_writes_them():
    assert ja.show_phone("+81312345678", "12") == "03-1234-5678 内線12"


@pytest.mark.parametrize(
    ("name", "last", "first", "sure"),
    [
        ("田中　花子", "田中", "花子", True),
        ("齋藤由美", "齋藤", "由美", True),
        ("五十嵐亮", "五十嵐", "亮", True),
        ("林真由美", "林", "真由美", True),
        ("長谷川 亮 様", "長谷川", "亮", True),
        ("Taro Yamada", "Yamada", "Taro", True),
        ("Yamada, Taro", "Yamada", "Taro", True),
        ("María García López", "García López", "María", True),
        ("John F. Kennedy", "Kennedy", "John F.", True),
        ("Ludwig van Beethoven", "van Beethoven", "Ludwig", True),
        ("蓬莱屋一郎", "蓬莱", "屋一郎", False),
        ("", "", "", False),
    ],
)
def test_names(name, last, first, sure):
    found = ja.person(name)
    assert (found.last, found.first, found.confidence >= 0.8) == (last, first, sure)


@pytest.mark.parametrize(
    ("title", "band"),
    [
        ("代表取締役社長", "exec"),
        ("執行役員 営業本部長", "exec"),
        ("CEO", "exec"),
        ("ＣＴＯ", "exec"),
        ("VP Marketing", "exec"),
        ("部長", "manager"),
        ("課長代理", "manager"),
        ("マネージャー", "manager"),
        ("室長", "manager"),
        ("Sales Manager", "manager"),
        ("係長", "staff"),
        ("主任", "staff"),
        ("担当", "staff"),
        ("社長室", "staff"),
        ("", ""),
    ],
)
def test_titles_have_a_band(title, band):
    assert ja.rank(title) == band


def test_places():
    assert ja.prefecture("東京都千代田区丸の内1-2-3") == "東京都"
    assert ja.prefecture("横浜市西区") == "神奈川県"
    assert ja.prefecture("", "812-0011") == "福岡県"
    assert (ja.postal_code("〒８１２－００１１"), ja.postal_code("600001"), ja.postal_code("x")) == (
        "812-0011",
        "060-0001",
        "",
    )


def test_dates():
    assert str(ja.moment("2026-10-22 12:50")) == "2026-10-22 12:50:00"
    assert [
        str(ja.day(text))
        for text in ("2026/4/1", "2026年4月1日", "令和8年4月1日", "R8.4.1", "20260401", "2026/2/30", "春")
    ] == [
        *["2026-04-01"] * 5,
        "None",
        "None",
    ]


@pytest.mark.parametrize(
    ("typed", "jst"),
    [
        ("2026-01-05T09:00:00Z", "2026-01-05 18:00:00"),
        ("2026-01-05T20:30:00.123+00:00", "2026-01-06 05:30:00"),
        ("2026-01-05T00:30:00+09:00", "2026-01-05 00:30:00"),
        ("Mon, 5 Jan 2026 10:00:00 +0900", "2026-01-05 10:00:00"),
        ("2026/1/5 午後8時", "2026-01-05 20:00:00"),
        ("2026年1月5日(月) 午前0時15分", "2026-01-05 00:15:00"),
        ("2026/1/5 8:00 PM", "2026-01-05 20:00:00"),
        ("Jan 5, 2026 12:00 AM", "2026-01-05 00:00:00"),
        ("2026/1/5 12:00 PM", "2026-01-05 12:00:00"),
        ("2026年1月5日 20時", "2026-01-05 20:00:00"),
        ("2026/01/05 24:00", "2026-01-06 00:00:00"),
        ("46027", "2026-01-05 00:00:00"),
        ("46027.5", "2026-01-05 12:00:00"),
        ("5-Jan-26", "2026-01-05 00:00:00"),
        ("5 January 2026", "2026-01-05 00:00:00"),
        ("26/1/5", "2026-01-05 00:00:00"),
        ("R8.1.5 9:05", "2026-01-05 09:05:00"),
        ("令和元年5月1日", "2019-05-01 00:00:00"),
        ("13/1/2026", "2026-01-13 00:00:00"),
        ("2026/1/5 夕方", "2026-01-05 00:00:00"),
        ("12345", "None"),
        ("2026/13/5", "None"),
    ],
)
def test_times_of_day_zones_and_what_spreadsheets_make_of_them(typed, jst):
    assert str(ja.moment(typed)) == jst


def test_a_date_with_two_readings_is_known_as_one():
    assert (str(ja.day("05/01/2026")), str(ja.moment("05/01/2026", day_first=True))) == (
        "2026-05-01",
        "2026-01-05 00:00:00",
    )
    assert [ja.has_two_readings(text) for text in ("05/01/2026", "05/05/2026", "13/1/2026", "2026/5/1")] == [
        True,
        False,
        False,
        False,
    ]


def test_kana():
    assert ja.kana(" やまだ　ﾊﾅｺ ") == "ヤマダ ハナコ"


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+SUM(A1)", "-2+3+cmd|' /C calc'!A0", '=HYPERLINK("x")'),
        *(
            "＝1+1",
            "＋SUM(A1)",
            "－1+cmd|x",
            "＠SUM(1)",
            " =1+1",
            "\ufeff=1+1",
            "\u200b\u3000@SUM(1)",
            "\t=1",
            "\r\n=1",
        ),
        *("-A/Bテスト", "@IT"),
    ],
)
def test_formulas_are_seen_in_any_width_and_behind_blanks(cell):
    assert ja.escape_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "-", "+81-3-1111-2222", "-90", "株式会社=青葉", "'090", "a@example.jp"])
def test_what_only_looks_like_one_is_not(cell):
    assert ja.escape_formula(cell) == cell
