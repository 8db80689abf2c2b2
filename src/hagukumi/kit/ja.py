"""Japanese text rules: match keys, companies, names, phones, places. Pure functions; what was typed is never changed.

A key is only for comparing (NFKC, case-folded, variant kanji folded); what a person typed is what is stored and shown.
The sets that a vectorised reader needs (`VARIANTS`, the patterns) are public, so that one rule serves both roads.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

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
    """`core` is the name without its legal form `form` ('' = none found); `position`: front (前株), back (後株), ''."""

    core: str
    form: str
    position: str

    @property
    def key(self) -> str:
        """What companies are told apart by: 株式会社青葉, 青葉株式会社 and 有限会社青葉 are three companies."""
        return {"front": f"{self.form}{self.core}", "back": f"{self.core}{self.form}"}.get(self.position, self.core)


def company(name: str) -> CompanyName:
    """Split a company name as typed into its match key and its legal form. An empty name gives three empty texts."""
    core = fold(name)
    for spelling, form in _SPELLINGS:
        bare = _SPACE.sub("", spelling)
        if core.startswith(bare) and len(core) > len(bare):
            return CompanyName(core[len(bare) :], form, "front")
        if core.endswith(bare) and len(core) > len(bare):
            return CompanyName(core[: -len(bare)], form, "back")
    return CompanyName(core, "", "")


def company_key(name: str) -> str:
    return company(name).key


_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
EMAIL = rf"^[!#-'*+\-./0-9=?A-Z^-~]{{1,64}}@(?:{_LABEL}\.)+(?:[a-z]{{2,24}}|xn--[a-z0-9-]{{1,59}})$"
"""A usable address, as Rust and Python read it. Dots may stand anywhere before the @: old docomo addresses."""
_EMAIL = re.compile(EMAIL)
ROLE_PARTS = frozenset(
    """
info sales contact support admin office mail webmaster postmaster inquiry inquiries otoiawase toiawase soumu
eigyo jimu kouhou koho pr press recruit saiyo hello help service customer cs marketing keiri jinji somu honsha
reception uketsuke noreply no-reply
""".split()  # noqa: SIM905 - a list of words reads better as one
)
"""Local parts that a whole office reads. Such an address never identifies one person by itself."""


_ANGLED = re.compile(r"<([^<>@]+@[^<>]+)>")
_BETWEEN = re.compile(r"[;,、；，/|\n]|\s+(?=\S+@)")


def visible(text: str) -> str:
    """The text without the marks that nobody sees: byte order mark, zero-width and direction marks, soft hyphens."""
    return _UNSEEN.sub("", text)


UNSEEN = "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
"""Marks that nobody sees, as a pattern."""
_UNSEEN = re.compile(UNSEEN)


def emails(text: str) -> list[str]:
    """Every usable address of a cell, as `email` gives it, in order and each once."""
    plain = _CONTROLS.sub("", visible(unicodedata.normalize("NFKC", text)))
    parts = [email(part) for part in _BETWEEN.split(plain) if "@" in part] if plain.count("@") > 1 else [email(text)]
    return [address for address in dict.fromkeys(parts) if is_email(address)]


def email(text: str) -> str:
    """An address in the form it is compared and mailed by, '' for none: half width, lower case, its domain in ASCII.

    `名前 <a@example.jp>` and `mailto:` give the address alone, several addresses the first.
    """
    plain = _CONTROLS.sub("", visible(unicodedata.normalize("NFKC", text)))
    if found := _ANGLED.search(plain):
        plain = found.group(1)
    if plain.count("@") > 1:
        plain = next((part for part in _BETWEEN.split(plain) if "@" in part), plain)
    plain = _SPACE.sub("", plain).lower().removeprefix("mailto:").strip("<>").removesuffix(".")
    local, at, domain = plain.rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}" if at and not domain.isascii() else plain


_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")


def _ascii_domain(domain: str) -> str:
    """日本語.jp as a mail server knows it (xn--wgv71a119e.jp); unchanged where it is no domain. Source: RFC 5891."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def is_email(address: str) -> bool:
    """Whether a normalised address can be mailed at all (RFC 5321 sizes, a domain with a dot)."""
    return len(address) <= 254 and bool(_EMAIL.match(address))


def is_role_address(address: str) -> bool:
    return address.partition("@")[0].rstrip("0123456789") in ROLE_PARTS


_EXTENSION = re.compile(r"[(\[]?\s*(?:内線番号|内線|内|ext\.?|x)\s*[:.]?\s*(\d{1,8})\s*[)\]]?\s*$", re.IGNORECASE)
_DASHES = re.compile(r"[\s\-‐‑‒–—―−ーｰ－~().・/]")
_DIGITS = re.compile(r"\+?[0-9]{6,16}")
_JAPANESE = re.compile(r"0(?:[1-9]\d{8}|[5789]0\d{8}|120\d{6}|800\d{7})")


def phone(text: str, country: str = "JP") -> tuple[str, str]:
    """(E.164, extension) of a number as typed in a country (ISO code); ('', '') where it is no telephone number.

    A leading zero that a spreadsheet has eaten is put back.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    extension = ""
    if found := _EXTENSION.search(plain):
        extension, plain = found.group(1), plain[: found.start()]
    digits = _DASHES.sub("", plain.replace("(0)", ""))
    if not _DIGITS.fullmatch(digits):  # the library would read letters as keys of a telephone: 9.01235E+10
        first = re.split(r"[/、,;|\n]", plain)[0]
        return phone(first, country) if first != plain and not extension else ("", "")
    if digits.startswith("+810"):
        digits = "+81" + digits[4:]
    if country == "JP" and digits.isdigit() and digits.isascii():
        if len(digits) in (9, 10) and digits[0] != "0":
            digits = "0" + digits
        if _JAPANESE.fullmatch(digits):
            return "+81" + digits[1:], extension
    try:
        number = phonenumbers.parse(digits, country)
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
        if _is_latin(plain):
            return _western(plain)
        return PersonName(parts[0], " ".join(parts[1:]), 1.0)
    whole = parts[0] if parts else ""
    for size in range(min(5, len(whole) - 1), 0, -1):
        if len(folded := fold(whole[:size])) == size and folded in _FOLDED_SURNAMES:
            return PersonName(whole[:size], whole[size:], 0.8)
    if len(whole) >= 4 and whole.isalpha() and not whole.isascii():
        return PersonName(whole[:2], whole[2:], 0.3)
    return PersonName(whole, "", 0.3 if whole else 0.0)


_PARTICLES = frozenset("de del della di da dos das la le van von der den ter ten bin ibn al el du".split())  # noqa: SIM905
_IBERIAN = re.compile(r"[áéíóúñãõç]|ez$", re.IGNORECASE)


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return bool(letters) and all(ord(char) < 0x250 for char in letters)


def _western(name: str) -> PersonName:
    """Taro Yamada, Yamada, Taro, Maria García López (two family names), Ludwig van Beethoven (a particle)."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if comma and family and given:
        return PersonName(family, given, 1.0)
    words = name.replace(",", " ").split()
    start = len(words) - 1
    if start > 1 and "." not in words[start - 1] and all(_IBERIAN.search(word) for word in words[start - 1 :]):
        start -= 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return PersonName(" ".join(words[start:]), " ".join(words[:start]), 0.8)


_FOLDED_SURNAMES = frozenset(fold(name) for name in SURNAMES)

_EXEC = re.compile(
    r"代表|取締|社長(?!室)|会長(?!室)|執行役|監査役|理事長|頭取|オーナー|創業者"
    r"|\b(?:c[eftois]o|cmo|cdo|president|founder|owner|director|[se]?vp|vice president)\b|^役員|専務|常務"
)
_MANAGER = re.compile(
    r"部長|次長|課長|室長|所長|工場長|支店長|支社長|センター長|局長|館長|店長|グループ長|マネー?ジャ|リーダー|長$|主幹|主査|\b(?:manager|head|gm|leader)\b"
)
_STAFF = re.compile(r"係長|主任|班長|組長|秘書(?!室長)|アシスタント|assistant")


def rank(title: str) -> str:
    """The band of a title: exec (経営層), manager (部課長), staff (一般社員); '' for no title."""
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


_SHORT_PREFECTURES = {name.removesuffix("県").removesuffix("府").removesuffix("都"): name for name in PREFECTURES}


def prefecture_name(text: str) -> str:
    """The one of the 47 that somebody has written as a prefecture (東京, 大阪府); '' for none."""
    plain = _SPACE.sub("", unicodedata.normalize("NFKC", text))
    return plain if plain in PREFECTURES else _SHORT_PREFECTURES.get(plain, "")


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


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        1,
    )
    for name in names.split()
}
_WORD = "|".join(sorted(_MONTHS, key=len, reverse=True))
_PART = r"\s*[-/.]\s*"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})(?!\d)\s*日?",
        r"(?P<era>令和|平成|昭和|[rhs])\s*(?P<count>元|\d{1,2})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})"
        r"(?!\d)\s*日?",
        r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})(?!\d)",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*(?P<word>{_WORD})\.?[-/., ]*(?P<year>\d{{4}}|\d{{2}})(?!\d)",
        rf"(?P<word>{_WORD})\.?[-/. ]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/., ]+(?P<year>\d{{4}})(?!\d)",
        rf"(?P<one>\d{{1,2}}){_PART}(?P<two>\d{{1,2}}){_PART}(?P<year>\d{{4}})(?!\d)",
        rf"(?P<year>\d{{2}}){_PART}(?P<month>\d{{1,2}}){_PART}(?P<day>\d{{1,2}})(?!\d)",
    )
)
_NUMBERS_FIRST = _DATES[5]
_ERA_START = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}
_WEEKDAY = re.compile(
    r"^[\s,T]*(?:\(?(?:[月火水木金土日]|mon|tue|wed|thu|fri|sat|sun)[a-z]*(?:曜日?)?\)?)?[\s,]*", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(?P<half>午前|午後|[ap]\.?m\.?)?\s*(?P<hour>\d{1,2})\s*(?:[:時]\s*(?:(?P<minute>\d{1,2})\s*分?)?|(?=\s*[ap]\.?m)|(?<=\d)(?=$))"
    r"\s*(?::?\s*(?P<second>\d{1,2})(?:[.,]\d+)?\s*秒?)?\s*(?P<after>[ap]\.?m\.?)?\s*"
    r"(?P<zone>z|utc|gmt|jst|[+-]\d{2}(?::?\d{2})?)?\s*$",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(\d{5})(\.\d+)?")
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_JST = timezone(timedelta(hours=9))


def moment(text: str, *, day_first: bool = False) -> datetime | None:
    """A date or a date and time as people and spreadsheets write them, as naive JST; None where there is none.

    2026/4/1 9:30, 2026年4月1日(水) 午後8時, 令和8年4月1日, 26/4/1, 1-Apr-26, Apr 1 2026 8:00 PM, 2026-04-01T00:30:00Z
    (the zone counts), 46113 (an Excel serial). 05/01/2026 is the 1st of May, or with `day_first` the 5th of January.
    """
    plain = visible(unicodedata.normalize("NFKC", text)).strip()
    plain = re.sub(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]\s*", "", plain, flags=re.IGNORECASE)
    try:
        if found := _SERIAL.fullmatch(plain):
            days = float(plain)
            return _DAY_ZERO + timedelta(seconds=round(days * 86_400)) if 36_526 <= days < 73_051 else None
        for pattern in _DATES:
            if found := pattern.match(plain):
                return _at(_date_of(found.groupdict(), day_first), plain[found.end() :])
    except (ValueError, OverflowError):
        return None
    return None


def has_two_readings(text: str) -> bool:
    """Whether a date can be read month first and day first (05/01/2026)."""
    one, other = moment(text), moment(text, day_first=True)
    return one != other and one is not None and other is not None


def order_of(text: str) -> str:
    """The order that a date shows by itself: "day_first" (25/04/2026), "month_first" (04/25/2026), '' none."""
    found = _NUMBERS_FIRST.match(visible(unicodedata.normalize("NFKC", text)).strip())
    if not found or (int(found["one"]) > 12) == (int(found["two"]) > 12):
        return ""
    return "day_first" if int(found["one"]) > 12 else "month_first"


def _date_of(found: Mapping[str, str | None], day_first: bool) -> datetime:
    year, month, day_of = found.get("year"), found.get("month"), found.get("day")
    if era := found.get("era"):
        count = found["count"] or ""
        year = str(_ERA_START[era.lower()] + (1 if count == "元" else int(count)))
    if word := found.get("word"):
        month = str(_MONTHS[word.lower()])
    if one := found.get("one"):
        two = found["two"] or ""
        month, day_of = (two, one) if int(one) > 12 or (day_first and int(two) <= 12) else (one, two)
    number = int(year or 0)
    return datetime(number + 2000 if number < 100 else number, int(month or 0), int(day_of or 0))  # noqa: DTZ001


def _at(date_: datetime, rest: str) -> datetime:
    """The date at the time of day that stands behind it; at 0:00 where nothing readable does."""
    found = _CLOCK.fullmatch(_WEEKDAY.sub("", rest, count=1))
    if not found or not rest.strip():
        return date_
    hour = int(found["hour"])
    half = (found["half"] or found["after"] or "").lower()
    if half.startswith(("午後", "p")) and hour < 12:
        hour += 12
    elif half.startswith(("午前", "a")) and hour == 12:
        hour = 0
    at = date_.replace(hour=hour % 24, minute=int(found["minute"] or 0), second=int(found["second"] or 0))
    at += timedelta(days=hour // 24)
    zone = (found["zone"] or "jst").lower()
    if zone == "jst":
        return at
    offset = timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    return at.replace(tzinfo=timezone(offset)).astimezone(_JST).replace(tzinfo=None)


def day(text: str, *, day_first: bool = False) -> date | None:
    found = moment(text, day_first=day_first)
    return found.date() if found else None


_SIGNS = "=+@\\-\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u207a\u207c\u208a\u208c"
_RUNS = re.compile(rf"^'*{UNSEEN[:-1]}\s]*[{_SIGNS}\t\r]|^'*[\t\r\n]")
_SIGNED = re.compile(r"[+-][\d\s().-]*")


def escape_formula(cell: str) -> str:
    """The cell so that a spreadsheet shows it instead of running it: with an apostrophe before it.

    That is what begins with = + - @ or a tab, also in full width and behind blanks and marks that nobody sees, but no
    plain number or telephone number with its sign. Source: OWASP, CSV Injection.
    """
    return "'" + cell if _RUNS.match(cell) and not _SIGNED.fullmatch(cell) else cell


def unescape_formula(cell: str) -> str:
    """What `escape_formula` was given: its apostrophe off, nobody else's."""
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell) and not _SIGNED.fullmatch(cell[1:]) else cell
