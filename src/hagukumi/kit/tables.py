"""Tables in and out: CSV in the encodings Japan sends and Excel workbooks, read in bounded batches of plain text cells.

A row that cannot be read is handed over as a `BadRow`; a file that cannot be read at all raises `TableError`: it says
what and where as a code with values (`leads.rules` puts it into words). Row numbers count records, the header being 1.
"""

import csv
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

import fastexcel
import polars as pl

from . import ja

MAX_LINE = 1_000_000
"""Characters of one line; a longer one is no table row."""
MAX_RECORD_LINES = 200
"""Lines that one quoted cell may span: more means that its closing quote is missing."""
MAX_COLUMNS = 600
MAX_SHEET_BYTES = 1_000_000_000
"""An .xlsx that unpacks to more than this is refused unread (zip bomb)."""
SAMPLE = 1_000_000
BATCH_ROWS = 50_000
ENCODINGS = ("utf-8-sig", "utf-8", "cp932", "utf-16")
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
    """A file that can be read: `header` has one distinct name per column. `encoding` is 'xlsx' for a workbook."""

    path: Path
    header: list[str]
    encoding: str
    delimiter: str
    size: int

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """The table's rows in file order, at most `rows` at a time."""
        return _sheet_batches(self, rows) if self.encoding == "xlsx" else _text_batches(self, rows)


def open_table(path: Path, encoding: str | None = None) -> Table:
    """Look at a file's first bytes and its header. TableError: empty, encoding, no_header, line_too_long, sheet ..."""
    size = path.stat().st_size
    if size == 0:
        raise TableError("empty")
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        return _open_sheet(path, size)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError("old_excel")
    found = encoding or detect_encoding(path)
    if found not in ENCODINGS:
        raise TableError("encoding", encoding=found)
    with _opened(path, found) as file:
        first = _first_line(file, found)
    delimiter = max(",\t;", key=first.count)
    with _opened(path, found) as file:
        record = next(
            (r for r in _records(file, delimiter) if isinstance(r, BadRow) or any(c.strip() for c in r)), None
        )
    if record is None:
        raise TableError("empty")
    if isinstance(record, BadRow):
        raise TableError("header_unreadable" if record.reason == "bad_quote" else record.reason, row=1, encoding=found)
    return Table(path, _header(record), found, delimiter, size)


def detect_encoding(path: Path) -> str:
    """The byte order mark's, UTF-8 where all of the file is that, cp932 where its beginning is; else TableError."""
    with path.open("rb") as file:
        start = file.read(SAMPLE)
        if start.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if b"\x1b$" in start:
            raise TableError("encoding", encoding="ISO-2022-JP")
        if start.count(b"\x00") * 100 > len(start):
            raise TableError("binary")
        if _is_utf8(start, file):
            return "utf-8"
    try:
        start[: start.rfind(b"\n") + 1 or len(start)].decode("cp932")
    except UnicodeDecodeError as error:
        raise TableError("undecodable", row=start.count(b"\n", 0, error.start) + 1, encoding="UTF-8 / cp932") from error
    return "cp932"


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
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        yield file


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


def _header(cells: Sequence[str]) -> list[str]:
    """Distinct column names; a row that holds data instead of names is refused."""
    names = [cell.replace("\ufeff", "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise TableError("too_many_columns", count=len(names))
    if not any(names) or any(ja.is_email(ja.email(name)) or ja.phone(name)[0] for name in names):
        raise TableError("no_header", row=1)
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

    def __iter__(self) -> "_Lines":
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

    def give_back(self, lines: Sequence[str]) -> None:
        self._again.extendleft(reversed(lines))


class _TooLongError(Exception):
    """A line longer than MAX_LINE stood here."""


def _records(file: TextIO, delimiter: str) -> Iterator[list[str] | BadRow]:
    """Every record that is not blank, in order; a broken one costs its own line and nothing after it."""
    lines = _Lines(file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.record.clear()
        try:
            for cells in reader:
                lines.record.clear()
                if cells:
                    yield cells
            return
        except csv.Error:
            first, *rest = lines.record or [""]
            lines.give_back(rest)
            reason = "bad_quote"
        except _TooLongError:
            first, reason = lines.record[0], "line_too_long"
        except UnicodeError as error:  # UTF-16 that breaks off in the middle of a character
            raise TableError("undecodable", row=0, encoding="utf-16") from error
        yield BadRow(0, [first.rstrip("\r\n")[:500]], reason)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)


def _text_batches(table: Table, rows: int) -> Iterator[Batch]:
    width = len(table.header)
    with _opened(table.path, table.encoding) as file:
        numbered = enumerate(_records(file, table.delimiter), 1)
        for _, record in numbered:  # the header, past blank rows above it
            if isinstance(record, BadRow) or any(cell.strip() for cell in record):
                break
        while chunk := list(islice(numbered, rows)):
            yield _batch(chunk, width, min(file.buffer.tell(), table.size))


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
    columns: Iterable[Sequence[str]] = zip(*rows, strict=True) if rows else [()] * width
    series = [pl.Series(f"c{place}", cells, dtype=pl.String) for place, cells in enumerate(columns)]
    return pl.DataFrame([pl.Series("row_no", numbers, dtype=pl.Int32), *series])


def _open_sheet(path: Path, size: int) -> Table:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_SHEET_BYTES:
                raise TableError("sheet_too_big", megabytes=MAX_SHEET_BYTES // 1_000_000)
    except zipfile.BadZipFile as error:
        raise TableError("sheet_unreadable") from error
    _, first = _sheet(path, rows=50)
    for cells in first.iter_rows():
        if any((cell or "").strip() for cell in cells):
            return Table(path, _header([cell or "" for cell in cells]), "xlsx", "", size)
    raise TableError("empty")


def _sheet(path: Path, rows: int | None = None) -> tuple[str, pl.DataFrame]:
    try:
        book = fastexcel.read_excel(path)
        name = book.sheet_names[0]
        frame = book.load_sheet(
            name, header_row=None, n_rows=rows, dtypes="string", skip_whitespace_tail_rows=True
        ).to_polars()
    except Exception as error:
        raise TableError("sheet_unreadable") from error
    return name, frame.select(pl.all().cast(pl.String).fill_null(""))


def _sheet_batches(table: Table, rows: int) -> Iterator[Batch]:
    _, frame = _sheet(table.path)
    width = len(table.header)
    frame = frame.select(pl.all().name.map(lambda name: name)).with_row_index("row_no", offset=1)
    names = [name for name in frame.columns if name != "row_no"][:width]
    blank = pl.all_horizontal(pl.col(name).str.strip_chars() == "" for name in names)
    frame = (
        frame.filter(~blank)
        .select(
            pl.col("row_no").cast(pl.Int32),
            *[pl.col(name).alias(f"c{place}") for place, name in enumerate(names)],
        )
        .slice(1)
    )
    for start in range(0, frame.height, rows):
        part = frame.slice(start, rows)
        yield Batch(part, [], int(table.size * min(1.0, (start + part.height) / frame.height)))


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
    writer = csv.writer(out, lineterminator="\r\n")
    lost: list[Unmappable] = []
    for number, row in enumerate([header, *rows], 1):
        cells = [ja.escape_formula("" if cell is None else str(cell)) for cell in row]
        for place, cell in enumerate(cells):
            cells[place], missing = _fit(cell, encoding)
            name = header[place] if place < len(header) else str(place + 1)
            lost += [Unmappable(number, name, character) for character in missing]
        writer.writerow(cells)
    return out.getvalue().encode(encoding), lost


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
