"""What lies about a person in files: uploaded lists, the collector's spool, the development mailbox."""

from collections.abc import Iterable, Iterator
from pathlib import Path

ENCODINGS = ("utf-8", "cp932", "utf-16-le")
WHOLE = ("files/imports", "mailbox")
"""Folders of the home whose files are single uploads or mails: one that names the person goes as a whole."""
LINES = ("spool",)
"""Folders whose files are lines, one event each: a line that names the person goes."""


def erase(home: Path, marks: Iterable[str]) -> list[str]:
    """Take the person out of every file; the names, below the home, of what was changed or deleted.

    `marks`: their addresses and visitor marks, in lower case. A file is read whole: erasing is rare.
    """
    needles = list(_needles(marks))
    changed = []
    for folder in (*WHOLE, *LINES):
        for path in sorted((home / folder).rglob("*")) if (home / folder).is_dir() else ():
            if path.is_file() and not path.is_symlink() and _rid(path, needles, lines=folder in LINES):
                changed.append(str(path.relative_to(home)))
    return changed


def _rid(path: Path, needles: list[bytes], *, lines: bool) -> bool:
    content = path.read_bytes()
    if not _named(content, needles):
        return False
    if not lines:
        path.unlink()
        return True
    kept = b"".join(line for line in content.splitlines(keepends=True) if not _named(line, needles))
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(kept)
    partial.replace(path)
    return True


def _named(content: bytes, needles: list[bytes]) -> bool:
    low = content.lower()
    return any(needle in low for needle in needles)


def _needles(marks: Iterable[str]) -> Iterator[bytes]:
    for mark in marks:
        for encoding in ENCODINGS:
            try:
                yield mark.encode(encoding)
            except UnicodeEncodeError:
                continue
