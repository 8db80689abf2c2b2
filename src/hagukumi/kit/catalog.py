"""The message catalogues: `python -m hagukumi.kit.catalog update | check | compile`.

Msgids are Japanese. The
words of a noun lie beside its screen (`screens/<group>/<noun>/locale`), as do those of its room;
a word that two nouns use is a shared term and lies in `screens/shell/locale`, so that it has one English everywhere.
"""

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from hagukumi.kit.locales import SCREENS

SOURCE = SCREENS.parent
SHELL = "shell"
NOUNS = (SHELL, *sorted(path.parent.relative_to(SCREENS).as_posix() for path in SCREENS.glob("*/*/__init__.py")))
_HOMES = {
    "accounts": "settings/accounts",
    "overview/health": "settings/health",
    "overview/homes": "overview/home",
    "overview/leads": "people/leads",
    "overview/timeline": "people/leads",
    "overview/companies": "people/companies",
    "people/consent": "people/leads",
    "people/fields": "people/leads",
    "people/identity": "people/imports",
}
"""Rooms whose words lie beside a screen of another name."""
_VERBS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
_JAPANESE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]")
_NO_TEXT = re.compile(
    r"{%\s*comment.*?{%\s*endcomment\s*%}|{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}"
    r"|{%.*?%}|{{.*?}}|{#.*?#}",
    re.DOTALL,
)
_SAID_JAPANESE = re.compile(r'<\w[^<>]*\blang="ja"[^<>]*>[^<]*')
_NOISE = re.compile(r'"(POT?-[A-Z][a-z]+-Date|Generated|Last-Translator|Language-Team|Report-Msgid|Project-Id)')
_HEAD = "Hagukumi: the English words of one noun. msgids are the Japanese ones."
Keywords = dict[str, tuple[int | tuple[int, str], ...] | None]


def noun_of(path: Path) -> str:
    """The noun beside whose screen this file's words belong."""
    parts = path.relative_to(SOURCE).parts
    if parts[0] == "screens":
        parts = parts[1:]
    elif parts[0] == "integrations":
        name = Path(parts[-1]).stem
        return next((noun for noun in NOUNS if noun.endswith(f"/{name}")), SHELL)
    place = "/".join(parts[:2])
    found = _HOMES.get(place, _HOMES.get(parts[0], place))
    return found if found in NOUNS else SHELL


def po_path(noun: str) -> Path:
    return SCREENS / noun / "locale" / "en" / "LC_MESSAGES" / "django.po"


Key = tuple[str | tuple[str, ...], str | None]


@cache
def _asked() -> dict[Key, dict[str, list[str]]]:
    """Every msgid that the source asks for (with its plural, where any file has one): by noun, its files."""
    found: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    plurals: dict[tuple[str, str | None], tuple[str, ...]] = {}
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]):
        if "migrations" in path.parts:
            continue
        for _line, message, _comments, context in _messages(path):
            singular = message if isinstance(message, str) else message[0]
            if isinstance(message, tuple):
                plurals[singular, context] = message
            where = found.setdefault((singular, context), {}).setdefault(noun_of(path), [])
            where.append(path.relative_to(SOURCE).as_posix())
    return {(plurals.get(key, key[0]), key[1]): nouns for key, nouns in found.items()}


def extracted(noun: str) -> Catalog:
    """A fresh catalogue of the noun's own words; the shell's also holds the terms that several nouns share."""
    catalog = _blank()
    for (message, context), nouns in _asked().items():
        if (SHELL if len(nouns) > 1 else next(iter(nouns))) == noun:
            places = sorted({place for where in nouns.values() for place in where})
            catalog.add(message, None, [(place, 1) for place in places], context=context)
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


def load(noun: str) -> Catalog:
    """The noun's catalogue as it is in the repository; empty where there is none yet."""
    path = po_path(noun)
    if not path.exists():
        return _blank()
    with path.open("rb") as file:
        return read_po(file, locale="en", domain="django")


def update(noun: str, old: list[Catalog]) -> int:
    """Bring the noun's catalogue to what its files ask for; returns how many msgids wait for their English.

    `old`: the catalogues as they were; a word that moved from one to another takes its English along.
    """
    new = extracted(noun)
    for message in new:
        if message.id:
            kept = [found for source in old if (found := source.get(message.id, context=message.context))]
            filled = [found.string for found in kept if _filled(found.string)]
            filled = [string for string in filled if isinstance(string, str) == isinstance(message.id, str)]
            message.string = filled[0] if filled else message.id if _plain(message.id) else message.string
    path = po_path(noun)
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


def problems(noun: str) -> list[str]:
    """What keeps the noun's English from being complete, one line each; empty when it is."""
    wanted, there = extracted(noun), load(noun)
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
    return found + [f"obsolete: {message!r}" for message in gone] + list(_bare(noun)) + list(_unseen(noun))


def contradictions() -> list[str]:
    """Msgids that two catalogues translate differently; only a context may part the meanings of one word."""
    said: dict[tuple[str, str | None], dict[str, str]] = {}
    for noun in NOUNS:
        for message in load(noun):
            if message.id and isinstance(message.id, str) and message.string:
                said.setdefault((message.id, message.context), {})[str(message.string)] = noun
    return [f"two translations: {key[0]!r}: {words}" for key, words in said.items() if len(words) > 1]


def _unseen(noun: str) -> Iterator[str]:
    """Words that are asked for through another module (`words.gettext("…")`): no reader of the source collects them."""
    for path in sorted(SOURCE.rglob("*.py")):
        if noun_of(path) != noun:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked = node.func if isinstance(node, ast.Call) else None
            if isinstance(asked, ast.Attribute) and asked.attr.removesuffix("_lazy") in _VERBS:
                yield f"not collected: {path.relative_to(SOURCE)}:{asked.lineno}: {ast.unparse(asked)}"


def _bare(noun: str) -> Iterator[str]:
    """Japanese that stands in a template outside of every translation tag, unless its element says lang="ja"."""
    for path in sorted((SCREENS).rglob("*.html")):
        if noun_of(path) != noun:
            continue
        text = path.read_text(encoding="utf-8")
        for pattern in (_NO_TEXT, _SAID_JAPANESE):
            text = pattern.sub(lambda match: "\n" * match.group().count("\n"), text)
        for number, line in enumerate(text.splitlines(), 1):
            if _JAPANESE.search(line):
                yield f"not translatable: {path.relative_to(SOURCE)}:{number}: {line.strip()[:60]}"


def compile_all() -> int:
    """Write the binary catalogue beside each older or missing one; returns how many were written."""
    written = 0
    for source in sorted(SCREENS.glob("**/locale/en/LC_MESSAGES/django.po")):
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
    act = parser.parse_args(arguments).act
    if act == "compile":
        print(f"{compile_all()} catalogues compiled")
        return 0
    if act == "update":
        old = [load(noun) for noun in NOUNS]
        for noun in NOUNS:
            if waiting := update(noun, old):
                print(f"{noun}: {waiting} to translate in {po_path(noun).relative_to(SOURCE)}")
        return 0
    found = [f"{noun}: {problem}" for noun in NOUNS for problem in problems(noun)] + contradictions()
    print("\n".join(found) or "every word is there in English")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
