"""What lies about a person in files: uploaded lists, the collector's spool, the development mailbox."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hagukumi.kit.held import held

ENCODINGS = ("utf-8", "cp932", "utf-16-le")
WHOLE = ("files/imports", "mailbox")
"""Folders of the home whose files are single uploads or mails: one that names the person goes as a whole."""
LINES = ("spool",)
"""Folders whose files are lines, one event each: a line that names the person goes.

The collector goes on writing meanwhile. Each file is rewritten while it is held; `current`, which the collector renames
to a number, comes first, so that none slips from before us to behind us.
"""


def erase(home: Path, marks: Iterable[str]) -> list[str]:
    """Take the person out of every file; the names, below the home, of what was changed or deleted.

    `marks`: their addresses and visitor marks, in lower case. A file is read whole: erasing is rare.
    """
    needles = list(_needles(marks))
    changed = []
    for folder in (*WHOLE, *LINES):
        rid = _rid_lines if folder in LINES else _rid_whole
        changed += [str(path.relative_to(home)) for path in _files(home / folder) if rid(path, needles)]
    return changed


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder, `current` first; the others are listed when that one is done with."""
    current = folder / "current"
    if current.is_file():
        yield current
    for path in sorted(folder.rglob("*")):
        if path != current and path.is_file() and not path.is_symlink():
            yield path


def _rid_whole(path: Path, needles: list[bytes]) -> bool:
    if not _named(path.read_bytes(), needles):
        return False
    path.unlink()
    return True


def _rid_lines(path: Path, needles: list[bytes]) -> bool:
    """Take the person's lines out of a file; False where it names nobody or has been copied away meanwhile."""
    try:
        with held(path):
            content = path.read_bytes()
            if not _named(content, needles):
                return False
            kept = b"".join(line for line in re.findall(rb"[^\n]*\n|[^\n]+$", content) if not _named(line, needles))
            partial = path.with_name(path.name + ".partial")
            with partial.open("wb") as file:
                file.write(kept)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
    except FileNotFoundError:
        return False
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
