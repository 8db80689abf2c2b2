"""The facts of a person that staff may edit: what each is called and what it may hold. Pure, but for ids it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from hagukumi.kit import ja

STATES: dict[str, Promise | str] = {
    "active": gettext_lazy("在籍"),
    "moved": gettext_lazy("異動"),
    "changed_job": gettext_lazy("転職"),
    "left": gettext_lazy("離職"),
    "uninterested": gettext_lazy("関心なし"),
}
RANKS: dict[str, Promise | str] = {
    "exec": gettext_lazy("経営層"),
    "manager": gettext_lazy("部課長"),
    "staff": gettext_lazy("一般社員"),
}
Clean = Callable[[str], Any]


def _text(size: int) -> Clean:
    def clean(value: str) -> str:
        plain = value.strip()
        if len(plain) > size:
            raise ValidationError(_("%(size)s 文字以内で入力してください。") % {"size": size})
        return plain

    return clean


def _email(value: str) -> str:
    plain = ja.email(value)
    if plain and not ja.is_email(plain):
        raise ValidationError(_("メールアドレスの形ではありません。"))
    return plain


def _phone(value: str) -> str:
    number, _extension = ja.phone(value)
    if value.strip() and not number:
        raise ValidationError(_("電話番号として読めません。例: 03-1234-5678"))
    return number


def _kana(value: str) -> str:
    return str(_text(60)(ja.kana(value)))


def _postal_code(value: str) -> str:
    code = ja.postal_code(value)
    if value.strip() and not code:
        raise ValidationError(_("郵便番号は 7 桁です。例: 100-0001"))
    return code


def _one_of(words: Callable[[], set[str]]) -> Clean:
    def clean(value: str) -> str:
        if value and value not in words():
            raise ValidationError(_("選択肢から選んでください。"))
        return value

    return clean


def _count(value: str) -> int | None:
    plain = value.strip().replace(",", "")
    if not plain:
        return None
    if not plain.isascii() or not plain.isdigit() or int(plain) > 2_000_000_000:
        raise ValidationError(_("0 以上の整数で入力してください。"))
    return int(plain)


@dataclass(frozen=True)
class Column:
    """One editable fact: `clean` takes what was typed (text) and gives what is stored, or raises ValidationError.

    `widget`: text, area, number, email, tel, choice (of `choices`). `group` is its place on the lead page.
    """

    key: str
    label: Promise | str
    clean: Clean
    group: str
    widget: str = "text"
    choices: dict[str, Promise | str] | None = None
    required: bool = False


_PREFECTURES: dict[str, Promise | str] = {name: name for name in ja.PREFECTURES}
COLUMNS: dict[str, Column] = {
    column.key: column
    for column in (
        Column("last_name", gettext_lazy("姓"), _text(60), "person", required=True),
        Column("first_name", pgettext_lazy("姓と名", "名"), _text(60), "person"),
        Column("last_kana", gettext_lazy("セイ"), _kana, "person"),
        Column("first_kana", gettext_lazy("メイ"), _kana, "person"),
        Column("company_name", gettext_lazy("会社名"), _text(200), "work", required=True),
        Column("department", gettext_lazy("部署"), _text(120), "work", required=True),
        Column("title", gettext_lazy("役職"), _text(120), "work", required=True),
        Column("rank", gettext_lazy("職位"), _one_of(lambda: set(RANKS)), "work", "choice", RANKS),
        Column("email", gettext_lazy("メール"), _email, "reach", "email", required=True),
        Column("phone", gettext_lazy("電話"), _phone, "reach", "tel", required=True),
        Column("phone_extension", gettext_lazy("内線"), _text(10), "reach"),
        Column("mobile", gettext_lazy("携帯"), _phone, "reach", "tel"),
        Column("postal_code", gettext_lazy("郵便番号"), _postal_code, "reach"),
        Column(
            "prefecture", gettext_lazy("都道府県"), _one_of(lambda: set(_PREFECTURES)), "reach", "choice", _PREFECTURES
        ),
        Column("address", gettext_lazy("住所"), _text(300), "reach"),
        Column("issue", gettext_lazy("課題"), _text(4000), "need", "area"),
        Column("timeframe", gettext_lazy("導入時期"), _text(60), "need"),
        Column("users_expected", gettext_lazy("利用人数"), _count, "need", "number"),
        Column("place", gettext_lazy("利用場所"), _text(120), "need"),
    )
}
GROUPS: dict[str, Promise | str] = {
    "person": gettext_lazy("氏名"),
    "work": gettext_lazy("勤務先"),
    "reach": gettext_lazy("連絡先"),
    "need": gettext_lazy("ニーズ"),
    "own": gettext_lazy("独自項目"),
}


def missing(lead: Any) -> list[str]:
    """The keys of the facts that リード成立 still asks for (M3): the phone is either of the two."""
    keys = [key for key in ("last_name", "company_name", "department", "title", "email") if not getattr(lead, key)]
    return keys if lead.phone or lead.mobile else [*keys, "phone"]


def clean_own(kind: str, choices: list[str], value: str) -> Any:
    """A value of a customer's own field of type `kind`; None empties it. ValidationError says what is wrong."""
    plain = value.strip()
    if not plain:
        return None
    if kind == "number":
        try:
            number = float(plain.replace(",", ""))
        except ValueError:
            raise ValidationError(_("数値で入力してください。")) from None
        if number != number or abs(number) == float("inf"):
            raise ValidationError(_("数値で入力してください。"))
        return int(number) if number == int(number) else number
    if kind == "date":
        found: date | None = ja.day(plain)
        if not found:
            raise ValidationError(_("日付で入力してください。例: 2026/4/1"))
        return found.isoformat()
    if kind == "bool":
        return plain in ("1", "true", "はい", "yes", "on")
    if kind == "choice" and plain not in choices:
        raise ValidationError(_("選択肢から選んでください。"))
    return _text(4000)(plain)
