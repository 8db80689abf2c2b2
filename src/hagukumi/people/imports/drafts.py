"""What would be done with a file: its columns by memory or heading, its dates, and what the first rows will become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.text import get_valid_filename

from hagukumi.kit import ja, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping, profile
from hagukumi.people.fields.models import Field
from hagukumi.people.fields.normalise import Normaliser, Notice, Reject
from hagukumi.people.sources.models import Source

from .models import Import

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

PREVIEW_ROWS = 20
SAMPLE_ROWS = 1000
_DATES = ("occurred_at", "met_on")


def draft(
    path: Path,
    *,
    file_name: str,
    source: Source | None,
    basis: str,
    user_id: int | None,
    now: datetime,
    encoding: str | None = None,
    sheet: str = "",
    header_row: int = 0,
) -> Import:
    """Look at a file and note what would be done with it: encoding, columns by memory or alias. Or TableError.

    `sheet`: of a workbook, '' = the fullest visible one; `header_row`: the record of the headings, 0 = found.
    """
    table = tables.open_table(path, encoding, sheet=sheet, header_row=header_row)
    return Import.objects.create(
        file_name=get_valid_filename(Path(file_name).name or "file")[:200],
        path=str(path),
        encoding=table.encoding,
        header_key=mapping.header_key(table.header),
        mapping=_remembered(table),
        source=source,
        basis=basis,
        user_id=user_id,
        created_at=now,
    )


def _remembered(table: tables.Table) -> dict[str, Any]:
    """The mapping last used for the same columns, else the one the headings suggest."""
    same = Import.objects.filter(header_key=mapping.header_key(table.header), state="done")
    earlier = same.order_by("-id").values_list("mapping", flat=True).first()
    own = own_labels()
    columns = mapping.suggest(table.header, own)
    dates = _order_of_dates(table, columns)
    if earlier:
        dates = dates or earlier.get("dates", "")
        usable = mapping.TARGETS.keys() | {f"field:{key}" for key in own.values()} | {""}
        columns |= {name: target for name, target in earlier["columns"].items() if target in usable}
    found = {"columns": columns, "replace": False, "sheet": table.sheet, "header_row": table.header_row}
    return {**found, "dates": dates} if dates else found


def own_labels() -> dict[str, str]:
    """Label -> key of the own fields, in both languages."""
    own = {field.label_ja: field.key for field in Field.objects.order_by("-id")}
    return own | {field.label_en: field.key for field in Field.objects.order_by("-id") if field.label_en not in own}


def _date_places(header: Sequence[str], columns: Mapping[str, str]) -> list[int]:
    """Places of the columns that hold dates: what happened, and own fields of that type."""
    own = {f"field:{key}" for key in Field.objects.filter(type="date").values_list("key", flat=True)}
    return [place for place, name in enumerate(header) if columns.get(name) in own.union(_DATES)]


def _order_of_dates(table: tables.Table, columns: Mapping[str, str]) -> str:
    """The order that the dates of a file's beginning show by themselves (25/04/2026); '' where they do not agree."""
    if not (places := _date_places(table.header, columns)):
        return ""
    batch = next(iter(table.batches(SAMPLE_ROWS)), None)
    said = {ja.order_of(cell) for place in places for cell in batch.frame[f"c{place}"]} if batch else set()
    said.discard("")
    return said.pop() if len(said) == 1 else ""


def open_import(item: Import) -> tables.Table:
    """The import's file, as a table. TableError `missing_file` when it is gone."""
    path = Path(item.path)
    if not path.is_file():
        raise TableError("missing_file")
    encoding = None if item.encoding in ("xlsx", "vcard") else item.encoding
    where = {"sheet": item.mapping.get("sheet", ""), "header_row": item.mapping.get("header_row", 0)}
    return tables.open_table(path, encoding, **where)


def change_encoding(item: Import, encoding: str) -> None:
    """Read the file in another encoding; the columns are found again. TableError leaves the draft as it was."""
    table = tables.open_table(Path(item.path), encoding)
    item.encoding, item.header_key, item.mapping = table.encoding, mapping.header_key(table.header), _remembered(table)
    item.save(update_fields=["encoding", "header_key", "mapping"])


def change_sheet(item: Import, sheet: str) -> None:
    """Read another sheet of the workbook; the columns are found again. TableError leaves the draft as it was."""
    table = tables.open_table(Path(item.path), sheet=sheet)
    item.header_key, item.mapping = mapping.header_key(table.header), _remembered(table)
    item.save(update_fields=["header_key", "mapping"])


def change_mapping(item: Import, columns: Mapping[str, str], *, replace: bool, day_first: bool = False) -> None:
    dates = "day_first" if day_first else "month_first"
    item.mapping = {**item.mapping, "columns": dict(columns), "replace": replace, "dates": dates}
    item.save(update_fields=["mapping"])


@dataclass(frozen=True)
class Preview:
    """The first rows as they will be stored (columns of `lead`), and those of them that will be rejected."""

    table: tables.Table
    rows: pl.DataFrame
    rejects: list[Reject]
    notices: list[Notice]
    samples: list[list[str]]
    two_readings: str = ""
    """A date among them that can be read month first and day first."""


def preview(item: Import) -> Preview:
    """What the first rows will become. TableError when the file cannot be read."""
    table = open_import(item)
    normalise = normaliser(table, item)
    batch = next(iter(table.batches(PREVIEW_ROWS)), None)
    if batch is None:
        return Preview(table, pl.DataFrame(), [], [], [[] for _ in table.header])
    rows, rejects, notices = normalise(batch.frame)
    rejects += [Reject(bad.row_no, normalise.raw(bad.cells), bad.reason) for bad in batch.bad]
    samples = [batch.frame[f"c{place}"].head(3).to_list() for place in range(len(table.header))]
    dates = _date_places(table.header, item.mapping.get("columns", {}))
    two = (cell for place in dates for cell in batch.frame[f"c{place}"] if ja.has_two_readings(cell))
    return Preview(table, rows, sorted(rejects, key=lambda reject: reject.row_no), notices, samples, next(two, ""))


def normaliser(table: tables.Table, item: Import) -> Normaliser:
    """What makes rows of `lead` of the file's rows, by the import's mapping."""
    meant = item.mapping.get("columns", {})
    day_first = item.mapping.get("dates") == "day_first"
    dated = Field.objects.filter(type="date").values_list("key", flat=True)
    readers = profile.readers(day_first=day_first)
    return Normaliser(table.header, meant, readers, day_first=day_first, dated=set(dated))
