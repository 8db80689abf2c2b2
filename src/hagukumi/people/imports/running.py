"""One file, from its rows to people. They are merged in one transaction: all of the file, or nothing of it.

While the database merges one batch, a thread reads and normalises the next; a second session writes progress where
others see it, and cancels the running statement when somebody asks for that.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from django.db import DatabaseError, connection, transaction

from hagukumi.accounts import audit
from hagukumi.kit import clock, tables
from hagukumi.kit import lazy as modules
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping
from hagukumi.people.fields.models import Field
from hagukumi.people.fields.normalise import Normaliser, Notice, Reject
from hagukumi.people.identity import intake

from . import drafts, results
from .models import Import, ImportNotice, ImportReject
from .queries import SQL

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

log = structlog.get_logger(__name__)
_LOCK_CLASS = 0x494D50


class CancelledError(Exception):
    """Somebody asked to stop; nothing of the file stays."""


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
            table = drafts.open_import(item)
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
    normalise = drafts.normaliser(table, item)
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
