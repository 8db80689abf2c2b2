"""The columns of a lead: one line each, read by every door. Pure.

The doors: the lead's page (`people.fields.profile`), files (`people.fields.mapping`, `normalise`, the SQL of
`people.identity`), exports, forms and their answers, the API, and the conditions of segments. A new column is one line
here and one migration; `tests/people/fields/test_columns.py` walks all doors for every line.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from . import ja

RANKS = (("exec", "経営層", "Executive"), ("manager", "部課長", "Manager"), ("staff", "一般社員", "Staff"))
MAX_NUMBER = 2_000_000_000


class ColumnError(ValueError):
    """What was typed cannot be held: `code` (`people.fields.profile.REASONS`), and the column's `limit`."""

    def __init__(self, code: str, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


Value = str | int | None


@dataclass(frozen=True)
class Column:
    """One column of `lead`. `limit`: the most characters that are stored.

    `type`: text, area (several lines), kana, email, phone, postal_code, prefecture, choice (of `choices`: key,
    Japanese, English) or number. `group`: its place on the lead's page. `required`: リード成立 asks for it (M3).
    `aliases`: headings of files beside its labels, with _ for a blank. `follows`: it is worked out from that column
    unless a person sets it, and files do not bring it. `form`: a form may ask for it.
    """

    key: str
    ja: str
    en: str
    group: str
    type: str = "text"
    limit: int = 0
    aliases: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()
    required: bool = False
    follows: str = ""
    form: bool = True

    def label(self, language: str) -> str:
        return self.ja if language == "ja" else self.en

    def clean(self, typed: str) -> Value:
        """What is stored of what was typed, '' (a number: None) for nothing. ColumnError where it cannot be held."""
        if "\x00" in typed:
            raise ColumnError("control")
        value = _CLEAN[self.type](self, typed.strip())
        if self.limit and isinstance(value, str) and len(value) > self.limit:
            raise ColumnError("too_long", self.limit)
        return value


def _text(_: Column, typed: str) -> str:
    return ja.visible(typed).strip()


def _area(_: Column, typed: str) -> str:
    return typed


def _kana(_: Column, typed: str) -> str:
    return ja.kana(ja.visible(typed))


def _email(_: Column, typed: str) -> str:
    address = ja.email(typed)
    if address and (not ja.is_email(address) or len(ja.emails(typed)) > 1):  # a file alone may bring several
        raise ColumnError("bad_email")
    return address


def _read(rule: Callable[[str], str], code: str) -> Callable[[Column, str], str]:
    def clean(_: Column, typed: str) -> str:
        value = rule(typed)
        if typed and not value:
            raise ColumnError(code)
        return value

    return clean


def _choice(column: Column, typed: str) -> str:
    if typed and typed not in {key for key, _, _ in column.choices}:
        raise ColumnError("bad_choice")
    return typed


def _number(_: Column, typed: str) -> int | None:
    plain = re.sub(r"[,\s名人]", "", unicodedata.normalize("NFKC", typed))
    if not plain:
        return None
    if not plain.isascii() or not plain.isdigit() or int(plain[:20]) > MAX_NUMBER:
        raise ColumnError("bad_number")
    return int(plain)


LEFT_OUT = {
    "phone": "bad_phone",
    "postal_code": "bad_postal_code",
    "prefecture": "bad_prefecture",
    "choice": "bad_choice",
    "number": "bad_number",
}
"""Types that read what was typed, and the code where they cannot: in a file it costs the cell, not the person."""
_CLEAN: dict[str, Callable[[Column, str], Value]] = {
    "text": _text,
    "area": _area,
    "kana": _kana,
    "email": _email,
    "phone": _read(lambda typed: ja.phone(typed)[0], "bad_phone"),
    "postal_code": _read(ja.postal_code, "bad_postal_code"),
    "prefecture": _read(ja.prefecture_name, "bad_prefecture"),
    "choice": _choice,
    "number": _number,
}
_PREFECTURES = tuple((name, name, name) for name in ja.PREFECTURES)
_LINES = (
    Column("last_name", "姓", "Last name", "person", limit=60, required=True,
           aliases="苗字 名字 氏名[姓] last_name lastname 姓(漢字) surname family_name person_-_last_name 人物_-_姓"),
    Column("first_name", "名", "First name", "person", limit=60,
           aliases="氏名[名] first_name firstname 名(漢字) given_name person_-_first_name 名前(名) 人物_-_名"),
    Column("last_kana", "セイ", "Last name reading", "person", "kana", 60,
           aliases="せい 姓カナ 姓(カナ) 姓(フリガナ) 姓(ふりがな) 姓のフリガナ 姓フリガナ 氏名カナ[姓] last_kana"
           " 姓かな phonetic_last_name surname_yomi family_name_yomi"),
    Column("first_kana", "メイ", "First name reading", "person", "kana", 60,
           aliases="めい 名カナ 名(カナ) 名(フリガナ) 名(ふりがな) 名のフリガナ 名フリガナ 氏名カナ[名] first_kana"
           " 名かな phonetic_first_name given_yomi given_name_yomi"),
    Column("company_name", "会社名", "Company", "work", limit=200, required=True,
           aliases="企業名 御社名 貴社名 会社 社名 法人名 組織名 ご所属企業 勤務先 会社名・団体名 取引先名 company_name"
           " organization_1_-_name"
           " account_name organization organization_name person_-_organization company_or_account company_/_account"
           " 組織_-_名前 人物_-_組織 公司 firma"),
    Column("department", "部署", "Department", "work", limit=120, required=True,
           aliases="部署名 所属 ご所属 所属部署 部門 部門名 所属部門 部署名1 部署名2 部署1 部署2"
           " organization_department organization_1_-_department 部门"),
    Column("title", "役職", "Job title", "work", limit=120, required=True,
           aliases="役職名 お役職 肩書 肩書き title organization_title organization_1_-_title position 职位"),
    Column("rank", "職位", "Rank", "work", "choice", 10, choices=RANKS, follows="title", form=False),
    Column("email", "メールアドレス", "E-mail", "reach", "email", 254, required=True,
           aliases="メール email mail eメール メルアド email_address mail_address user_email メールアドレス1"
           " ご連絡先メール 会社e-mail 電子メール 電子メール_アドレス e-mailアドレス email1"
           " email_1 work_email e-mail_address e-mail_1_-_value person_-_email_-_work"
           " 人物_-_メール_-_仕事 邮箱"),
    Column("phone", "電話番号", "Phone", "reach", "phone", 30, required=True,
           aliases="tel直通 tel部門 tel会社 電話 お電話番号 ご連絡先電話番号 tel tel1 代表電話 会社電話番号"
           " 勤務先電話番号 直通電話 phone_number telephone 会社電話 電話番号1 business_phone work_phone"
           " phone_1_-_value phone_2_-_value phone_3_-_value person_-_phone_-_work"
           " 人物_-_電話_-_仕事 电话 telefon"),
    Column("phone_extension", "内線", "Extension", "reach", limit=10, follows="phone", form=False),
    Column("mobile", "携帯電話", "Mobile", "reach", "phone", 30,
           aliases="携帯 携帯番号 携帯電話番号 mobile_phone cell cell_phone 携帯電話1 mobile_phone_number"
           " person_-_phone_-_mobile 人物_-_電話_-_携帯 手机"),
    Column("postal_code", "郵便番号", "Postal code", "reach", "postal_code", 8, aliases="〒 会社〒 zip zip_code zipcode"
           " business_postal_code mailing_zip/postal_code zip/postal_code 会社_郵便番号"),
    Column("prefecture", "都道府県", "Prefecture", "reach", "prefecture", 10, choices=_PREFECTURES,
           aliases="都道府県名 都道府県/地域 会社_都道府県"),
    Column("address", "住所", "Address", "reach", limit=300,
           aliases="所在地 ご住所 会社住所 勤務先住所 住所1 住所2 会社住所1 会社住所2"
           " 市区町村 市区郡 市区 町域 町域名 町域・番地 町名・番地 町名番地 丁目番地 番地 建物"
           " 建物名 ビル名 建物名・部屋番号 会社_市区町村"
           " 会社_番地 street street_address business_street mailing_street city business_city mailing_city state"
           " state/region state/province business_state mailing_state/province address_1 address_2"
           " address_1_-_formatted"
           " address_line_1 address_line_2 street_address_line_1 state_province_region 地址"),
    Column("issue", "課題", "Issue", "need", "area", 4000,
           aliases="課題感 お問い合わせ内容 お問合せ内容 ご相談内容 ご感想・課題 お困りごと 現在の課題 ご質問・課題"),
    Column("timeframe", "導入時期", "Time frame", "need", limit=60, aliases="導入予定時期 検討時期 導入予定 timeframe"),
    Column("users_expected", "利用人数", "Users expected", "need", "number",
           aliases="想定利用人数 users_expected 人数"),
    Column("place", "利用場所", "Place of use", "need", limit=120, aliases="place 設置場所"),
)  # fmt: skip
COLUMNS: dict[str, Column] = {column.key: column for column in _LINES}
"""Every column of a lead that people know and tell, by key, in the order in which they are shown."""
TYPED = tuple(column for column in _LINES if not column.follows)
"""Those that files and other systems bring."""
REQUIRED = tuple(column.key for column in _LINES if column.required)


def sql_lists() -> dict[str, str]:
    """The lists of columns in the SQL that takes people in (`people/identity/intake.sql`), by name."""
    numbers = {column.key for column in COLUMNS.values() if column.type == "number"}
    changing = [column for column in COLUMNS.values() if not column.follows or column.key == "phone_extension"]

    def each(pattern: str, number: str = "", among: list[Column] | None = None) -> str:
        columns = list(COLUMNS.values()) if among is None else among
        return ", ".join((number or pattern if c.key in numbers else pattern).format(key=c.key) for c in columns)

    worked_out = [column for column in COLUMNS.values() if column not in changing]
    return {
        "lead_columns": each("{key}"),
        "incoming_columns": each("i.{key}"),
        "column_definitions": each("{key} text NOT NULL DEFAULT ''", "{key} int"),
        "record_definitions": each("{key} text", "{key} int"),
        "record_columns": each("coalesce(r.{key}, '')", "r.{key}"),
        "changing_keys": each("'{key}'", among=changing),
        "incoming_texts": each("i.{key}::text", "coalesce(i.{key}::text, '')", changing),
        "kept_texts": each("l.{key}::text", "coalesce(l.{key}::text, '')", changing),
        "column_updates": each("{key} = coalesce(x.{key}, l.{key})"),
        "changed_columns": ", ".join(
            [
                each("max(c.new) FILTER (WHERE c.col = '{key}') AS {key}",
                     "max(c.new::int) FILTER (WHERE c.col = '{key}') AS {key}", changing),
                *(f"max(i.{c.key}) FILTER (WHERE c.col = '{c.follows}') AS {c.key}" for c in worked_out),
            ]
        ),
    }  # fmt: skip
