"""vCards (3 and 4, and what older phones write) as rows of a table. Sources: RFC 2426, RFC 6350."""

import quopri
import re
from collections.abc import Iterable, Iterator

HEADER = (
    "氏名", "姓", "名", "セイ", "メイ", "会社名", "部署", "役職", "メールアドレス", "電話番号", "携帯電話", "郵便番号",
    "住所",
)  # fmt: skip
MAX_LINE = 100_000
_PROPERTY = re.compile(r"(?:[\w-]+\.)?([A-Za-z-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_SIMPLE = {
    "FN": "氏名", "TITLE": "役職", "EMAIL": "メールアドレス", "X-PHONETIC-LAST-NAME": "セイ",
    "X-PHONETIC-FIRST-NAME": "メイ",
}  # fmt: skip


def rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """One row of HEADER's columns per card, in order. What a card says twice counts once: the first."""
    card: dict[str, str] | None = None
    for line in _unfolded(lines):
        name, parameters, value = _read(line)
        if name == "BEGIN" and value.upper() == "VCARD":
            card = {}
        elif name == "END" and card is not None:
            yield [card.get(column, "") for column in HEADER]
            card = None
        elif card is not None:
            for column, text in _columns(name, parameters, value):
                if text and not card.get(column):
                    card[column] = text


def _unfolded(lines: Iterable[str]) -> Iterator[str]:
    """Lines with those that go on with a blank, or (quoted-printable) after a =, put together."""
    whole = ""
    for line in lines:
        line = line.rstrip("\r\n")
        soft = whole.endswith("=") and "QUOTED-PRINTABLE" in whole.upper()
        if (soft or line[:1] in (" ", "\t")) and len(whole) < MAX_LINE:
            whole = whole[:-1] + line if soft else whole + line[1:]
        else:
            yield whole
            whole = line
    yield whole


def _read(line: str) -> tuple[str, str, str]:
    """(property, its parameters in capitals, its value) of a line; empty where it is none."""
    found = _PROPERTY.fullmatch(line[:MAX_LINE])
    if not found:
        return "", "", ""
    name, parameters, value = found[1].upper(), found[2].upper(), found[3]
    if "QUOTED-PRINTABLE" in parameters:
        charset = "cp932" if "SHIFT" in parameters else "utf-8"
        value = quopri.decodestring(value.encode("utf-8", "replace")).decode(charset, "replace")
    return name, parameters, value


def _columns(name: str, parameters: str, value: str) -> list[tuple[str, str]]:
    if name in _SIMPLE:
        return [(_SIMPLE[name], _plain(value))]
    if name == "TEL":
        if "FAX" in parameters or "PAGER" in parameters:
            return []
        mobile = "CELL" in parameters or "IPHONE" in parameters
        return [("携帯電話" if mobile else "電話番号", _plain(value).removeprefix("tel:"))]
    parts = [_plain(part) for part in re.split(r"(?<!\\);", value)] + [""] * 7
    if name == "N":
        return [("姓", parts[0]), ("名", parts[1])]
    if name == "ORG":
        return [("会社名", parts[0]), ("部署", " ".join(part for part in parts[1:] if part))]
    if name == "ADR":
        return [("郵便番号", parts[5]), ("住所", "".join((parts[4], parts[3], parts[2], parts[1])))]
    return []


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
