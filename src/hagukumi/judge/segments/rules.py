"""What conditions can speak of: lead columns, groups of a person's own acts, page categories. Pure data."""

from dataclasses import dataclass
from datetime import timedelta


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


RANKS = (("exec", "経営層", "executive"), ("manager", "部課長", "manager"), ("staff", "一般社員", "staff"))
STATES = (
    ("active", "在籍", "employed"),
    ("moved", "異動", "transferred"),
    ("changed_job", "転職", "changed jobs"),
    ("left", "離職", "left"),
    ("uninterested", "関心なし", "not interested"),
)

COLUMNS = {
    column.key: column
    for column in (
        Column("last_name", "text", "姓", "last name"),
        Column("first_name", "text", "名", "first name"),
        Column("company_name", "text", "会社名", "company name"),
        Column("department", "text", "部署", "department"),
        Column("title", "text", "役職", "job title"),
        Column("rank", "choice", "職位", "rank", RANKS),
        Column("email", "text", "メールアドレス", "e-mail address"),
        Column("phone", "text", "電話番号", "phone"),
        Column("mobile", "text", "携帯電話", "mobile phone"),
        Column("postal_code", "text", "郵便番号", "postal code"),
        Column("prefecture", "text", "都道府県", "prefecture"),
        Column("address", "text", "住所", "address"),
        Column("issue", "text", "課題", "issue"),
        Column("timeframe", "text", "導入時期", "timeframe"),
        Column("users_expected", "number", "利用人数", "expected users"),
        Column("place", "text", "利用場所", "place of use"),
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
