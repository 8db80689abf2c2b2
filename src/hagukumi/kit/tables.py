"""Tables in and out: CSV in the encodings Japan sends and Excel workbooks, read in bounded batches of plain text cells.

A row that cannot be read is handed over as a `BadRow`; a file that cannot be read at all raises `TableError`: it says
what and where as a code with values (`leads.rules` puts it into words). Row numbers count records from 1, blank ones
and what stands above the header too: as a spreadsheet shows them.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from hagukumi.kit import lazy as modules

from . import columns, ja, sheet_reader, sheets, vcards

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

MAX_LINE = 1_000_000
"""Characters of one line; a longer one is no table row."""
MAX_RECORD_LINES = 200
"""Lines that one quoted cell may span: more means that its closing quote is missing."""
MAX_COLUMNS = 600
MAX_GAP = 30
"""Empty headings in a row; more end the header of a workbook."""
HEAD_ROWS = 30
"""The header is looked for among so many rows: titles and remarks may stand above it."""
SAMPLE = 1_000_000
BATCH_ROWS = 50_000
BATCH_CHARACTERS = 64_000_000
NO_VALUE = sheet_reader.NO_VALUE
"""A cell that a workbook computes, stored without its value."""
ENCODINGS = ("utf-8-sig", "utf-8", "cp932", "utf-16", "utf-16-le", "utf-16-be", "mixed")
csv.field_size_limit(MAX_LINE)


class TableError(ValueError):
    """A file that is not a table we can read: `code` and the `values` its message names (row, column, encoding ...)."""

    def __init__(self, code: str, **values: str | int) -> None:
        super().__init__(f"{code} {values}")
        self.code = code
        self.values = values


@dataclass(frozen=True)
class BadRow:
    """A record that is no row of this table: `reason` is bad_quote, cells, line_too_long or undecodable."""

    row_no: int
    cells: list[str]
    reason: str


@dataclass(frozen=True)
class Batch:
    """Rows as a frame of text columns c0..cn plus `row_no`; what stood between them and is no row; bytes read."""

    frame: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)
    position: int = 0


@dataclass(frozen=True)
class Table:
    """A file that can be read: `header` has one distinct name per column and stands in the record `header_row`.

    `encoding` is 'xlsx' for a workbook, 'vcard' for cards; `sheet` is the one of its visible `sheets` that is read.
    """

    path: Path
    header: list[str]
    encoding: str
    delimiter: str
    size: int
    header_row: int = 1
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """The table's rows in file order, at most `rows` at a time."""
        if self.encoding == "xlsx":
            return _sheet_batches(self, rows)
        return _card_batches(self, rows) if self.encoding == "vcard" else _text_batches(self, rows)


def open_table(path: Path, encoding: str | None = None, *, sheet: str = "", header_row: int = 0) -> Table:
    """Look at a file's beginning and find its header. TableError: empty, encoding, no_header, line_too_long, sheet ...

    `sheet`: of a workbook, '' = the fullest visible one; `header_row`: the record of the headings, 0 = found.
    """
    size = path.stat().st_size
    if size == 0:
        raise TableError("empty")
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if head.startswith((b"PK\x03\x04", _OLE)):
        if head.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in head:
            raise TableError("password")
        return _open_sheet(path, size, sheet, header_row)
    if head[:200].lstrip(b"\xef\xbb\xbf\r\n ").upper().startswith(b"BEGIN:VCARD"):
        return Table(path, list(vcards.HEADER), "vcard", "", size)
    for kind, starts in _MAGIC.items():
        if head.startswith(starts):
            raise TableError(kind)
    found = encoding or detect_encoding(path)
    if found not in ENCODINGS:
        raise TableError("encoding", encoding=found)
    with _opened(path, found) as file:
        first = _first_line(file, found)
    delimiter = _delimiter(first)
    with _opened(path, found) as file:
        number, record = _find_header(list(islice(_records(file, delimiter), HEAD_ROWS)), header_row)
    if isinstance(record, BadRow):
        code = "header_unreadable" if record.reason == "bad_quote" else record.reason
        raise TableError(code, row=number, encoding=found)
    return Table(path, _header(record, number), found, delimiter, size, number)


_OLE = b"\xd0\xcf\x11\xe0"
_MAGIC = {
    "image": (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM6", b"II*\x00", b"MM\x00*"),
    "pdf": (b"%PDF",),
    "binary": (b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"\x7fELF", b"MZ"),
}


def _delimiter(line: str) -> str:
    """What a file says by itself (`sep=;`), else what stands most often in its first line."""
    said = line.strip().strip('"')
    if said.lower().startswith("sep=") and len(said) == 5:
        return said[4]
    return max(",\t;|", key=line.count)


_Cells = list[str] | BadRow


def _find_header(records: Sequence[tuple[int, _Cells]], wanted: int) -> tuple[int, _Cells]:
    """The record of the headings: the first that is about as wide as the table, or the one with the number `wanted`."""
    filled = [(number, cells, _filled(cells)) for number, cells in records]
    filled = [one for one in filled if one[2]]
    if not filled:
        raise TableError("empty")
    if wanted:
        return next(((number, cells) for number, cells, _ in filled if number == wanted), filled[0][:2])
    if isinstance(filled[0][1], BadRow):
        return filled[0][:2]
    widest = max(width for _, _, width in filled)
    wide = [one for one in filled if one[2] >= max(1, min(widest, 2), widest * 6 // 10)]
    number, cells, _ = wide[0]
    if _known(cells) < 2:  # a report has a table about itself above that of the people
        number, cells, _ = max(wide, key=lambda one: (_known(one[1]), -one[0]))
    if not isinstance(cells, BadRow) and _is_data(cells):  # few headings above full rows
        before = [one for one in filled if one[0] < number and one[2] > 1]
        number, cells = before[-1][:2] if before else filled[0][:2]
    return number, cells


def _known(cells: _Cells) -> int:
    """How many of the cells are headings that a column of a lead is known by."""
    return 0 if isinstance(cells, BadRow) else sum(1 for cell in cells if _bare(cell) in _HEADINGS)


def _bare(heading: str) -> str:
    return re.sub(r"[\s_-]+", "", ja.fold(heading))


_HEADINGS = {
    _bare(name) for line in columns.COLUMNS.values() for name in (line.ja, line.en, line.key, *line.aliases.split())
}


def _filled(cells: _Cells) -> int:
    if isinstance(cells, BadRow):
        return 1
    if len(cells) == 1 and cells[0].lower().startswith("sep="):
        return 0
    return sum(1 for cell in cells if cell.replace("\ufeff", "").strip())


def _is_data(cells: Sequence[str]) -> bool:
    return any(ja.is_email(ja.email(cell)) or ja.phone(cell)[0] for cell in cells)


def detect_encoding(path: Path) -> str:
    """The byte order mark's, UTF-8 where all of the file is that, cp932 where its beginning is; else TableError.

    `mixed` where most lines are the one or the other: files that several hands have put together.
    """
    with path.open("rb") as file:
        start = file.read(SAMPLE)
        if start.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if b"\x1b$" in start:
            raise TableError("encoding", encoding="ISO-2022-JP")
        if nameless := _utf16_without_mark(start):
            return nameless
        if start.count(b"\x00") * 100 > len(start):
            raise TableError("binary")
        if _is_utf8(start, file):
            return "utf-8"
    whole = start[: start.rfind(b"\n") + 1 or len(start)]
    try:
        whole.decode("cp932")
    except UnicodeDecodeError as error:
        lines = whole.splitlines()
        if len(lines) > 1 and sum(map(_reads, lines)) * 2 > len(lines):
            return "mixed"
        raise TableError("undecodable", row=whole.count(b"\n", 0, error.start) + 1, encoding="UTF-8 / cp932") from error
    return "cp932"


def _reads(line: bytes) -> bool:
    """Whether a line is text in UTF-8 or in cp932."""
    for encoding in ("utf-8", "cp932"):
        try:
            line.decode(encoding)
            return True
        except UnicodeDecodeError:
            continue
    return False


def _utf16_without_mark(start: bytes) -> str:
    """utf-16-le or -be where every other byte of the line ends, commas and digits is nought; '' else."""
    for encoding in ("utf-16-le", "utf-16-be"):
        signs = sum(start.count(sign.encode(encoding)) for sign in ",\t\r\n")
        if signs * 10 > start.count(b"\x00") > len(start) // 50 and signs > 2:
            try:
                text = start[: len(start) // 2 * 2].decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\n" in text and "\x00" not in text:
                return encoding
    return ""


def _is_utf8(start: bytes, rest: Iterable[bytes]) -> bool:
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(start)
        for chunk in rest:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """The file as text, line ends kept; bytes that do not decode come as surrogates, so that only their row is lost."""
    if encoding == "mixed":
        with path.open("rb") as raw:
            yield cast(TextIO, _MixedText(raw))
        return
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        yield file


class _MixedText:
    """A file whose lines are UTF-8 or cp932, each for itself. What is both is UTF-8: cp932 hardly ever is by chance."""

    def __init__(self, raw: BinaryIO) -> None:
        self.buffer = raw

    def readline(self, limit: int = -1) -> str:
        line = self.buffer.readline(limit)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            return line.decode("cp932", "surrogateescape")


def _first_line(file: TextIO, encoding: str) -> str:
    try:
        line = file.readline(MAX_LINE + 1)
        while line and not line.strip():
            line = file.readline(MAX_LINE + 1)
    except UnicodeError as error:  # UTF-16 has no escape for what is no text
        raise TableError("undecodable", row=1, encoding=encoding) from error
    if len(line) > MAX_LINE:
        raise TableError("line_too_long", row=1)
    if not _is_text(line):
        raise TableError("undecodable", row=1, encoding=encoding)
    return line


def _header(cells: _Cells, number: int) -> list[str]:
    """Distinct column names; a row that holds data instead of names is refused."""
    assert not isinstance(cells, BadRow)
    if not _is_text("".join(cells)):
        raise TableError("undecodable", row=number, encoding="UTF-8 / cp932")
    names = [cell.replace("\ufeff", "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise TableError("too_many_columns", count=len(names))
    if not any(names) or _is_data(names):
        raise TableError("no_header", row=number)
    seen: dict[str, int] = {}
    header = []
    for place, name in enumerate(names, 1):
        name = name or f"列{place}"
        seen[name] = seen.get(name, 0) + 1
        header.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return header


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Lines:
    """Lines for csv.reader, remembering those of the record being read so that a broken one can be given back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.record: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.record) >= MAX_RECORD_LINES:
            raise csv.Error("a quoted cell does not end")
        line = self._again.popleft() if self._again else self._file.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        if len(line) > MAX_LINE:
            self._skip_rest(line)
            self.record = [line[:200]]
            raise _TooLongError
        self.record.append(line)
        return line

    def _skip_rest(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._file.readline(MAX_LINE)
        if line.endswith("\r"):  # its line feed may stand behind the cut, and is no row of its own
            rest = self._file.readline(MAX_LINE + 1)
            self._again.extend([] if rest in ("", "\n") else [rest])

    def give_back(self, lines: Sequence[str]) -> None:
        self._again.extendleft(reversed(lines))


class _TooLongError(Exception):
    """A line longer than MAX_LINE stood here."""


def _records(file: TextIO, delimiter: str) -> Iterator[tuple[int, _Cells]]:
    """Every record that is not blank with its number; a broken one costs its own line and nothing after it."""
    number = 0
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.record.clear()
        try:
            for cells in reader:
                lines.record.clear()
                number += 1
                if cells:
                    yield number, cells
            return
        except csv.Error:
            first, *rest = lines.record or [""]
            lines.give_back(rest)
            reason = "bad_quote"
        except _TooLongError:
            first, reason = lines.record[0], "line_too_long"
        except UnicodeError as error:  # UTF-16 that breaks off in the middle of a character
            raise TableError("undecodable", row=0, encoding="utf-16") from error
        number += 1
        yield number, BadRow(number, [first.rstrip("\r\n")[:500]], reason)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)


def _text_batches(table: Table, rows: int) -> Iterator[Batch]:
    width = len(table.header)
    with _opened(table.path, table.encoding) as file:
        numbered = _records(file, table.delimiter)
        for number, _ in numbered:  # the header and what stands above it
            if number >= table.header_row:
                break
        while chunk := _some(numbered, rows):
            yield _batch(chunk, width, min(file.buffer.tell(), table.size))


def _some(numbered: Iterator[tuple[int, _Cells]], rows: int) -> list[tuple[int, _Cells]]:
    """The next records: so many, or fewer where they are long."""
    chunk: list[tuple[int, _Cells]] = []
    size = 0
    for number, cells in numbered:
        chunk.append((number, cells))
        size += 0 if isinstance(cells, BadRow) else sum(map(len, cells))
        if len(chunk) >= rows or size > BATCH_CHARACTERS:
            break
    return chunk


def _batch(chunk: list[tuple[int, list[str] | BadRow]], width: int, position: int) -> Batch:
    good: list[list[str]] = []
    numbers: list[int] = []
    bad: list[BadRow] = []
    for number, record in chunk:
        if isinstance(record, BadRow):
            bad.append(BadRow(number, record.cells, record.reason))
        elif len(record) == width:
            good.append(record)
            numbers.append(number)
        elif any(cell.strip() for cell in record[width:]) or len(record) < min(width, max(2, width // 2)):
            bad.append(BadRow(number, record, "cells"))
        else:  # Excel leaves empty cells off or adds some
            good.append((record + [""] * width)[:width])
            numbers.append(number)
    try:
        return Batch(_frame(good, numbers, width), bad, position)
    except UnicodeEncodeError:
        kept = [(cells, number) for cells, number in zip(good, numbers, strict=True) if _is_text("".join(cells))]
        lost = [(cells, number) for cells, number in zip(good, numbers, strict=True) if not _is_text("".join(cells))]
        bad += [BadRow(number, [_mended(cell) for cell in cells], "undecodable") for cells, number in lost]
        return Batch(_frame([c for c, _ in kept], [n for _, n in kept], width), bad, position)


def _mended(cell: str) -> str:
    return cell.encode("utf-8", "replace").decode("utf-8")


def _frame(rows: list[list[str]], numbers: list[int], width: int) -> pl.DataFrame:
    turned: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else [()] * width
    series = [pl.Series(f"c{place}", cells, dtype=pl.String) for place, cells in enumerate(turned)]
    return pl.DataFrame([pl.Series("row_no", numbers, dtype=pl.Int32), *series])


def _open_sheet(path: Path, size: int, sheet: str, header_row: int) -> Table:
    first: list[tuple[int, _Cells]] = []
    try:
        with sheets.opened(path, sheet, HEAD_ROWS) as found:
            first = [(row.number, row.cells) for row in found.rows]
    except sheets.SheetError as error:
        raise TableError(error.code) from error
    number, cells = _find_header(first, header_row)
    assert not isinstance(cells, BadRow)
    return Table(path, _header(_narrow(cells), number), "xlsx", "", size, number, found.sheets, found.name)


def _narrow(cells: list[str]) -> list[str]:
    """Headings up to the first wide gap: what stands behind it is a stray cell."""
    last = 0
    for place, cell in enumerate(cells):
        if cell.strip():
            if place - last > MAX_GAP:
                break
            last = place
    return cells[: last + 1]


def _card_batches(table: Table, rows: int) -> Iterator[Batch]:
    """Cards as rows; the first is number 2, as if the headings stood above it."""
    with _opened(table.path, "mixed") as file:
        lines = iter(lambda: file.readline(vcards.MAX_LINE), "")
        numbered: Iterator[tuple[int, _Cells]] = enumerate(vcards.rows(lines), 2)
        while chunk := _some(numbered, rows):
            yield _batch(chunk, len(table.header), min(file.buffer.tell(), table.size))


def _sheet_batches(table: Table, rows: int) -> Iterator[Batch]:
    width = len(table.header)
    try:
        with sheets.opened(table.path, table.sheet) as found:
            filled = (row for row in found.rows if row.number > table.header_row and any(row.cells[:width]))
            while chunk := list(islice(filled, rows)):
                cells: list[tuple[int, list[str] | BadRow]] = [
                    (row.number, (row.cells + [""] * width)[:width]) for row in chunk
                ]
                yield _batch(cells, width, int(table.size * chunk[-1].share))
    except sheets.SheetError as error:
        raise TableError(error.code) from error


@dataclass(frozen=True)
class Unmappable:
    """A character that the chosen encoding lacks, and the row (header = 1) and column where it stands."""

    row_no: int
    column: str
    character: str


def write_csv(
    header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig"
) -> tuple[bytes, list[Unmappable]]:
    """A CSV that Excel opens safely: formulas escaped, CRLF. What `encoding` lacks becomes 〓 and is listed."""
    import io

    out = io.StringIO(newline="")
    lost = write_rows(out, header, rows, encoding)
    return out.getvalue().encode(encoding), lost


def write_rows(out: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str) -> list[Unmappable]:
    """The same into `out` (opened with newline=""), row by row: no more than one is held."""
    writer = csv.writer(out, lineterminator="\r\n")
    lost: list[Unmappable] = []
    for number, row in enumerate(chain([header], rows), 1):
        cells = [ja.escape_formula("" if cell is None else str(cell)) for cell in row]
        for place, cell in enumerate(cells):
            cells[place], missing = _fit(cell, encoding)
            name = header[place] if place < len(header) else str(place + 1)
            lost += [Unmappable(number, name, character) for character in missing]
        writer.writerow(cells)
    return lost


def _fit(cell: str, encoding: str) -> tuple[str, list[str]]:
    try:
        cell.encode(encoding)
        return cell, []
    except UnicodeEncodeError:
        pass
    kept, missing = [], []
    for character in cell:
        swap = {"\u301c": "\uff5e", "\u2212": "\uff0d"}.get(character, character)
        try:
            swap.encode(encoding)
            kept.append(swap)
        except UnicodeEncodeError:
            kept.append("〓")
            missing.append(character)
    return "".join(kept), missing
