"""Which column of a file means what: the targets, the headings known by heart, and the mapping that a person corrected.

A target is a key of `TARGETS`, `field:KEY` for an own field, or '' for a column that is left out.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hagukumi.kit import ja


@dataclass(frozen=True)
class Target:
    """Something a column can mean. `limit`: the most characters, 0 = any number; `group` heads it in the select."""

    key: str
    label_ja: str
    label_en: str
    limit: int = 0
    group: str = "person"

    def label(self, language: str) -> str:
        return self.label_ja if language == "ja" else self.label_en


TARGETS = {
    target.key: target
    for target in (
        Target("full_name", "氏名", "Full name", 120),
        Target("last_name", "姓", "Family name", 60),
        Target("first_name", "名", "Given name", 60),
        Target("full_kana", "フリガナ", "Reading", 120),
        Target("last_kana", "セイ", "Family name reading", 60),
        Target("first_kana", "メイ", "Given name reading", 60),
        Target("company_name", "企業名", "Company", 200),
        Target("department", "部署名", "Department", 120),
        Target("title", "役職名", "Title", 120),
        Target("email", "メールアドレス", "Mail address", 254),
        Target("phone", "電話番号", "Phone", 60),
        Target("mobile", "携帯電話", "Mobile", 60),
        Target("postal_code", "郵便番号", "Postal code", 20),
        Target("prefecture", "都道府県", "Prefecture", 10),
        Target("address", "住所", "Address", 300),
        Target("issue", "課題感", "Issue", 0, "need"),
        Target("timeframe", "導入予定時期", "Time frame", 60, "need"),
        Target("users_expected", "想定利用人数", "Users expected", 12, "need"),
        Target("place", "利用場所", "Place of use", 120, "need"),
        Target("booth_talk", "会話メモ（履歴に残す）", "Talk, kept in the history", 2000, "fact"),
        Target("seminar", "セミナーの出欠", "Seminar attendance", 20, "fact"),
        Target("occurred_at", "日付（名刺交換・回答）", "Date (card, answer)", 40, "fact"),
        Target("crm", "外部システムの ID", "Id in another system", 200, "other"),
        Target("tags", "タグ", "Tags", 300, "other"),
        Target("no_mail", "配信停止（はい・Yes）", "Do not mail (yes)", 20, "other"),
    )
}
GROUPS = {
    "person": ("人と会社", "Person and company"),
    "need": ("ニーズ", "Needs"),
    "fact": ("できごと", "What happened"),
    "other": ("その他", "Other"),
}

_ALIASES = {
    "full_name": "氏名 お名前 名前 担当者名 担当者氏名 ご担当者名 ご氏名 参加者名 name full_name fullname 担当者",
    "last_name": "姓 苗字 名字 氏名[姓] last_name lastname 姓(漢字) surname family_name",
    "first_name": "名 氏名[名] first_name firstname 名(漢字) given_name",
    "full_kana": "フリガナ ふりがな カナ 氏名カナ お名前(カナ) 氏名(カナ) 氏名フリガナ kana ヨミガナ",
    "last_kana": "セイ せい 姓カナ 姓(カナ) 姓(フリガナ) 姓フリガナ 氏名カナ[姓] last_kana 姓かな",
    "first_kana": "メイ めい 名カナ 名(カナ) 名(フリガナ) 名フリガナ 氏名カナ[名] first_kana 名かな",
    "company_name": "会社名 企業名 御社名 貴社名 会社 社名 法人名 組織名 ご所属企業 勤務先 "
    "company company_name account_name organization 会社名・団体名",
    "department": "部署名 部署 所属 ご所属 所属部署 部門 部門名 所属部門 department",
    "title": "役職 役職名 お役職 肩書 肩書き title job_title what_is_your_current_occupation",
    "email": "メールアドレス メール e-mail email mail eメール メルアド "
    "email_address mail_address メールアドレス1 ご連絡先メール",
    "phone": "tel直通 tel部門 tel会社 電話番号 電話 お電話番号 tel tel1 代表電話 "
    "会社電話番号 勤務先電話番号 直通電話 phone phone_number telephone",
    "mobile": "携帯電話 携帯 携帯番号 携帯電話番号 mobile mobile_phone cell",
    "postal_code": "郵便番号 〒 zip zip_code zipcode postal_code",
    "prefecture": "都道府県 都道府県名 prefecture",
    "address": "住所 所在地 ご住所 会社住所 勤務先住所 address city",
    "issue": "課題 課題感 ご感想・課題 お困りごと 現在の課題 issue ご質問・課題",
    "timeframe": "導入時期 導入予定時期 検討時期 導入予定 timeframe",
    "users_expected": "想定利用人数 利用人数 users_expected 人数",
    "place": "利用場所 place",
    "booth_talk": "ブースでの会話メモ 会話メモ 商談メモ ヒアリングメモ 接客メモ",
    "seminar": "参加 出欠 参加状況 出席 参加/欠席 attendance",
    "occurred_at": "名刺交換日 回答日時 回答日 参加日 来場日 開催日 timestamp タイムスタンプ",
    "crm": "prospect_id crm_id 顧客id 外部id リードid lead_id 会員番号 顧客番号 顧客コード",
    "tags": "タグ tag tags ラベル",
    "no_mail": "do_not_email メール配信停止 配信停止 メール不可 opt_out optout",
    "field:nps": "お勧め度 お勧め度(0-10) nps",
    "field:specialization": "specialization",
    "field:country": "country 国",
    "field:lead_source": "lead_source",
    "field:lead_number": "lead_number",
}


def _plain(header: str) -> str:
    return re.sub(r"[\s_]+", "_", ja.fold(re.sub(r"\s+", "_", header.strip()))).strip("_:*※")


_BY_ALIAS = {_plain(alias): target for target, aliases in _ALIASES.items() for alias in aliases.split()}
_PHONE_ORDER = [_plain(alias) for alias in _ALIASES["phone"].split()]


def suggest(header: Sequence[str]) -> dict[str, str]:
    """Column name -> target, by alias; unknown columns get ''. A meaning is given once, telephone numbers excepted."""
    found: dict[str, str] = {}
    for name in header:
        target = _BY_ALIAS.get(_plain(name), "")
        found[name] = target if target == "phone" or target not in found.values() else ""
    return found


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


def header_key(header: Sequence[str]) -> str:
    """One text per set and order of columns: under it a corrected mapping is remembered."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()


def places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, list[int]]:
    """Target -> places of the columns that feed it, the more telling first (a direct line before the switchboard)."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        if target := columns.get(name, ""):
            found.setdefault(target, []).append(place)
    order = {alias: rank for rank, alias in enumerate(_PHONE_ORDER)}
    if "phone" in found:
        found["phone"].sort(key=lambda place: order.get(_plain(header[place]), 99))
    return found


def missing(columns: Mapping[str, str]) -> list[str]:
    """Targets of M3 (リード成立) that no column feeds."""
    fed = set(columns.values())
    fed |= {"last_name"} if "full_name" in fed else set()
    fed |= {"phone"} if "mobile" in fed else set()
    return [key for key in ("last_name", "company_name", "department", "title", "email", "phone") if key not in fed]


def identifies(columns: Mapping[str, str]) -> bool:
    """Whether rows can be told apart at all: an address, an id, or a name with a company or a telephone number."""
    fed = set(columns.values())
    name = bool(fed & {"full_name", "last_name"})
    return bool(fed & {"email", "crm"}) or (name and bool(fed & {"company_name", "phone", "mobile"}))


def suggested_fields() -> dict[str, str]:
    """Keys of own fields that headings suggest, with a heading as their name."""
    return {key.removeprefix("field:"): words.split()[0] for key, words in _ALIASES.items() if key.startswith("field:")}
