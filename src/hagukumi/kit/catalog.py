"""The message catalogues: `python -m hagukumi.kit.catalog update [ROOM] | check [ROOM] | compile`.

Msgids are Japanese; each room has one English catalogue, so two people never edit the same one. A file belongs to the
room of its folder (`<room>/`, `ui/templates/<room>/`) or name (`ui/<room>.py`, `api/<room>.py`), else to `house`.
"""

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from hagukumi.kit.locales import LOCALE_ROOT

SOURCE = LOCALE_ROOT.parent
ROOMS = (
    "accounts", "companies", "consent", "content", "deals", "forms", "leads", "messages", "phases", "reports",
    "scenarios", "scoring", "segments", "tracking",
)  # fmt: skip
_SHARED = {
    "imports": "leads",
    "sources": "leads",
    "lead": "leads",
    "timeline": "leads",
    "members": "accounts",
    "audit": "accounts",
    "conditions": "segments",
    "form_builder": "forms",
    "public_forms": "forms",
    "scenario_forms": "scenarios",
    "broadcasts": "messages",
    "mail_kpi": "messages",
    "unsubscribe": "messages",
}  # faces without a room of their own
_VERBS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
_NO_TEXT = re.compile(
    r"{%\s*comment.*?{%\s*endcomment\s*%}|{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}"
    r"|{%.*?%}|{{.*?}}|{#.*?#}",
    re.DOTALL,
)
_NOISE = re.compile(r'"(POT?-[A-Z][a-z]+-Date|Generated|Last-Translator|Language-Team|Report-Msgid|Project-Id)')
_HEAD = "Hagukumi: the English words of one room. msgids are the Japanese ones."
Keywords = dict[str, tuple[int | tuple[int, str], ...] | None]


def room_of(path: Path) -> str:
    """The room whose catalogue holds this file's words."""
    parts = path.relative_to(SOURCE).parts
    name = Path(parts[-1]).stem if parts[0] in ("ui", "api") and len(parts) == 2 else parts[0]
    if parts[:2] == ("ui", "templates"):
        name = parts[2]
    name = _SHARED.get(name, name)
    return name if name in ROOMS else "house"


def po_path(room: str) -> Path:
    return LOCALE_ROOT / room / "en" / "LC_MESSAGES" / "django.po"


def extracted(room: str) -> Catalog:
    """A fresh catalogue of what the room's Python files and templates ask to have translated."""
    catalog = _blank()
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]):
        if "migrations" in path.parts or room_of(path) != room:
            continue
        for line, message, _comments, context in _messages(path):
            catalog.add(message, None, [(path.relative_to(SOURCE).as_posix(), line)], context=context)
    return catalog


def _messages(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # each line stands alone, so that the blanked text between the calls never looks like Python's indentation
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
        keywords: Keywords = {"_": None, **_VERBS}
    else:
        keywords = _keywords(text)
    if keywords:
        yield from extract("python", io.BytesIO(text.encode()), keywords=keywords)  # type: ignore[arg-type]


def _keywords(text: str) -> Keywords:
    """By which names this module calls Django's translation functions."""
    found: Keywords = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            for name in node.names:
                if (verb := name.name.removesuffix("_lazy")) in _VERBS:
                    found[name.asname or name.name] = _VERBS[verb]
    return found


def _blank() -> Catalog:
    return Catalog(locale="en", domain="django", project="Hagukumi", header_comment=f"# {_HEAD}", fuzzy=False)


def load(room: str) -> Catalog:
    """The room's catalogue as it is in the repository; empty where there is none yet."""
    path = po_path(room)
    if not path.exists():
        return _blank()
    with path.open("rb") as file:
        return read_po(file, locale="en", domain="django")


def update(room: str) -> int:
    """Bring the room's catalogue to what its files ask for; returns how many msgids wait for their English.

    A msgid that another room has in English already takes its words: one term, one translation.
    """
    new, old = extracted(room), load(room)
    others = [load(other) for other in ("house", *ROOMS) if other != room]
    for message in new:
        if message.id:
            kept = [found for source in (old, *others) if (found := source.get(message.id, context=message.context))]
            filled = [found.string for found in kept if _filled(found.string)]
            message.string = filled[0] if filled else message.id if _plain(message.id) else message.string
    path = po_path(room)
    if not any(message.id for message in new):
        path.unlink(missing_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.BytesIO()
    write_po(text, new, width=120, include_lineno=False, sort_output=True)
    lines = [line for line in text.getvalue().decode().splitlines() if not _NOISE.match(line)]
    path.write_text("\n".join(lines).strip() + "\n", encoding="utf-8")
    return sum(1 for message in new if message.id and not _filled(message.string))


def _filled(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) and string else bool(string)


def _plain(message: str | tuple[str, ...] | list[str]) -> bool:
    """Whether a msgid is its own English: there is no Japanese in it."""
    return not _JAPANESE.search("".join(message))


def problems(room: str) -> list[str]:
    """What keeps the room's English from being complete, one line each; empty when it is."""
    wanted, there = extracted(room), load(room)
    found = []
    for message in wanted:
        if not message.id:
            continue
        kept = there.get(message.id, context=message.context)
        if kept is None:
            found.append(f"missing: {message.id!r}")
        elif not _filled(kept.string):
            found.append(f"empty: {message.id!r}")
        elif _JAPANESE.search("".join(kept.string or "")):
            found.append(f"still Japanese: {message.id!r}")
        else:
            found += [f"{error}: {message.id!r}" for error in kept.check()]
    gone = [m.id for m in there if m.id and wanted.get(m.id, context=m.context) is None]
    return found + [f"obsolete: {message!r}" for message in gone] + list(_bare(room))


def _bare(room: str) -> Iterator[str]:
    """Japanese that stands in a template outside of every translation tag, unless its line says lang="ja"."""
    for path in sorted((SOURCE / "ui/templates").rglob("*.html")):
        if room_of(path) != room:
            continue
        text = _NO_TEXT.sub(lambda match: "\n" * match.group().count("\n"), path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), 1):
            if _JAPANESE.search(line) and 'lang="ja"' not in line:
                yield f"not translatable: {path.relative_to(SOURCE)}:{number}: {line.strip()[:60]}"


def conflicts() -> list[str]:
    """msgids that two rooms put into English differently: only one of them would be shown."""
    seen: dict[tuple[object, object], tuple[str, object]] = {}
    found = []
    for room in ("house", *ROOMS):
        for message in load(room):
            key = (message.id if isinstance(message.id, str) else tuple(message.id), message.context)
            other, string = seen.setdefault(key, (room, message.string))
            if message.id and string != message.string:
                found.append(f"{other} and {room} differ: {message.id!r}: {string!r}, {message.string!r}")
    return found


def compile_all() -> int:
    """Write the binary catalogue beside each older or missing one; returns how many were written."""
    written = 0
    for source in sorted(LOCALE_ROOT.glob("*/en/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale="en", domain="django")
        partial = target.with_suffix(".mo.part")
        with partial.open("wb") as out:
            write_mo(out, catalog)
        partial.replace(target)
        written += 1
    return written


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hagukumi.kit.catalog", description=__doc__)
    parser.add_argument("act", choices=("update", "check", "compile"))
    parser.add_argument("room", nargs="?", choices=("house", *ROOMS))
    given = parser.parse_args(arguments)
    rooms = (given.room,) if given.room else ("house", *ROOMS)
    if given.act == "compile":
        print(f"{compile_all()} catalogues compiled")
        return 0
    if given.act == "update":
        for room in rooms:
            print(f"{room}: {update(room)} to translate in {po_path(room).relative_to(SOURCE)}")
        return 0
    found = [f"{room}: {problem}" for room in rooms for problem in problems(room)]
    found += [] if given.room else conflicts()
    print("\n".join(found) or "every word is there in English")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
