"""Runs as a program of its own: reads one workbook within limits and prints its rows, one JSON array a line.

`sheet_reader.py FILE SHEET ROWS`: SHEET '' = the fullest visible one, ROWS 0 = all. The first line is an object:
`sheets` (visible ones, in order), `sheet` (the one read); then [row number, share of the file read, cells...];
where it cannot go on, the last line is {"error": CODE, "cause": ...} (`tables.TableError`). Only the standard library
is imported, so that it starts fast; what a hostile file does here ends with this process.
Source: ECMA-376 part 1, 18.3 (sheets), 18.8 (number formats).
"""

import json
import re
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

MEMORY = 1_500_000_000
"""Bytes of address space. A workbook of a million rows and a million different texts takes about 600 MB."""
SECONDS = 600
UNPACKED = 1_000_000_000
"""Bytes that one part of the workbook may unpack to; more is a bomb."""
DEPTH = 64
COLUMNS = 600
ROWS = 1_048_576
GAP = 10_000
"""So many empty rows end the table: what stands behind them is a stray cell."""
CELL = 100_000
"""Characters of one cell; Excel's own limit is 32,767."""
MERGES = 100_000
SAMPLE = 200
NO_VALUE = "\x02"
"""Stands for the value of a formula that was stored without one."""
_CHUNK = 1 << 16
_LETTERS = re.compile(r"([A-Z]{1,7})(\d{1,10})")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell[^>]{0,80}?ref="([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})"')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DATE_IDS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
Handler = Callable[..., None]


class RefusedError(Exception):
    """The workbook cannot be read: the argument is the code to say so."""


class _EnoughError(Exception):
    """All rows that were asked for have been seen."""


class Workbook:
    """An .xlsx: its visible sheets, the texts and dates its cells point to, and its rows."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)
        self.names = set(self.archive.namelist())
        self.sheets: list[tuple[str, str]] = []
        self.since_1904 = False
        self._hidden: list[tuple[str, str]] = []
        self._targets: dict[str, str] = {}
        self._texts: list[str] | None = None
        self._is_date: list[bool] = []
        self._read_book()

    def _read_book(self) -> None:
        book = "xl/workbook.xml"
        if book not in self.names:
            raise RefusedError("sheet_unreadable")

        def relation(name: str, found: dict[str, str]) -> None:
            if name == "Relationship" and found.get("Type", "").endswith("/worksheet"):
                target = found.get("Target", "")
                self._targets[found.get("Id", "")] = target[1:] if target.startswith("/") else f"xl/{target}"

        def sheet(name: str, found: dict[str, str]) -> None:
            if name == "workbookPr":
                self.since_1904 = found.get("date1904") in ("1", "true")
            if name == "sheet":
                target = self._targets.get(next((v for k, v in found.items() if k.split(":")[-1] == "id"), ""), "")
                shown = self.sheets if found.get("state", "visible") == "visible" else self._hidden
                if target in self.names:
                    shown.append((found.get("name", ""), target))

        if "xl/_rels/workbook.xml.rels" in self.names:
            self._parse("xl/_rels/workbook.xml.rels", start=relation)
        self._parse(book, start=sheet)
        if not self.sheets and "xl/worksheets/sheet1.xml" in self.names and not self._hidden:
            self.sheets = [("Sheet1", "xl/worksheets/sheet1.xml")]
        self.sheets = self.sheets or self._hidden
        if not self.sheets:
            raise RefusedError("sheet_unreadable")

    def fullest(self) -> str:
        """The name of the visible sheet with the most filled cells among its first rows."""
        if len(self.sheets) == 1:
            return self.sheets[0][0]
        filled = []
        for place, (name, _) in enumerate(self.sheets):
            cells = sum(sum(1 for cell in row if cell) for _, _, row in self.rows(name, SAMPLE))
            filled.append((cells, -place, name))
        return max(filled)[2]

    def rows(self, sheet: str, limit: int = 0) -> Iterator[tuple[int, float, list[str]]]:
        """(row number, part read, cells) of each row with a value, `limit` of them (0 = all)."""
        target = dict(self.sheets).get(sheet)
        if target is None:
            raise RefusedError("no_such_sheet")
        self._load_texts()
        yield from _Sheet(self, target, self._merged(target), limit).rows()

    def _merged(self, target: str) -> dict[int, list[tuple[int, int]]]:
        """Column -> (first, last row) of its cells that are merged downwards: the value holds for each of the rows."""
        found: dict[int, list[tuple[int, int]]] = {}
        count, rest, size = 0, b"", 0
        with self.archive.open(target) as part:
            while chunk := part.read(_CHUNK):
                size += len(chunk)
                if size > UNPACKED:
                    raise RefusedError("sheet_too_big")
                text = rest + chunk
                last = 0
                for match in _MERGE.finditer(text):
                    last = match.end()
                    (column, top), (_, bottom) = (_place(end.decode()) for end in match.groups())
                    count += 1
                    if bottom > top and column < COLUMNS and count <= MERGES:
                        found.setdefault(column, []).append((top, bottom))
                rest = text[max(last, len(text) - 200) :]
        return found

    def text(self, index: int) -> str:
        texts = self._texts or []
        return texts[index] if 0 <= index < len(texts) else ""

    def is_date(self, style: int) -> bool:
        return 0 <= style < len(self._is_date) and self._is_date[style]

    def _load_texts(self) -> None:
        if self._texts is not None:
            return
        self._texts = []
        if "xl/sharedStrings.xml" in self.names:
            _Texts(self, self._texts).read()
        if "xl/styles.xml" in self.names:
            self._read_styles()

    def _read_styles(self) -> None:
        dates: set[int] = set(_DATE_IDS)
        inside = False

        def start(name: str, found: dict[str, str]) -> None:
            nonlocal inside
            if name == "numFmt" and re.search("[ymdhsYMDHS年月日]", _NOT_LETTERS.sub("", found.get("formatCode", ""))):
                dates.add(_number(found.get("numFmtId", "")))
            if name == "cellXfs":
                inside = True
            elif name == "xf" and inside and len(self._is_date) < 100_000:
                self._is_date.append(_number(found.get("numFmtId", "0")) in dates)

        def end(name: str) -> None:
            nonlocal inside
            inside = inside and name != "cellXfs"

        self._parse("xl/styles.xml", start=start, end=end)

    def _parse(self, part: str, start: Handler, end: Handler | None = None, data: Handler | None = None) -> None:
        for _ in self._steps(part, start, end, data):
            pass

    def _steps(self, part: str, start: Handler, end: Handler | None, data: Handler | None) -> Iterator[float]:
        """Parse a part piece by piece; yields the share of it that has been read."""
        whole = max(self.archive.getinfo(part).file_size, 1)
        depth = 0

        def deeper(name: str, found: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > DEPTH:
                raise RefusedError("sheet_unreadable")
            start(name.rpartition(":")[2], found)

        def higher(name: str) -> None:
            nonlocal depth
            depth -= 1
            if end:
                end(name.rpartition(":")[2])

        def refuse(*_: Any) -> None:
            raise RefusedError("sheet_unreadable")  # a document type brings entities, which no workbook has

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = deeper, higher
        parser.StartDoctypeDeclHandler = refuse
        if data:
            parser.CharacterDataHandler = data
        size = 0
        with self.archive.open(part) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > UNPACKED:
                    raise RefusedError("sheet_too_big")
                parser.Parse(chunk, False)
                yield min(1.0, size / whole)
            parser.Parse(b"", True)


class _Texts:
    """The shared texts of a workbook, without the readings that stand beside Japanese words."""

    def __init__(self, book: Workbook, into: list[str]) -> None:
        self.book, self.into = book, into
        self.part: list[str] = []
        self.taking = self.reading = False

    def read(self) -> None:
        self.book._parse("xl/sharedStrings.xml", self.start, self.end, self.data)

    def start(self, name: str, _: dict[str, str]) -> None:
        if name == "si":
            self.part = []
        self.reading = self.reading or name == "rPh"
        self.taking = name == "t" and not self.reading

    def end(self, name: str) -> None:
        self.taking = False
        if name == "rPh":
            self.reading = False
        elif name == "si":
            self.into.append(_unescaped("".join(self.part)[:CELL]))

    def data(self, text: str) -> None:
        if self.taking and len(self.part) < CELL:
            self.part.append(text[:CELL])


class _Sheet:
    """One sheet on its way through the parser; finished rows wait in `ready`."""

    def __init__(self, book: Workbook, part: str, merged: dict[int, list[tuple[int, int]]], limit: int) -> None:
        self.book, self.part, self.merged, self.limit = book, part, merged, limit
        self.ready: list[tuple[int, list[str]]] = []
        self.given = self.row = self.last = self.column = 0
        self.cells: dict[int, str] = {}
        self.held: dict[int, tuple[int, str]] = {}
        self.value: list[str] = []
        self.kind = ""
        self.style = 0
        self.taking = self.reading = self.formula = False

    def rows(self) -> Iterator[tuple[int, float, list[str]]]:
        steps = self.book._steps(self.part, self.start, self.end, self.data)
        share, more = 0.0, True
        while more:
            try:
                share = next(steps)
            except (StopIteration, _EnoughError):
                more = False
            for number, cells in self.ready:
                yield number, share, cells
            self.ready.clear()

    def start(self, name: str, found: dict[str, str]) -> None:
        if name == "row":
            self.row = _number(found.get("r", "")) or self.row + 1
            self.column = -1
            self.cells = {}
            if self.row > ROWS or (self.last and self.row - self.last > GAP):
                raise _EnoughError
        elif name == "c":
            place = _LETTERS.fullmatch(found.get("r", ""))
            self.column = _column(place[1]) if place else self.column + 1
            self.kind, self.style = found.get("t", ""), _number(found.get("s", ""))
            self.value, self.formula = [], False
        elif name == "f":
            self.formula = True
        self.reading = self.reading or name == "rPh"
        self.taking = name in ("v", "t") and not self.reading

    def end(self, name: str) -> None:
        self.taking = False
        if name == "rPh":
            self.reading = False
        elif name == "c":
            self._keep_cell()
        elif name == "row":
            self._keep_row()

    def data(self, text: str) -> None:
        if self.taking and len(self.value) < CELL:
            self.value.append(text[:CELL])

    def _keep_cell(self) -> None:
        typed = "".join(self.value)[:CELL]
        if self.column >= COLUMNS:
            return
        if self.formula and not typed and self.kind != "str":
            self.cells[self.column] = NO_VALUE
        elif typed and self.kind != "e" and (shown := self._shown(typed)):
            self.cells[self.column] = shown

    def _shown(self, typed: str) -> str:
        """The cell as text: only what is stored as a number is written as one."""
        if self.kind == "s":
            return self.book.text(_number(typed))
        if self.kind == "b":
            return "TRUE" if typed.strip() in ("1", "true") else "FALSE"
        if self.kind in ("str", "inlineStr", "d"):
            return _unescaped(typed)
        try:
            number = float(typed)
        except ValueError:
            return typed
        if self.book.is_date(self.style) and 0 <= number < 2_958_466:
            return _date(number, since_1904=self.book.since_1904)
        return _written(typed.strip(), number)

    def _keep_row(self) -> None:
        for column, spans in self.merged.items():
            top = self.cells.get(column)
            if top and any(first == self.row for first, _ in spans):
                self.held[column] = (max(last for first, last in spans if first == self.row), top)
            elif not top and self.cells and column in self.held and self.row <= self.held[column][0]:
                self.cells[column] = self.held[column][1]
        if not self.cells:
            return
        self.last = self.row
        self.ready.append((self.row, [self.cells.get(place, "") for place in range(max(self.cells) + 1)]))
        self.given += 1
        if self.limit and self.given >= self.limit:
            raise _EnoughError


def _place(reference: str) -> tuple[int, int]:
    """(column from 0, row from 1) of a reference such as B7."""
    found = _LETTERS.fullmatch(reference)
    return (_column(found[1]), int(found[2])) if found else (COLUMNS, ROWS)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _number(text: str) -> int:
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 16 else 0


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _written(typed: str, number: float) -> str:
    """A number without the marks of how it is stored: 2.0 is 2, fifteen digits count, as a spreadsheet shows it."""
    if re.fullmatch(r"-?\d{1,15}", typed):
        return typed
    if number != number or abs(number) == float("inf"):
        return ""
    if number == int(number) and abs(number) < 1e21:
        return f"{number:.0f}"
    return f"{number:.15g}"


def _date(number: float, *, since_1904: bool) -> str:
    if number < 1:
        seconds = round(number * 86_400)
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
    at = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's days have no zone
    at += timedelta(seconds=round(number * 86_400))
    return at.strftime("%Y-%m-%d") if at.hour == at.minute == at.second == 0 else at.strftime("%Y-%m-%d %H:%M:%S")


def _calamine(path: Path, sheet: str, limit: int) -> tuple[list[str], str, Iterator[tuple[int, float, list[str]]]]:
    """The old and the open formats (.xls, .ods, .xlsb), which have a sheet in memory as a whole."""
    import fastexcel

    book = fastexcel.read_excel(path)
    names = book.sheet_names
    chosen = sheet or max(names, key=lambda name: book.load_sheet(name, header_row=None, n_rows=SAMPLE).total_height)
    if chosen not in names:
        raise RefusedError("no_such_sheet")
    frame = book.load_sheet(chosen, header_row=None, n_rows=limit or None, dtypes="string").to_polars()
    rows = ((n, n / frame.height, [cell or "" for cell in row]) for n, row in enumerate(frame.iter_rows(), 1))
    return names, chosen, (row for row in rows if any(row[2]))


def main(path: Path, sheet: str, limit: int, out: BinaryIO) -> None:
    """Print the workbook; see the module's words."""
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
        book = Workbook(path) if is_zip and zipfile.is_zipfile(path) and _is_xlsx(path) else None
        if book:
            chosen = sheet or book.fullest()
            names, rows = [name for name, _ in book.sheets], book.rows(chosen, limit)
        else:
            names, chosen, rows = _calamine(path, sheet, limit)
        _say({"sheets": names, "sheet": chosen}, out)
        for number, share, cells in rows:
            _say([number, round(share, 4), *cells], out)
    except RefusedError as error:
        _say({"error": str(error)}, out)
    except MemoryError:
        _say({"error": "sheet_too_big", "cause": "memory"}, out)
    except BrokenPipeError:
        return
    except Exception as error:  # whatever a file can do to a parser, it is this file's
        _say({"error": "sheet_unreadable", "cause": repr(error)[:200]}, out)


def _is_xlsx(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist() or "xl/workbook.bin" not in archive.namelist()


def _say(what: Any, out: BinaryIO) -> None:
    out.write(json.dumps(what, ensure_ascii=True).encode() + b"\n")


def limit_process() -> None:
    """From here on this process may take so much memory and time, write no file and start nothing."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    limit_process()
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.stdout.buffer)
    sys.stdout.buffer.flush()
