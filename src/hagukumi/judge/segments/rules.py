"""What conditions can speak of: lead columns, groups of a person's own acts, page categories. Pure data."""

from dataclasses import dataclass
from datetime import timedelta

from hagukumi.kit.columns import COLUMNS as LINES


@dataclass(frozen=True)
class Column:
    """A column of `lead` that a condition may read. `type`: text, choice, number, date or person (one of the staff)."""

    key: str
    type: str
    ja: str
    en: str
    choices: tuple[tuple[str, str, str], ...] = ()

    def label(self, language: str) -> str:
        return self.ja if language == "ja" else self.en


STATES = (
    ("active", "在籍", "employed"),
    ("moved", "異動", "transferred"),
    ("changed_job", "転職", "changed jobs"),
    ("left", "離職", "left"),
    ("uninterested", "関心なし", "not interested"),
)

_TYPES = {"number": "number", "choice": "choice"}
_FACTS = tuple(
    Column(line.key, _TYPES.get(line.type, "text"), line.ja, line.en, line.choices if line.type == "choice" else ())
    for line in LINES.values()
)
"""Every column of a lead. A prefecture is text, so that 「東京」 may be looked for in it."""
COLUMNS = {
    column.key: column
    for column in (
        *_FACTS,
        Column("state", "choice", "在籍状態", "employment state", STATES),
        Column("owner", "person", "担当", "owner"),
        Column("missing", "number", "不足している必須項目の数", "number of missing required fields"),
        Column("known_at", "date", "登録日", "date of registration"),
    )
}

OPERATORS = {
    "text": ("is", "is_not", "contains", "in", "empty", "filled"),
    "choice": ("is", "is_not", "in", "empty", "filled"),
    "number": ("is", "is_not", "gte", "lte", "empty", "filled"),
    "date": ("gte", "lte", "empty", "filled"),
    "bool": ("is", "is_not", "empty", "filled"),
    "person": ("is", "is_not", "empty", "filled"),
}

GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "any": (
        "行動",
        "activity",
        (
            "page_view",
            "download",
            "custom",
            "mail_opened",
            "mail_clicked",
            "form_submitted",
            "content_downloaded",
            "seminar_attended",
            "booth_talk",
            "call",
        ),
    ),
    "web": ("Web訪問", "website visit", ("page_view", "download", "custom")),
    "mail": ("メールへの反応", "reaction to mail", ("mail_opened", "mail_clicked")),
    "form": ("フォーム回答・資料ダウンロード", "form answer or download", ("form_submitted", "content_downloaded")),
    "seminar": ("セミナー・展示会での接点", "seminar or booth contact", ("seminar_attended", "booth_talk")),
    "call": ("電話", "phone call", ("call",)),
}
"""What a person does by themselves: (Japanese, English, kind keys). What we send to them is not their activity."""

FORM_KINDS = {
    "inquiry": ("問い合わせ", "inquiry"),
    "download": ("資料ダウンロード", "download"),
    "seminar": ("セミナー申込", "seminar"),
    "survey": ("アンケート", "survey"),
}
OUTCOMES = {"open": ("進行中", "open"), "won": ("受注", "won"), "lost": ("失注", "lost")}

SAMPLE_ABOVE = 200_000
"""With more leads than this a live count is taken from a hash sample (1 of 32), with its error."""
SAMPLE_SHARE = 32


def days(number: int) -> timedelta:
    """A window in whole days of 24 hours: 「30日以内」 ends at the same minute it began."""
    return timedelta(days=number)


def oku(yen: int) -> str:
    """Yen as people say it: 150_000_000 -> 「1.5億円」, 3_000_000 -> 「300万円」."""
    if yen >= 100_000_000:
        return f"{yen / 100_000_000:,.1f}".removesuffix(".0") + "億円"
    return f"{yen / 10_000:,.1f}".removesuffix(".0") + "万円"
