"""Forms and their answers: the definition, and one validation that the collector and the web page share. Pure.

A definition is stored as JSON (`form_version.definition`) and read by `definition()`. Messages are in the visitor's
language; field texts carry `_ja` and `_en` and fall back to the other one where empty.
"""

import hashlib
import re
import secrets
import time
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from . import tokens
from .columns import COLUMNS, Column, ColumnError

TYPES = ("text", "email", "tel", "select", "textarea", "checkbox")
LEAD_COLUMNS = tuple(key for key, column in COLUMNS.items() if column.form)
TRAP = "website_url"
"""The field that people do not see and robots fill in."""
STARTED, VISITOR, CONSENT, LANGUAGE, WORK = "_started", "_visitor", "_consent", "_language", "_work"
WORK_BITS = 15
"""Leading zero bits of SHA-256 that a page's proof of work shows: a second or two of a phone, while it is filled in."""
MIN_SECONDS = 1
MAX_SECONDS = 86_400 * 2
_LENGTHS = {"textarea": 4000, "email": 254, "tel": 30}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NAMES = frozenset(("last_name", "first_name", "last_kana", "first_kana", "company_name", "department", "title"))
"""Columns that a mail says back to the address typed beside them: whoever fills them in writes to that address."""
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(
    r"://|\bwww\.|[a-z0-9-]+\.[a-z]{2,24}[/?#]|\b(?:https?|hxxps?|ftp|mailto|javascript|data):", re.IGNORECASE
)
_DOMAIN = re.compile(
    r"\b[a-z0-9-]{2,}\.(?:[a-z]{2}|com|net|org|info|biz|xyz|top|site|online|shop|click|link|live|app|dev|icu|club|vip|work"
    r"|buzz|store|website|space|example)\b",
    re.IGNORECASE,
)
_PEOPLE = frozenset(("last_name", "first_name", "last_kana", "first_kana"))
_MESSAGES = {
    "send": ("送信する", "Send"),
    "required": ("入力してください。", "Please fill this in."),
    "choose": ("選んでください。", "Please choose one."),
    "tick": ("チェックしてください。", "Please tick this box."),
    "email": (
        "メールアドレスの形を確かめてください（例: name@example.co.jp）。",
        "Please check the e-mail address (example: name@example.co.jp).",
    ),
    "tel": (
        "電話番号を確かめてください（例: 03-1234-5678）。",
        "Please check the phone number (example: +81-3-1234-5678).",
    ),
    "link": (
        "リンクや特別な記号は入れられません。",
        "Links and special characters cannot be entered here.",
    ),
    "long": ("{limit} 文字までで入力してください。", "Please keep this within {limit} characters."),
    "number": ("数字で入力してください。", "Please enter a number."),
    "choice": ("一覧から選んでください。", "Please choose from the list."),
    "bad_choice": ("一覧から選んでください。", "Please choose from the list."),
    "bad_postal_code": ("郵便番号は 7 桁で入力してください。", "Please enter the seven digits of the postal code."),
    "bad_prefecture": ("都道府県の名前を入力してください。", "Please enter the name of a prefecture."),
    "control": ("使えない文字が入っています。", "This holds a character that cannot be kept."),
    "consent": ("送信には同意が必要です。", "Your agreement is needed to send this form."),
    "early": (
        "送信が早すぎました。もう一度送信してください。",
        "That was very quick. Please send it once more.",
    ),
    "stale": (
        "ページを開いてから時間が経ちました。再読み込みしてからもう一度送信してください。",
        "This page has been open for a long time. Please reload it and send it again.",
    ),
}


class Choice(msgspec.Struct, frozen=True):
    """One answer of a select. `value` is stored."""

    value: str
    label_ja: str = ""
    label_en: str = ""


class Field(msgspec.Struct, frozen=True):
    """One question. `maps_to`: a lead column, `fields.<key>` for an own field, or '' (kept with the answers only)."""

    key: str
    type: str = "text"
    label_ja: str = ""
    label_en: str = ""
    required: bool = False
    maps_to: str = ""
    choices: tuple[Choice, ...] = ()

    def label(self, language: str) -> str:
        return pick(self.label_ja, self.label_en, language) or self.key


class Definition(msgspec.Struct, frozen=True):
    """A form: what it says and asks. `consent`: none, optional or required; `redirect`: own thanks page, or ''."""

    title_ja: str = ""
    title_en: str = ""
    lead_ja: str = ""
    lead_en: str = ""
    button_ja: str = ""
    button_en: str = ""
    thanks_ja: str = ""
    thanks_en: str = ""
    consent: str = "none"
    redirect: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """`values` by field key (as to be stored), `errors` by field key ('' = the whole form), `trap`: a robot's doing."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    consent: bool = False
    trap: bool = False

    @property
    def ok(self) -> bool:
        return not self.errors and not self.trap


def definition(stored: Mapping[str, Any]) -> Definition:
    """Read a stored definition. ValueError where it is not one."""
    try:
        return msgspec.convert(stored, Definition, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def stored(form: Definition) -> dict[str, Any]:
    """The definition as JSON values."""
    built: dict[str, Any] = msgspec.to_builtins(form)
    return built


def pick(japanese: str, english: str, language: str) -> str:
    """The text in the language asked for, else in the other one."""
    return (english or japanese) if language == "en" else (japanese or english)


def language_of(header: str) -> str:
    """`en` where an Accept-Language header prefers English to Japanese, else `ja`."""
    first = re.search(r"\b(ja|en)\b", header.lower())
    return "en" if first and first.group() == "en" else "ja"


def started_token(version_id: int, at: float) -> str:
    """Says which page with this form was handed out and when; a form that comes back needs it. Good for one answer."""
    return tokens.seal("form", version_id, int(at), secrets.randbits(62))


def event_of(token: str) -> uuid.UUID:
    """The id of the one answer that a page may give: whatever is sent twice by one page is the same event."""
    return uuid.UUID(bytes=hashlib.blake2b(token.encode(), digest_size=16, person=b"hagukumi answer").digest())


def work_done(token: str, counter: str, bits: int = WORK_BITS) -> bool:
    """Whether SHA-256 of `<token>:<counter>` begins with `bits` zero bits (hashcash): the page has worked for it."""
    if not (counter.isascii() and counter.isdigit() and len(counter) <= 12):
        return False
    found = hashlib.sha256(f"{token}:{counter}".encode()).digest()
    return int.from_bytes(found[:8], "big") >> (64 - bits) == 0


def names_link(column: str, text: str) -> bool:
    """Whether a name or company holds an address, a control character, or marks that turn text around.

    A company may be called after its domain (価格.com); a person is not.
    """
    plain = unicodedata.normalize("NFKC", text)
    return bool(_UNNAMEABLE.search(text) or _LINK.search(plain) or (column in _PEOPLE and _DOMAIN.search(plain)))


def message(code: str, language: str, **values: object) -> str:
    return _MESSAGES[code][1 if language == "en" else 0].format(**values)


def validate(form: Definition, answers: Mapping[str, str], language: str, *, at: float | None = None) -> Outcome:
    """Judge raw answers (all texts, as a browser sends them). `at`: epoch seconds of receipt, for the fill time."""
    now = time.time() if at is None else at
    if answers.get(TRAP, "").strip():
        return Outcome(trap=True)
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for question in form.fields:
        value, problem = _judge(question, answers.get(question.key, ""), language)
        if problem:
            errors[question.key] = problem
        elif value not in ("", None):
            values[question.key] = value
    consent = _ticked(answers.get(CONSENT, ""))
    if form.consent == "required" and not consent:
        errors[CONSENT] = message("consent", language)
    if not errors and (code := _hurry(answers.get(STARTED, ""), now)):
        if code == "trap":
            return Outcome(trap=True)
        errors[""] = message(code, language)
    return Outcome(values, errors, consent and form.consent != "none")


def details(outcome: Outcome, language: str, address: str, page: str, work: str) -> dict[str, Any]:
    """What goes into the inbox of one answer, whichever door took it: also from where, and whether its page worked."""
    return {
        "answers": outcome.values,
        "consent": outcome.consent,
        "language": language,
        "from": address,
        "work": work_done(page, work),
    }


def lead_row(form: Definition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as lead columns, own fields under `fields`; questions that map to nothing stay out."""
    row: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for question in form.fields:
        value = values.get(question.key)
        if value in ("", None):
            continue
        if question.maps_to.startswith("fields."):
            own[question.maps_to.removeprefix("fields.")] = value
        elif question.maps_to in LEAD_COLUMNS:
            row[question.maps_to] = value
    return {**row, "fields": own} if own else row


def safe_redirect(url: str) -> str:
    """The address where it is a plain http(s) one, else ''."""
    parts = urlsplit(url)
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _judge(question: Field, raw: str, language: str) -> tuple[Any, str]:
    if question.maps_to in _NAMES and names_link(question.maps_to, raw.strip("\ufeff \t\r\n\u3000")):
        return "", message("link", language)
    text = _CONTROL.sub("", raw.replace("\r\n", "\n")).strip()
    if question.type == "checkbox":
        ticked = _ticked(text)
        return ticked, message("tick", language) if question.required and not ticked else ""
    if not text:
        code = "choose" if question.type == "select" else "required"
        return "", message(code, language) if question.required else ""
    column = COLUMNS.get(question.maps_to) or _BY_TYPE.get(question.type)
    limit = (column.limit if column else 0) or _LENGTHS.get(question.type, 200)
    if len(text) > limit:
        return "", message("long", language, limit=limit)
    if question.type == "select" and not any(choice.value == text for choice in question.choices):
        return text, message("choice", language)
    return _typed(question, column, text, language)


_BY_TYPE = {"email": COLUMNS["email"], "tel": COLUMNS["phone"]}
_SEVERAL = re.compile(r"[\s<>,;:]|@.*@")
_REFUSALS = {"bad_email": "email", "bad_phone": "tel", "bad_number": "number", "too_long": "long"}


def _typed(question: Field, column: Column | None, text: str, language: str) -> tuple[Any, str]:
    """The answer as it is kept: as typed, in half width where it is an address or a number."""
    if question.type in ("email", "tel"):
        text = unicodedata.normalize("NFKC", text)
    if column is None:
        return text, ""
    if column.type == "email" and _SEVERAL.search(text):  # a file may hold `名前 <a@b>`; a person at a form is asked
        return text, message("email", language)
    try:
        value = column.clean(text)
    except ColumnError as error:
        return text, message(_REFUSALS.get(error.code, error.code), language, limit=error.limit)
    return (value if column.type in ("number", "email") else text), ""


def _ticked(text: str) -> bool:
    return text.strip().lower() in ("1", "on", "true", "yes")


def _hurry(token: str, now: float) -> str:
    """'' in order, `early`, `stale`, or `trap` where the page was never handed out by us."""
    try:
        numbers, _ = tokens.unseal("form", token)
        _version, started, _page = numbers
        age = now - started
    except ValueError:  # a BadTokenError is one
        return "trap"
    if age < MIN_SECONDS:
        return "early"
    return "stale" if age > MAX_SECONDS else ""
