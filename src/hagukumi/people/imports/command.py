"""`hagukumi import FILE`: the same verbs as the upload screen, with progress on standard error."""

import json
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _

from hagukumi.kit import clock, tables
from hagukumi.kit.replacing import replacing
from hagukumi.kit.tables import TableError
from hagukumi.people.fields import mapping
from hagukumi.people.sources import services as sources

from . import results, rules
from . import services as imports
from .models import Import, ImportNotice, ImportReject

_SHOWN_REJECTS = 20
_WRONG_USE = frozenset({"unknown_heading", "unknown_column", "map_form", "no_such_row", "result_place"})
"""What is wrong with the command and not with the file: exit code 2."""


def import_file(
    path: Path,
    *,
    source_name: str,
    encoding: str | None = None,
    as_json: bool = False,
    sheet: str = "",
    header_row: int = 0,
    dates: str = "",
    basis: str | None = None,
    columns: Sequence[str] = (),
    result: Path | None = None,
) -> int:
    """Take a file in at once; returns the exit code: 0 = taken in (rejected rows are listed), 1 = refused, saying why,
    2 = an option that does not fit the file; then nothing is kept or made.

    With `as_json` the last line of standard output holds rows, created, updated, unchanged, rejected, notices (cells
    left out), dropped (headings of the columns left out), and of dates with two readings one and how it was read.
    `dates`: month_first or day_first, '' = as the file's other dates show, else the month first. `basis` of consent:
    '' = none, None = the source's. `columns`: HEADING=COLUMN each, over what is found. `result`: where a line for each
    row is written (`results`).
    """
    now = clock.now()
    try:
        said = _said(Path(path), columns, encoding, sheet, header_row)
        if result:
            _check_place(result, Path(path))
        kept = _keep(Path(path))
        source = sources.find_or_make(source_name, now=now)
        item = imports.draft(
            kept,
            file_name=Path(path).name,
            source=source,
            basis=source.consent_basis if basis is None else basis,
            user_id=None,
            now=now,
            encoding=encoding,
            sheet=sheet,
            header_row=header_row,
        )
        if dates or said:
            meant = mapping.corrected(item.mapping["columns"], said)
            order = dates or item.mapping.get("dates")
            imports.change_mapping(item, meant, replace=False, day_first=order == "day_first")
    except TableError as error:
        return _refused(path, {"code": error.code, **error.values}, as_json)
    done = threading.Event()
    shown = threading.Thread(target=_show, args=(item.id, done), daemon=True)
    shown.start()
    try:
        item = imports.run(item.id)
    finally:
        done.set()
        shown.join()
    if item.state != "done":
        return _refused(path, item.message or {"code": item.state}, as_json)
    _report(item, as_json)
    return _write_result(item, result) if result else 0


def _said(path: Path, columns: Sequence[str], encoding: str | None, sheet: str, header_row: int) -> dict[str, str]:
    """Heading -> target of what `columns` say. TableError for what the file or the house does not have."""
    if path.stat().st_size > imports.MAX_UPLOAD_MB * 1_000_000:
        raise TableError("too_big", megabytes=imports.MAX_UPLOAD_MB)
    table = tables.open_table(path, encoding, sheet=sheet, header_row=header_row)
    if header_row and table.header_row != header_row:
        raise TableError("no_such_row", row=header_row)
    own = imports.own_labels()
    said: dict[str, str] = {}
    for pair in columns:
        heading, sign, column = (part.strip() for part in pair.rpartition("="))
        if not sign:
            raise TableError("map_form", pair=pair)
        if heading not in table.header:
            raise TableError("unknown_heading", heading=heading, headings=" / ".join(table.header))
        target = mapping.named(column, own)
        if target is None:
            raise TableError("unknown_column", column=column)
        said[heading] = target
    return said


def _check_place(result: Path, path: Path) -> None:
    if not result.parent.is_dir() or (result.exists() and (not result.is_file() or result.samefile(path))):
        raise TableError("result_place", path=str(result))


def _write_result(item: Import, result: Path) -> int:
    """Write how each row came out; returns the exit code."""
    try:
        with replacing(result) as file:
            results.write(item, file, clock.now())
    except OSError as error:
        words = _("取り込みは終わりましたが、結果を %(path)s に書けませんでした（%(why)s）。")
        print(words % {"path": result, "why": error.strerror}, file=sys.stderr)
        return 1
    return 0


def _keep(path: Path) -> Path:
    with path.open("rb") as file:
        return imports.store(file)


def _refused(path: Path, message: dict[str, object], as_json: bool) -> int:
    words = rules.file_error(message)
    print(f"{Path(path).name}: {words}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message.get("code"), "message": words}, ensure_ascii=False))
    return 2 if message.get("code") in _WRONG_USE else 1


def _report(item: Import, as_json: bool) -> None:
    rejects = ImportReject.objects.filter(import_id=item.id).order_by("row_no")
    for reject in rejects[:_SHOWN_REJECTS]:
        print(rules.row_error(reject), file=sys.stderr)
    notices = ImportNotice.objects.filter(import_id=item.id).order_by("row_no", "column")
    for notice in notices[:_SHOWN_REJECTS]:
        print(rules.row_error(notice), file=sys.stderr)
    order, two = item.mapping.get("dates") or "month_first", item.mapping.get("two_readings", "")
    if two:
        read = _("日/月") if order == "day_first" else _("月/日")
        said = _("「%(date)s」のような日付は%(order)sの順に読みました（--dates で選べます）。")
        print(said % {"date": two, "order": read}, file=sys.stderr)
    dropped = [name for name, target in item.mapping["columns"].items() if not target]
    counts = {name: getattr(item, name) for name in ("rows", "created", "updated", "unchanged", "rejected")}
    if as_json:
        told = {**counts, "notices": notices.count(), "stopped": item.stopped, "import_id": item.id}
        told["dropped"] = dropped
        print(json.dumps({**told, **({"two_readings": two, "dates": order} if two else {})}, ensure_ascii=False))
    else:
        print(
            _("%(rows)s 行: 新規 %(created)s、更新 %(updated)s、変更なし %(unchanged)s、取り込まず %(rejected)s")
            % counts
        )
        if dropped:
            print(_("取り込まなかった列: %(columns)s") % {"columns": " / ".join(dropped)})
        if item.stopped:
            print(_("配信停止のまま: %(n)s 名（本人の申し出は、取り込みでは解除されません）") % {"n": item.stopped})


def _show(import_id: int, done: threading.Event) -> None:
    """Progress as one line that is rewritten, where somebody looks at it."""
    if not sys.stderr.isatty():
        return
    try:
        while not done.wait(1.0):
            item = Import.objects.filter(id=import_id).first()
            if item:
                print(f"\r{item.done_rows:,} / {item.rows:,}", end="", file=sys.stderr, flush=True)
        print("\r" + " " * min(40, shutil.get_terminal_size().columns), end="\r", file=sys.stderr)
    finally:
        connection.close()
