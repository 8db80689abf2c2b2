"""The facts of a person that staff may edit: what each is called and what it may hold. Pure, but for ids it is told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from hagukumi.kit import columns, ja

from .models import Field


def _lazily(japanese: str, english: str) -> Promise | str:
    """The word in the reader's language."""
    return lazy(lambda: japanese if (get_language() or "ja").startswith("ja") else english, str)()


STATES: dict[str, Promise | str] = {
    "active": gettext_lazy("在籍"),
    "moved": gettext_lazy("異動"),
    "changed_job": gettext_lazy("転職"),
    "left": gettext_lazy("離職"),
    "uninterested": gettext_lazy("関心なし"),
}
RANKS: dict[str, Promise | str] = {key: _lazily(one, other) for key, one, other in columns.RANKS}
REASONS: dict[str, Promise | str] = {
    "control": gettext_lazy("保存できない制御文字が入っています。"),
    "too_long": gettext_lazy("文字数が多すぎます。"),
    "bad_email": gettext_lazy("メールアドレスの形が正しくありません。"),
    "bad_phone": gettext_lazy("電話番号として読めません。例: 03-1234-5678"),
    "bad_postal_code": gettext_lazy("郵便番号は 7 桁です。例: 100-0001"),
    "bad_prefecture": gettext_lazy("都道府県の名前ではありません。"),
    "bad_choice": gettext_lazy("選択肢から選んでください。"),
    "bad_number": gettext_lazy("0 以上の整数で入力してください。"),
    "bad_date": gettext_lazy("日付として読めません。2026/4/1 のように書いてください。"),
}
"""Why a value cannot be held by its column. Code (`kit.columns.ColumnError`) -> sentence."""
WIDGETS = {
    "area": "area", "email": "email", "phone": "tel", "choice": "choice", "prefecture": "choice", "number": "number",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One fact as the lead's page edits it. `widget`: text, area, number, email, tel, choice (of `choices`)."""

    line: columns.Column
    label: Promise | str

    @property
    def key(self) -> str:
        return self.line.key

    @property
    def group(self) -> str:
        return self.line.group

    @property
    def required(self) -> bool:
        return self.line.required

    @property
    def widget(self) -> str:
        return WIDGETS.get(self.line.type, "text")

    @property
    def choices(self) -> dict[str, Promise | str] | None:
        return {key: _lazily(one, other) for key, one, other in self.line.choices} or None

    def clean(self, typed: str) -> Any:
        """What is stored of what was typed. ValidationError says in words why it cannot be."""
        try:
            return self.line.clean(typed)
        except columns.ColumnError as error:
            raise ValidationError(reason(error)) from error


def reason(error: columns.ColumnError) -> str:
    """Why a value is refused, in the reader's language."""
    if error.code == "too_long" and error.limit:
        return _("%(size)s 文字以内で入力してください。") % {"size": error.limit}
    return str(REASONS[error.code])


COLUMNS: dict[str, Column] = {key: Column(line, _lazily(line.ja, line.en)) for key, line in columns.COLUMNS.items()}
GROUPS: dict[str, Promise | str] = {
    "person": gettext_lazy("氏名"),
    "work": gettext_lazy("勤務先"),
    "reach": gettext_lazy("連絡先"),
    "need": gettext_lazy("ニーズ"),
    "own": gettext_lazy("独自項目"),
}


def missing(lead: Any) -> list[str]:
    """The keys of the facts that リード成立 still asks for (M3): the phone is either of the two."""
    keys = [key for key in columns.REQUIRED if key != "phone" and not getattr(lead, key)]
    return keys if lead.phone or lead.mobile else [*keys, "phone"]


def readers(*, day_first: bool = False) -> dict[str, Callable[[str], Any]]:
    """How a value of each own field is read, by key: gives what is stored, or ValueError. See `ja.moment`."""
    return {
        field.key: partial(_read_own, field.type, list(field.choices), day_first=day_first)
        for field in Field.objects.all()
    }


def _read_own(kind: str, choices: list[str], value: str, *, day_first: bool = False) -> Any:
    try:
        return clean_own(kind, choices, value, day_first=day_first)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error


def clean_own(kind: str, choices: list[str], value: str, *, day_first: bool = False) -> Any:
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
        found: date | None = ja.day(plain, day_first=day_first)
        if not found:
            raise ValidationError(_("日付で入力してください。例: 2026/4/1"))
        return found.isoformat()
    if kind == "bool":
        return plain in ("1", "true", "はい", "yes", "on")
    if kind == "choice" and plain not in choices:
        raise ValidationError(_("選択肢から選んでください。"))
    if len(plain) > 4000:
        raise ValidationError(_("%(size)s 文字以内で入力してください。") % {"size": 4000})
    return plain
