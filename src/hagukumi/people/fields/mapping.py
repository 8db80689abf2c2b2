"""Which column of a file means what: the targets, the headings known by heart, and the mapping that a person corrected.

A target is a key of `TARGETS`, `field:KEY` for an own field, or '' for a column that is left out.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hagukumi.kit import columns, ja


@dataclass(frozen=True)
class Target:
    """Something a column of a file can mean. `limit`: the most characters, 0 = any number; `group` heads it."""

    key: str
    label_ja: str
    label_en: str
    limit: int = 0
    group: str = "person"
    aliases: str = ""

    def label(self, language: str) -> str:
        return self.label_ja if language == "ja" else self.label_en


_WHOLE = (
    Target("full_name", "氏名", "Full name", 120, "person",
           "お名前 名前 担当者名 担当者氏名 ご担当者名 ご氏名 参加者名 name full_name fullname 姓名 担当者"
           " person_-_name フルネーム 人物_-_氏名 人物_-_名前"),
    Target("full_kana", "フリガナ", "Reading", 120, "person",
           "ふりがな カナ 氏名カナ お名前(カナ) 氏名(カナ) 氏名フリガナ kana ヨミガナ 姓名かな"
           " お名前(フリガナ) 氏名(フリガナ) 氏名(ふりがな)"),
    Target("department_title", "部署と役職", "Department and job title", 240, "person",
           "部署・役職 部署・役職名 部署名・役職名 部署/役職 所属・役職 所属部署・役職 ご所属・役職"
           " ご所属・お役職 部署役職"),
)  # fmt: skip
_MORE = (
    Target("met_on", "名刺交換日", "Business card received on", 0, "fact", "交換日 名刺受領日 取得日"),
    Target("booth_talk", "会話メモ（履歴に残す）", "Talk, kept in the history", 2000, "fact",
           "ブースでの会話メモ 会話メモ 商談メモ ヒアリングメモ ヒアリング内容 接客メモ"),
    Target("seminar", "セミナーの出欠", "Seminar attendance", 0, "fact",
           "参加 出欠 参加状況 出席 参加/欠席 attendance attended 参加ステータス 出席状況 チェックイン"
           " attendee_status"),
    Target("occurred_at", "日付（回答・参加・来場）", "Date (answer, attendance, visit)", 0, "fact",
           "回答日時 回答日 参加日 来場日 開催日 timestamp タイムスタンプ join_time 参加時刻"
           " 来場日時 申込日 申込日時 受信日時 submitted_at"),
    Target("asked_id", "育みの番号", "Hagukumi number", 0, "other", "hagukumi_id"),
    Target("crm", "外部システムの ID", "Id in another system", 200, "other",
           "prospect_id crm_id 顧客id 外部id リードid lead_id 会員番号 顧客番号 顧客コード record_id contact_id"
           " レコードid プロスペクトid 取引先責任者id"),
    Target("tags", "タグ", "Tags", 2000, "other", "tag ラベル"),
    Target("no_mail", "配信停止（はい・Yes）", "Do not mail (yes)", 0, "other",
           "do_not_email メール配信停止 配信停止 メール不可 メール送信除外 オプトアウト opt_out"
           " オプトアウト済み 配信停止済み eメール配信の登録をすべて解除 メール配信可否 メール配信許可"
           " opted_out blacklist email_status"
           " optout email_opt_out has_opted_out_of_email unsubscribed unsubscribed_from_all_email email_blacklisted"
           " person_-_marketing_status"),
    Target("country", "国（電話番号を読むため）", "Country, to read telephone numbers", 0, "other",
           "国 国名 国コード 国/地域 国・地域 country country_code country/region country/region_name"
           " business_country/region mailing_country cc"),
    Target("corporate_number", "法人番号", "Corporate number", 0, "company", "corporate_number"),
    Target("industry", "業種", "Industry", 0, "company", "業種名 業界 industry"),
    Target("sales_yen", "年商（円）", "Annual sales (yen)", 0, "company", "年商 年間売上 年間売上高 売上高 年間収益"),
    Target("employees", "従業員数", "Employees", 0, "company",
           "従業員 社員数 employees no._of_employees number_of_employees"),
)  # fmt: skip
_GROUP = {"person": "person", "work": "person", "reach": "person", "need": "need"}
_COLUMNS = tuple(
    Target(line.key, line.ja, line.en, line.limit, _GROUP[line.group], line.aliases) for line in columns.TYPED
)
TARGETS = {target.key: target for target in (*_WHOLE, *_COLUMNS, *_MORE)}
"""Everything that a column of a file can mean, besides own fields: whole names, the lead's columns, what happened."""
GROUPS = {
    "person": ("人と会社", "Person and company"),
    "need": ("ニーズ", "Needs"),
    "company": ("会社の情報", "About the company"),
    "fact": ("できごと", "What happened"),
    "other": ("その他", "Other"),
}


def _plain(header: str) -> str:
    """A heading as it is compared: its words, without remarks such as （半角）, ※必須 and the line they stand on."""
    name = unicodedata.normalize("NFKC", header)
    for needless in (_REMARK, _QUESTION):
        bare = needless.sub("", name)
        name = bare if bare.strip(" \n:*※") else name
    return re.sub(r"[\s_-]+", "", ja.fold(name)).strip(":*※")


_REMARK = re.compile(
    r"[*※]?(?:必須|任意)|\((?:正式名称|半角|全角|半角数字|半角英数|必須|任意|代表|ハイフンなし|ハイフンあり"
    r"|漢字|会社|勤務先|郵送先|original name|市区町村[^)]*|町名[^)]*|番地[^)]*|ビル名[^)]*|建物名[^)]*)\)",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^\s*(?:q|設問|質問)\s*\d+\s*[.:、)]\s*"
    r"|(?:を|について)?(?:お|ご)?(?:教え|記入|入力|聞かせ|知らせ|選び|選択)(?:て|して)?(?:ください|下さい)[。.]?\s*$",
    re.IGNORECASE,
)
"""What a form puts around the word that it asks for: Q1. 会社名を教えてください."""


def _names(target: Target) -> list[str]:
    return [_plain(name) for name in (target.label_ja, target.label_en, target.key, *target.aliases.split())]


_BY_LABEL = {_plain(label): target.key for target in TARGETS.values() for label in (target.label_ja, target.label_en)}
_BY_ALIAS = {name: target.key for target in TARGETS.values() for name in _names(target)}
_BY_ALIAS |= {_plain(alias): "field:nps" for alias in ("お勧め度", "お勧め度(0-10)", "nps")}
_PHONE_ORDER = [_plain(alias) for alias in TARGETS["phone"].aliases.split()]
_MANY = ("phone", "email", "address", "department", "no_mail")
"""What several columns may bring: the first that says something counts; pieces of an address are put together."""
JOINED = ("address", "department", "no_mail")
"""Of those, the ones whose columns are pieces of one value."""
_GIVEN = ("名前", "お名前")
"""What is the given name beside a family name, and the whole name else."""
_STAFF = ("担当者",)
"""Headings that name the person only where nothing else does; beside a name they name one of the staff."""


def suggest(header: Sequence[str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Column name -> target, by label or alias, of `own` fields (label -> key) too; unknown columns get ''.

    Our own labels come first, then those of own fields, then aliases: beside our own number none, for then the file is
    our own export. A meaning is given once, those of `_MANY` excepted; beside 姓 a column 担当者 is no name.
    """
    labels = {_plain(label): f"field:{key}" for label, key in (own or {}).items()}
    found: dict[str, str] = dict.fromkeys(header, "")
    for names in (_BY_LABEL, labels, _BY_ALIAS):
        if names is _BY_ALIAS and "asked_id" in found.values():
            break
        for name in header:
            target = names.get(_plain(_COPY.sub("", name)), "")
            if target and not found[name] and (target in _MANY or target not in found.values()):
                found[name] = target
    fed = set(found.values())
    if "last_name" in fed and "first_name" not in fed:  # 苗字, 名前
        found = {name: "first_name" if _plain(name) in _GIVEN else target for name, target in found.items()}
    return {name: "" if "last_name" in fed and _plain(name) in _STAFF else target for name, target in found.items()}


def named(word: str, own: Mapping[str, str]) -> str | None:
    """The target that a word means: its key, its label, or that of an `own` field (label -> key); None for no target.

    '' and - leave a column out.
    """
    if word in ("", "-"):
        return ""
    fields = {f"field:{key}" for key in own.values()}
    if word in TARGETS or word in fields:
        return word
    labels = {_plain(label): f"field:{key}" for label, key in own.items()}
    return _BY_LABEL.get(_plain(word)) or labels.get(_plain(word))


def corrected(found: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """`found` (column name -> target) with what somebody has `said` of some columns: a meaning they give is taken from
    the others, but for telephone numbers and pieces of one value, which several columns may bring."""
    taken = set(said.values()) - {"phone", *JOINED}
    return {name: said.get(name, "" if target in taken else target) for name, target in found.items()}


_COPY = re.compile(r" \(\d+\)$")
"""What tells two equal headings apart (`kit.tables`)."""


def own_key(label: str, taken: Mapping[str, str]) -> str:
    """The key of an own field of this name: that of `taken` (key -> label) which has the label, else a new one.

    Letters that a key cannot hold are told apart by a digest: 設問1 and 予算1 are two fields.
    """
    for key, name in taken.items():
        if name == label:
            return key
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:40]
    if plain and label.isascii() and plain not in taken:
        return plain
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"{plain[:31] or 'field'}_{digest}"


_TAG = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,、;；\n]*))\s*(?:[,、;；\n]|$)')


def tags(text: str) -> list[str]:
    """The tags of a cell, between commas or semicolons; one that holds such a sign stands in quotation marks."""
    found = [(quoted.replace('""', '"') or plain).strip() for quoted, plain in _TAG.findall(text)]
    return list(dict.fromkeys(tag for tag in found if tag))


def tag_cell(names: Sequence[str]) -> str:
    """Tags as one cell, so that `tags` gives them back."""
    return ", ".join('"' + name.replace('"', '""') + '"' if re.search(r'[,、;；\n"]', name) else name for name in names)


def header_key(header: Sequence[str]) -> str:
    """One text per set and order of columns: under it a corrected mapping is remembered."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()


def places(header: Sequence[str], meant: Mapping[str, str]) -> dict[str, list[int]]:
    """Target -> places of the columns that feed it, the more telling first (a direct line before the switchboard)."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        if target := meant.get(name, ""):
            found.setdefault(target, []).append(place)
    order = {alias: rank for rank, alias in enumerate(_PHONE_ORDER)}
    if "phone" in found:
        found["phone"].sort(key=lambda place: order.get(_plain(header[place]), 99))
    return found


def says_may_mail(heading: str) -> bool:
    """Whether a column about mail says who may be mailed (メール配信許可), not who may not."""
    return bool(_ALLOWED.search(heading))


_ALLOWED = re.compile("可否|許可")


def labels(header: Sequence[str]) -> dict[int, int]:
    """Place of a telephone number -> place of the column that says which kind it is (Phone 1 - Label, - Value)."""
    found = {}
    kinds = {match[1]: place for place, name in enumerate(header) if (match := _LABEL.fullmatch(_plain(name)))}
    for place, name in enumerate(header):
        if (match := _VALUE.fullmatch(_plain(name))) and match[1] in kinds:
            found[place] = kinds[match[1]]
    return found


_LABEL = re.compile(r"((?:phone|電話)\d+)(?:label|type|ラベル|種類)")
_VALUE = re.compile(r"((?:phone|電話)\d+)(?:value|値)")


def missing(meant: Mapping[str, str]) -> list[str]:
    """Targets of M3 (リード成立) that no column feeds."""
    fed = set(meant.values())
    fed |= {"last_name"} if "full_name" in fed else set()
    fed |= {"phone"} if "mobile" in fed else set()
    return [key for key in columns.REQUIRED if key not in fed]


def names_somebody(meant: Mapping[str, str]) -> bool:
    """Whether a row may say who it is besides by our own number."""
    return bool(set(meant.values()) & {"email", "crm", "full_name", "last_name"})


def identifies(meant: Mapping[str, str]) -> bool:
    """Whether rows can be told apart at all: an address, an id, or a name with a company or a telephone number."""
    fed = set(meant.values())
    name = bool(fed & {"full_name", "last_name"})
    return bool(fed & {"email", "crm", "asked_id"}) or (name and bool(fed & {"company_name", "phone", "mobile"}))
