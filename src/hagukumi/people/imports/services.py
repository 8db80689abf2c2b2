"""One file, from upload to result. Its rows are merged in one transaction: all of the file, or nothing of it.

While the database merges one batch, a thread reads and normalises the next; a second session writes progress where
others see it, and cancels the running statement when somebody asks for that.
"""

from __future__ import annotations

import queue
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils.text import get_valid_filename

from hagukumi.accounts import audit
from hagukumi.kit import clock, ja, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping, profile
from hagukumi.people.fields.models import Field
from hagukumi.people.fields.normalise import Normaliser, Notice, Reject
from hagukumi.people.identity import intake
from hagukumi.people.sources.models import Source

from . import results
from .models import Import, ImportNotice, ImportReject, ImportRow
from .queries import SQL

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

log = structlog.get_logger(__name__)
MAX_UPLOAD_MB = 500
PREVIEW_ROWS = 20
SAMPLE_ROWS = 1000
KEPT_DAYS = 30
"""For how long after an import its file is kept, in case somebody asks what was in it."""
_CHUNK = 1 << 20
_DATES = ("occurred_at", "met_on")
_LOCK_CLASS = 0x494D50


class CancelledError(Exception):
    """Somebody asked to stop; nothing of the file stays."""


def store(upload: BinaryIO) -> Path:
    """Keep an uploaded file under the home folder by a random name. TableError `too_big` past the limit."""
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)
    size = 0
    with path.open("wb") as file:
        while chunk := upload.read(_CHUNK):
            size += len(chunk)
            if size > MAX_UPLOAD_MB * 1_000_000:
                break
            file.write(chunk)
    if size > MAX_UPLOAD_MB * 1_000_000:
        path.unlink()
        raise TableError("too_big", megabytes=MAX_UPLOAD_MB)
    return path


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


def forget_uploads(now: datetime) -> int:
    """Delete the files of imports that ended, or were never started, KEPT_DAYS ago, and how their rows came out.

    What came of them stays.

    Returns how many files went. A queued or running import keeps its file.
    """
    over = Import.objects.exclude(path="").exclude(state__in=("queued", "running"))
    over = over.annotate(since=Coalesce("ended_at", "created_at")).filter(since__lt=now - timedelta(days=KEPT_DAYS))
    for item in over:
        Path(item.path).unlink(missing_ok=True)
        ImportRow.objects.filter(import_id=item.id).delete()
        item.path = ""
        item.save(update_fields=["path"])
    return len(over)


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
    normalise = _normaliser(table, item)
    batch = next(iter(table.batches(PREVIEW_ROWS)), None)
    if batch is None:
        return Preview(table, pl.DataFrame(), [], [], [[] for _ in table.header])
    rows, rejects, notices = normalise(batch.frame)
    rejects += [Reject(bad.row_no, normalise.raw(bad.cells), bad.reason) for bad in batch.bad]
    samples = [batch.frame[f"c{place}"].head(3).to_list() for place in range(len(table.header))]
    dates = _date_places(table.header, item.mapping.get("columns", {}))
    two = (cell for place in dates for cell in batch.frame[f"c{place}"] if ja.has_two_readings(cell))
    return Preview(table, rows, sorted(rejects, key=lambda reject: reject.row_no), notices, samples, next(two, ""))


def _normaliser(table: tables.Table, item: Import) -> Normaliser:
    meant = item.mapping.get("columns", {})
    day_first = item.mapping.get("dates") == "day_first"
    dated = Field.objects.filter(type="date").values_list("key", flat=True)
    readers = profile.readers(day_first=day_first)
    return Normaliser(table.header, meant, readers, day_first=day_first, dated=set(dated))


def start(item: Import, now: datetime) -> bool:
    """Hand a draft to the worker; False when it is no draft any more."""
    with transaction.atomic():
        if not Import.objects.filter(id=item.id, state="draft").update(state="queued"):
            return False
        source = item.source.name if item.source else ""
        audit.record("import.started", "import", item.id, now, name=item.file_name, source=source, basis=item.basis)
        from .jobs import run_import

        run_import.defer(import_id=item.id)
    return True


def ask_cancel(import_id: int, now: datetime) -> bool:
    """Stop an import: at once while it waits, at the next moment while it runs. False when it is over already."""
    waiting = Import.objects.filter(id=import_id, state__in=("draft", "queued"))
    with transaction.atomic():
        asked = waiting.update(state="cancelled", cancel_asked=True, ended_at=now) or Import.objects.filter(
            id=import_id, state="running"
        ).update(cancel_asked=True)
        if asked:
            audit.record("import.cancelled", "import", import_id, now)
    return bool(asked)


def told_of_rejects(item: Import, count: int, now: datetime) -> None:
    """Write down that the rows which were not taken were taken out as a file."""
    audit.record("import.rejects_exported", "import", item.id, now, name=item.file_name, count=count)


def run(import_id: int) -> Import:
    """Take the file in, to the end or not at all; returns the import in its last state. Never raises for a bad file.

    Holds an advisory lock for the import, so that a repeated job finds it taken and leaves.
    """
    with _only_once(import_id) as mine:
        ready = Import.objects.filter(id=import_id, state__in=("queued", "running", "draft"), cancel_asked=False)
        if mine and ready.update(state="running", started_at=clock.now(), done_rows=0):
            _run(Import.objects.select_related("source").get(id=import_id))
    return Import.objects.get(id=import_id)


def _run(item: Import) -> None:
    watch = _Watch(item.id, connection.connection)
    try:
        with watch:
            table = open_import(item)
            _check(table, item)
            with transaction.atomic():
                counts = _take_in(table, item, watch)
                watch.stop()
                _finish(item, state="done", counts=counts)
    except CancelledError:
        _finish(item, state="cancelled")
    except TableError as error:
        _finish(item, state="failed", message={"code": error.code, **error.values})
    except DatabaseError as error:
        if watch.cancelled:
            _finish(item, state="cancelled")
        else:
            _broken(item, error)
    except Exception as error:
        _broken(item, error)


def _broken(item: Import, error: Exception) -> None:
    log.exception("an import failed and was rolled back", import_id=item.id)
    _finish(item, state="failed", message={"code": "broken", "detail": type(error).__name__})


def _check(table: tables.Table, item: Import) -> None:
    """Refuse a file whose columns tell nobody apart; make the own fields that its mapping names."""
    columns = item.mapping.get("columns", {})
    if not mapping.identifies(columns):
        raise TableError("no_known_column", row=1, encoding=table.encoding)
    for name, target in columns.items():
        if target.startswith("field:"):
            label = name[:60]
            made = {"type": "text", "label_ja": label, "label_en": label, "created_at": clock.now()}
            Field.objects.get_or_create(key=target.removeprefix("field:"), defaults=made)


def _take_in(table: tables.Table, item: Import, watch: _Watch) -> intake.Counts:
    """Merge every batch, in this transaction. Replacing looks at the whole file at once: its last word must win."""
    replace = bool(item.mapping.get("replace"))
    normalise = _normaliser(table, item)
    terms = intake.Terms(
        now=clock.now(),
        source_id=item.source_id,
        basis=item.basis,
        evidence=item.file_name,
        replace=replace,
        import_id=item.id,
        user_id=item.user_id,
    )
    counts = intake.Counts()
    intake.open_tables()
    for rows, rejects, notices, normal, position in _ahead(_prepared(table, normalise, whole=replace)):
        watch.check()
        intake.clear_tables(facts=True)  # deleted rows would pile up in it over the batches
        merged = intake.Counts(rejected=len(rejects))
        if rows.height:
            intake.sound_statistics()
            intake.stage(rows)
            merged.add(intake.merge(rows, terms))
            results.keep(item.id)
        if merged.nobodys:
            rejects = rejects + _ambiguous(normal, normalise, merged.nobodys)
        _keep_rejects(item.id, rejects)
        _keep_notices(item.id, notices, nobodys=set(merged.nobodys))
        counts.add(merged)
        watch.done, watch.rows = counts.rows, max(counts.rows, counts.rows * table.size // max(position, 1))
    intake.clear_tables()
    if normalise.two_readings:
        item.mapping["two_readings"] = normalise.two_readings[:40]
        Import.objects.filter(id=item.id).update(mapping=item.mapping)
    return counts


_Prepared: TypeAlias = "tuple[pl.DataFrame, list[Reject], list[Notice], pl.DataFrame, int]"


def _prepared(table: tables.Table, normalise: Normaliser, *, whole: bool) -> Iterator[_Prepared]:
    """(rows for `incoming`, rows rejected, cells left out, the batch as read, bytes read), by batch or all in one."""
    batches = table.batches()
    if whole:
        every = list(batches)
        if not every:
            return
        frame = pl.concat([batch.frame for batch in every])
        batches = iter([tables.Batch(frame, [bad for batch in every for bad in batch.bad], table.size)])
    for batch in batches:
        rows, rejects, notices = normalise(batch.frame)
        rejects += [Reject(bad.row_no, normalise.raw(bad.cells), bad.reason) for bad in batch.bad]
        yield rows, rejects, notices, batch.frame, batch.position


def _ahead(batches: Iterator[_Prepared]) -> Iterator[_Prepared]:
    """The same batches, read one or two ahead by a thread of their own."""
    ready: queue.Queue[_Prepared | BaseException | None] = queue.Queue(maxsize=2)
    gone = threading.Event()

    def put(item: _Prepared | BaseException | None) -> None:
        while not gone.is_set():
            try:
                ready.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            for batch in batches:
                put(batch)
                if gone.is_set():
                    return
            put(None)
        except BaseException as error:  # handed to the reader of the queue
            put(error)

    thread = threading.Thread(target=read, name="import-reader", daemon=True)
    patience = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # the merging thread wakes for each piece of a COPY; 5 ms each would add up
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        gone.set()
        thread.join()
        sys.setswitchinterval(patience)


def _ambiguous(frame: pl.DataFrame, normalise: Normaliser, row_nos: list[int]) -> list[Reject]:
    found = frame.filter(pl.col("row_no").is_in(row_nos))
    numbered = "asked_id" in normalise.columns.values() and not mapping.names_somebody(normalise.columns)
    reason = "unknown_id" if numbered else "ambiguous"
    return [Reject(row_no, normalise.raw(cells), reason) for row_no, *cells in found.iter_rows()]


def _keep_rejects(import_id: int, rejects: list[Reject]) -> None:
    ImportReject.objects.bulk_create(
        [
            ImportReject(
                import_id=import_id,
                row_no=reject.row_no,
                raw=list(reject.raw.items()),  # pairs: jsonb would reorder an object
                reason=reject.reason,
                column=reject.column,
                value=reject.value,
            )
            for reject in rejects
        ],
        batch_size=1000,
    )


def _keep_notices(import_id: int, notices: list[Notice], *, nobodys: set[int]) -> None:
    """Cells left out of rows taken in; a row that turned out to be nobody's stands among the rejects instead."""
    ImportNotice.objects.bulk_create(
        [
            ImportNotice(
                import_id=import_id,
                row_no=notice.row_no,
                column=notice.column,
                reason=notice.reason,
                value=notice.value,
            )
            for notice in notices
            if notice.row_no not in nobodys
        ],
        batch_size=1000,
        ignore_conflicts=True,  # two headings cut to 120 characters may be one
    )


def _finish(
    item: Import, *, state: str, counts: intake.Counts | None = None, message: Mapping[str, Any] | None = None
) -> None:
    counts = counts or intake.Counts()
    Import.objects.filter(id=item.id).update(
        state=state,
        rows=counts.rows,
        done_rows=counts.rows,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        rejected=counts.rejected,
        stopped=counts.stopped,
        message=dict(message or {}),
        ended_at=clock.now(),
    )
    audit.record(
        "import.finished", "import", item.id, clock.now(), user=item.user, name=item.file_name, outcome=state,
        created=counts.created, updated=counts.updated, rejected=counts.rejected, stopped=counts.stopped,
    )  # fmt: skip


@contextmanager
def _only_once(import_id: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, import_id])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, import_id])


class _Watch:
    """Writes progress in a session of its own and stops the merge when somebody has asked for that."""

    def __init__(self, import_id: int, merging: Any) -> None:
        self.import_id = import_id
        self.done = self.rows = 0
        self.cancelled = False
        self._merging = merging
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="import-watch", daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def check(self) -> None:
        if self.cancelled:
            raise CancelledError

    def stop(self) -> None:
        """End the watching; CancelledError when the wish to stop has come before this."""
        if not self._over.is_set():
            self._over.set()
            self._thread.join()
            self.check()

    def _look(self) -> None:
        try:
            while not self._over.wait(0.3):
                row = SQL.progress.row({"import_id": self.import_id, "done": self.done, "rows": self.rows})
                if row and row["cancel_asked"]:
                    self.cancelled = True
                    self._merging.cancel_safe(timeout=5)
                    return
        except Exception:
            log.exception("the progress of an import cannot be shown", import_id=self.import_id)
        finally:
            connection.close()
