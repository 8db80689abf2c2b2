"""Workbooks, read by a process of its own (`sheet_reader`) with limits of memory and time: its rows come by a pipe."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from . import sheet_reader

log = structlog.get_logger(__name__)

SILENCE = 120
"""Seconds without a row after which the reader is given up."""
MAX_LINE = 64_000_000


class SheetError(ValueError):
    """A workbook that cannot be read: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Row:
    """`number` in the sheet from 1; `share` of the file read so far; its cells as text."""

    number: int
    share: float
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    """A workbook being read: its visible `sheets`, the one that `rows` come from."""

    sheets: tuple[str, ...]
    name: str
    rows: Iterator[Row]


@contextmanager
def opened(path: Path, sheet: str = "", rows: int = 0) -> Iterator[Sheet]:
    """The first `rows` (0 = all) filled rows of a sheet ('' = the fullest visible one). SheetError, also later."""
    command = [sys.executable, "-I", sheet_reader.__file__, str(path), sheet, str(rows)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        lines = _lines(process)
        head: Any = next(lines, {})
        if not isinstance(head, dict) or "sheets" not in head:
            raise SheetError("sheet_unreadable")
        yield Sheet(tuple(head["sheets"]), head["sheet"], (Row(line[0], line[1], line[2:]) for line in lines))
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


class _Watch:
    """Ends a reader that has said nothing for SILENCE seconds."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.lines = 0
        threading.Thread(target=self._look, name="sheet-watch", daemon=True).start()

    def _look(self) -> None:
        seen = -1
        while seen != self.lines:
            seen = self.lines
            try:
                self.process.wait(SILENCE)
                return
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()


def _lines(process: "subprocess.Popen[bytes]") -> Iterator[Any]:
    """What the reader says, line by line; SheetError where it gives up, goes silent or ends by its limits."""
    assert process.stdout
    watch = _Watch(process)
    while line := process.stdout.readline(MAX_LINE):
        watch.lines += 1
        said = json.loads(line) if line.endswith(b"\n") else {"error": "sheet_too_big"}
        if isinstance(said, dict) and "error" in said:
            log.warning("a workbook was not read", code=said["error"], cause=said.get("cause", ""))
            raise SheetError(said["error"])
        yield said
    if status := process.wait():
        log.warning("the reader of a workbook ended by its limits", status=status)
        raise SheetError("sheet_too_big")
