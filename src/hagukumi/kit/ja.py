"""Japanese text rules: match keys, companies, names, phones, places. Pure functions; what was typed is never changed.

A key is only for comparing (NFKC, case-folded, variant kanji folded); what a person typed is what is stored and shown.
The sets that a vectorised reader needs (`VARIANTS`, the patterns) are public, so that one rule serves both roads.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

import phonenumbers

from .surnames import SURNAMES

VARIANTS: dict[str, str] = {
    variant: plain
    for plain, variants in {
        "高": "髙",
        "崎": "﨑嵜碕",
        "辺": "邊邉",
        "斎": "齋齊斉",
        "浜": "濱濵",
        "沢": "澤",
        "島": "嶋嶌",
        "桜": "櫻",
        "広": "廣",
        "国": "國",
        "吉": "𠮷",
        "真": "眞",
        "竜": "龍",
        "恵": "惠",
        "徳": "德",
        "関": "關",
        "滝": "瀧",
        "黒": "黑",
        "条": "條",
        "会": "會",
        "塚": "塚",
        "万": "萬",
        "与": "與",
        "栄": "榮",
        "円": "圓",
        "渋": "澁澀",
        "戸": "戶",
        "隆": "隆",
        "芦": "蘆",
        "静": "靜",
        "実": "實",
        "鉄": "鐵",
        "豊": "豐",
        "薮": "藪",
        "桧": "檜",
        "柳": "栁",
        "橋": "𣘺",
        "瀬": "瀨",
        "学": "學",
        "ヶ": "ケヵ",
        "園": "薗",
        "館": "舘",
        "曽": "曾",
        "淵": "渕渊",
        "為": "爲",
        "穣": "穰",
        "亜": "亞",
        "凛": "凜",
        "尭": "堯",
    }.items()
    for variant in variants
    if variant != plain
}
"""Variant kanji and their common form, for keys only (髙/高, 﨑/崎, 邊/邉/辺 ...)."""

LEGAL_FORMS: dict[str, tuple[str, ...]] = {
    "株式会社": ("株式会社", "株式會社", "(株)", "kabushiki kaisha"),
    "有限会社": ("有限会社", "(有)"),
    "合同会社": ("合同会社", "(同)", "(合同)"),
    "合資会社": ("合資会社", "(資)"),
    "合名会社": ("合名会社", "(名)"),
    "一般社団法人": ("一般社団法人", "(一社)"),
    "公益社団法人": ("公益社団法人", "(公社)"),
    "一般財団法人": ("一般財団法人", "(一財)"),
    "公益財団法人": ("公益財団法人", "(公財)"),
    "社団法人": ("社団法人", "(社)"),
    "財団法人": ("財団法人", "(財)"),
    "医療法人": ("医療法人社団", "医療法人財団", "医療法人", "(医)"),
    "社会福祉法人": ("社会福祉法人", "(福)"),
    "学校法人": ("学校法人", "(学)"),
    "独立行政法人": ("独立行政法人", "(独)"),
    "特定非営利活動法人": ("特定非営利活動法人", "npo法人"),
    "協同組合": ("協同組合", "(協)"),
}
_SPELLINGS = sorted(((s, form) for form, ss in LEGAL_FORMS.items() for s in ss), key=lambda pair: -len(pair[0]))
_SPACE = re.compile(r"\s+")
_TABLE = str.maketrans({**VARIANTS, "‐": "-", "−": "-", "–": "-", "—": "-", "―": "-"})


def fold(text: str) -> str:
    """The match key of any text: NFKC, case-folded, variant kanji to their common form, no white space."""
    while (folded := unicodedata.normalize("NFKC", text).casefold().translate(_TABLE)) != text:
        text = folded
    return _SPACE.sub("", text) if text.isascii() or not _SPACE.search(text) else fold(_SPACE.sub("", text))


@dataclass(frozen=True)
class CompanyName:
    """`key` to compare by; `form` the legal form ('' = none found); `position` front (前株), back (後株) or ''."""

    key: str
    form: str
    position: str


def company(name: str) -> CompanyName:
    """Split a company name as typed into its match key and its legal form. An empty name gives three empty texts."""
    key = fold(name)
    for spelling, form in _SPELLINGS:
        bare = _SPACE.sub("", spelling)
        if key.startswith(bare) and len(key) > len(bare):
            return CompanyName(key[len(bare) :], form, "front")
        if key.endswith(bare) and len(key) > len(bare):
            return CompanyName(key[: -len(bare)], form, "back")
    return CompanyName(key, "", "")


def company_key(name: str) -> str:
    return company(name).key


EMAIL = (
    r"^[^\s@,;:<>()\[\]\"\\\x00-\x1f]{1,64}"
    r"@[\p{L}0-9](?:[\p{L}0-9-]*[\p{L}0-9])?(?:\.[\p{L}0-9](?:[\p{L}0-9-]*[\p{L}0-9])?)+$"
)
"""A usable address, in Rust's dialect of regex. Dots may stand anywhere before the @: old docomo addresses."""
_LABEL = r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?"
_EMAIL = re.compile(rf"^[^\s@,;:<>()\[\]\"\\\x00-\x1f]{{1,64}}@{_LABEL}(?:\.{_LABEL})+$")
ROLE_PARTS = frozenset(
    """
info sales contact support admin office mail webmaster postmaster inquiry inquiries otoiawase toiawase soumu
eigyo jimu kouhou koho pr press recruit saiyo hello help service customer cs marketing keiri jinji somu honsha
reception uketsuke noreply no-reply
""".split()  # noqa: SIM905 - a list of words reads better as one
)
"""Local parts that a whole office reads. Such an address never identifies one person by itself."""


def email(text: str) -> str:
    """An address in the form it is compared and mailed by: half width, lower case, without `mailto:` and blanks."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text)).lower()
    return plain.removeprefix("mailto:").strip("<>")


def is_email(address: str) -> bool:
    """Whether a normalised address can be mailed at all (RFC 5321 sizes, a domain with a dot)."""
    return len(address) <= 254 and bool(_EMAIL.match(address))


def is_role_address(address: str) -> bool:
    return address.partition("@")[0].rstrip("0123456789") in ROLE_PARTS


_EXTENSION = re.compile(r"[(\[]?\s*(?:内線番号|内線|内|ext\.?|x)\s*[:.]?\s*(\d{1,8})\s*[)\]]?\s*$", re.IGNORECASE)
_DASHES = re.compile(r"[\s\-‐‑‒–—―−ーｰ－~().・/]")
_JAPANESE = re.compile(r"0(?:[1-9]\d{8}|[5789]0\d{8}|120\d{6}|800\d{7})")


def phone(text: str) -> tuple[str, str]:
    """(E.164, extension) of a number as typed in Japan; ('', '') where it is no telephone number.

    A leading zero that a spreadsheet has eaten is put back.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    extension = ""
    if found := _EXTENSION.search(plain):
        extension, plain = found.group(1), plain[: found.start()]
    digits = _DASHES.sub("", plain.replace("(0)", ""))
    if digits.startswith("+810"):
        digits = "+81" + digits[4:]
    if digits.isdigit() and digits.isascii():
        if len(digits) in (9, 10) and digits[0] != "0":
            digits = "0" + digits
        if _JAPANESE.fullmatch(digits):
            return "+81" + digits[1:], extension
    try:
        number = phonenumbers.parse(digits, "JP")
    except phonenumbers.NumberParseException:
        return "", ""
    if not phonenumbers.is_possible_number(number):
        return "", ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), extension


def show_phone(e164: str, extension: str = "") -> str:
    """A stored number as Japan writes it: 03-1234-5678 内線12; what cannot be read is shown as it is."""
    try:
        number = phonenumbers.parse(e164, "JP")
    except phonenumbers.NumberParseException:
        return e164
    shape = phonenumbers.PhoneNumberFormat
    form = shape.NATIONAL if number.country_code == 81 else shape.INTERNATIONAL
    shown = phonenumbers.format_number(number, form)
    return f"{shown} 内線{extension}" if extension else shown


HIRAGANA = {chr(code): chr(code + 0x60) for code in range(0x3041, 0x3097)}
_KANA = str.maketrans(HIRAGANA)


def kana(text: str) -> str:
    """Reading in full-width katakana, from hiragana or half-width katakana; blanks become one ASCII space."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).translate(_KANA)).strip()


@dataclass(frozen=True)
class PersonName:
    """A 氏名 taken apart. `confidence` 0-1: 1 = a separator stood there, 0.8 = a known surname, 0.3 = a guess."""

    last: str
    first: str
    confidence: float


_SEPARATORS = re.compile(r"[\s・,、]+")
_HONORIFIC = re.compile(r"\s*(?:様|さま|殿|先生|御中)\s*$")


def person(name: str) -> PersonName:
    """Take a full name apart into 姓 and 名; a trailing 様 is dropped. Nothing of the name is lost or changed."""
    plain = _HONORIFIC.sub("", name.strip()) or name.strip()
    parts = [part for part in _SEPARATORS.split(plain) if part]
    if len(parts) >= 2:
        if all(part.isascii() for part in parts):  # Taro Yamada: the family name stands last
            return PersonName(parts[-1], " ".join(parts[:-1]), 0.8)
        return PersonName(parts[0], " ".join(parts[1:]), 1.0)
    whole = parts[0] if parts else ""
    for size in range(min(5, len(whole) - 1), 0, -1):
        if len(folded := fold(whole[:size])) == size and folded in _FOLDED_SURNAMES:
            return PersonName(whole[:size], whole[size:], 0.8)
    if len(whole) >= 4 and whole.isalpha() and not whole.isascii():
        return PersonName(whole[:2], whole[2:], 0.3)
    return PersonName(whole, "", 0.3 if whole else 0.0)


_FOLDED_SURNAMES = frozenset(fold(name) for name in SURNAMES)

_EXEC = re.compile(
    r"代表|取締|社長(?!室)|会長(?!室)|執行役|監査役|理事長|頭取|オーナー|創業者|\b(?:c[eftois]o|cmo|cdo|president|founder|owner|director)\b|^役員|専務|常務"
)
_MANAGER = re.compile(
    r"部長|次長|課長|室長|所長|工場長|支店長|支社長|センター長|局長|館長|店長|グループ長|マネー?ジャ|リーダー|長$|主幹|主査|\b(?:manager|head|gm|leader)\b"
)
_STAFF = re.compile(r"係長|主任|班長|組長|秘書(?!室長)|アシスタント|assistant")


def rank(title: str) -> str:
    """The band of a title: exec (経営層), manager (部課長), staff (担当者); '' for no title."""
    plain = unicodedata.normalize("NFKC", title).casefold().strip()
    if not plain:
        return ""
    if _STAFF.search(plain):
        return "staff"
    if _EXEC.search(plain):
        return "exec"
    return "manager" if _MANAGER.search(plain) else "staff"


PREFECTURES: tuple[str, ...] = tuple(
    """
北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都
神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府
大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県
福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県
""".split()  # noqa: SIM905 - a list of words reads better as one
)
"""JIS X 0401, 01 to 47."""
_CITIES = {
    "札幌市": "北海道",
    "仙台市": "宮城県",
    "さいたま市": "埼玉県",
    "千葉市": "千葉県",
    "横浜市": "神奈川県",
    "川崎市": "神奈川県",
    "相模原市": "神奈川県",
    "新潟市": "新潟県",
    "静岡市": "静岡県",
    "浜松市": "静岡県",
    "名古屋市": "愛知県",
    "京都市": "京都府",
    "大阪市": "大阪府",
    "堺市": "大阪府",
    "神戸市": "兵庫県",
    "岡山市": "岡山県",
    "広島市": "広島県",
    "北九州市": "福岡県",
    "福岡市": "福岡県",
    "熊本市": "熊本県",
    "千代田区": "東京都",
    "港区": "東京都",
    "新宿区": "東京都",
    "渋谷区": "東京都",
    "品川区": "東京都",
    "文京区": "東京都",
    "豊島区": "東京都",
    "台東区": "東京都",
    "江東区": "東京都",
}
_POSTAL = {
    "北海道": "00 04 05 06 07 08 09",
    "秋田県": "01",
    "岩手県": "02",
    "青森県": "03",
    "東京都": "10 11 12 13 14 15 16 17 18 19 20",
    "神奈川県": "21 22 23 24 25",
    "千葉県": "26 27 28 29",
    "茨城県": "30 31",
    "栃木県": "32",
    "埼玉県": "33 34 35 36",
    "群馬県": "37",
    "長野県": "38 39",
    "山梨県": "40",
    "静岡県": "41 42 43",
    "愛知県": "44 45 46 47 48 49",
    "岐阜県": "50",
    "三重県": "51",
    "滋賀県": "52",
    "大阪府": "53 54 55 56 57 58 59",
    "京都府": "60 61 62",
    "奈良県": "63",
    "和歌山県": "64",
    "兵庫県": "65 66 67",
    "鳥取県": "68",
    "島根県": "69 685",
    "岡山県": "70 71",
    "広島県": "72 73",
    "山口県": "74 75",
    "香川県": "76",
    "徳島県": "77",
    "高知県": "78",
    "愛媛県": "79",
    "福岡県": "80 81 82 83",
    "佐賀県": "84",
    "長崎県": "85 817",
    "熊本県": "86",
    "大分県": "87",
    "宮崎県": "88",
    "鹿児島県": "89",
    "沖縄県": "90",
    "福井県": "91",
    "石川県": "92",
    "富山県": "93",
    "新潟県": "94 95",
    "福島県": "96 97",
    "宮城県": "98",
    "山形県": "99",
}
_BY_POSTAL = {start: prefecture for prefecture, starts in _POSTAL.items() for start in starts.split()}


def postal_code(text: str) -> str:
    """'123-4567', or '' where there are no seven digits (a lost leading zero is put back)."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    digits = digits.zfill(7) if len(digits) == 6 else digits
    return f"{digits[:3]}-{digits[3:]}" if len(digits) == 7 and digits.isascii() else ""


def prefecture(address: str, postal: str = "") -> str:
    """The prefecture an address names, else that of its city, else the one its postal code mostly lies in; else ''."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", address))
    for name in PREFECTURES:
        if plain.startswith(name):
            return name
    for city, name in _CITIES.items():
        if plain.startswith(city):
            return name
    return _BY_POSTAL.get(postal[:3]) or _BY_POSTAL.get(postal[:2], "")


_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*日)?(?:[T\s]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_ERA = re.compile(
    r"(令和|平成|昭和|[rhs])\s*(元|\d{1,2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.IGNORECASE
)
_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}


def moment(text: str) -> datetime | None:
    """A date or a date and time as Japan writes them (2026/4/1 9:30, 2026年4月1日, 令和8年4月1日), naive, or None."""
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        if found := _DATE.match(plain):
            numbers = [int(part or 0) for part in found.groups()]
            return datetime(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])  # noqa: DTZ001
        if found := _ERA.match(plain):
            era, year, month, day = found.groups()
            count = 1 if year == "元" else int(year)
            return datetime(_ERA_START[era.lower()] + count, int(month), int(day))  # noqa: DTZ001
        if found := _COMPACT.fullmatch(plain):
            return datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    return None


def day(text: str) -> date | None:
    found = moment(text)
    return found.date() if found else None


FORMULA = r"^[\s]*(?:=[\w($\"'+\-@]|[@+\-][A-Za-z_.]+\d*[(!+*/|]|[=@+\-].*\|.*!)"
"""A cell that a spreadsheet would run: `=SUM(A1)`, `@SUM(1)`, `+cmd|' /C calc'!A0`. Not `+81-3`, `-`, `== memo`."""
_FORMULA = re.compile(FORMULA)


def is_formula(cell: str) -> bool:
    return bool(_FORMULA.match(cell))


def escape_formula(cell: str) -> str:
    """The cell so that a spreadsheet shows it instead of running it: an apostrophe before = + - @ tab and CR.

    A plain number or telephone number keeps its sign. Source: OWASP, CSV Injection.
    """
    if cell[:1] in ("=", "@", "\t", "\r") or (cell[:1] in ("+", "-") and not re.fullmatch(r"[+-][\d\s().-]*", cell)):
        return "'" + cell
    return cell
