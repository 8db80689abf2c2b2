"""What became of each row of a file, as a file that a program can hold: a line a row, in the file's order."""

import csv
import heapq
import io
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from hagukumi.accounts import audit
from hagukumi.people.identity import intake

from . import rules
from .models import Import, ImportReject, ImportRow
from .queries import SQL

HEADER = ("row", "outcome", "lead_id", "reason")
Line = tuple[int, str, int | str, str]
_AT_ONCE = 5000


def keep(import_id: int) -> None:
    """Note how the rows of the batch that was just merged came out, in the caller's transaction."""
    SQL.keep_rows.run({"import_id": import_id}, found=intake.OUTCOMES)


def kept(item: Import) -> bool:
    """Whether it can still be said of each row: of a file taken in, until it is deleted."""
    if item.state != "done" or not item.rows:
        return False
    return item.rejected == item.rows or ImportRow.objects.filter(import_id=item.id).exists()


def lines(import_id: int) -> Iterator[Line]:
    """(row as a spreadsheet numbers it, outcome, lead_id or '', why it was rejected or ''), in the file's order."""
    return heapq.merge(_taken(import_id), _rejected(import_id), key=lambda line: line[0])


def _taken(import_id: int) -> Iterator[Line]:
    rows = ImportRow.objects.filter(import_id=import_id).order_by("row_no")
    for row_no, outcome, lead_id in rows.values_list("row_no", "outcome", "lead_id").iterator(_AT_ONCE):
        yield row_no, rules.OUTCOMES[outcome], lead_id, ""


def _rejected(import_id: int) -> Iterator[Line]:
    rejects = ImportReject.objects.filter(import_id=import_id).defer("raw").order_by("row_no")
    for one in rejects.iterator(_AT_ONCE):
        yield one.row_no, rules.REJECTED, "", rules.cell_error(one)


def write(item: Import, out: BinaryIO, now: datetime) -> int:
    """Write the result as CSV (UTF-8 with a mark) and that it was taken out; returns the number of rows."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    sheet = csv.writer(text, lineterminator="\r\n")
    sheet.writerow(HEADER)
    count = 0
    for line in lines(item.id):
        sheet.writerow(line)
        count += 1
    text.detach()  # flushes, and leaves `out` open
    audit.record("import.result_exported", "import", item.id, now, name=item.file_name, count=count)
    return count
