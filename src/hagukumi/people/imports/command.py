"""`hagukumi import FILE`: the same verbs as the upload screen, with progress on standard error."""

import json
import shutil
import sys
import threading
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _

from hagukumi.kit import clock
from hagukumi.kit.tables import TableError
from hagukumi.people.sources import services as sources

from . import rules
from . import services as imports
from .models import Import, ImportNotice, ImportReject

_SHOWN_REJECTS = 20


def import_file(
    path: Path,
    *,
    source_name: str,
    encoding: str | None = None,
    as_json: bool = False,
    sheet: str = "",
    header_row: int = 0,
    dates: str = "",
) -> int:
    """Take a file in at once; returns the exit code: 0 = taken in (rejected rows are listed), 1 = refused, saying why.

    With `as_json` the last line of standard output holds rows, created, updated, unchanged, rejected, notices (cells
    left out), and of dates with two readings one and how it was read. `dates`: month_first or day_first, '' = as the
    file's other dates show, else the month first.
    """
    now = clock.now()
    try:
        kept = _keep(Path(path))
        source = sources.find_or_make(source_name, now=now)
        item = imports.draft(
            kept,
            file_name=Path(path).name,
            source=source,
            basis=source.consent_basis,
            user_id=None,
            now=now,
            encoding=encoding,
            sheet=sheet,
            header_row=header_row,
        )
        if dates:
            imports.change_mapping(item, item.mapping["columns"], replace=False, day_first=dates == "day_first")
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
    return 0


def _keep(path: Path) -> Path:
    if path.stat().st_size > imports.MAX_UPLOAD_MB * 1_000_000:
        raise TableError("too_big", megabytes=imports.MAX_UPLOAD_MB)
    with path.open("rb") as file:
        return imports.store(file)


def _refused(path: Path, message: dict[str, object], as_json: bool) -> int:
    words = rules.file_error(message)
    print(f"{Path(path).name}: {words}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": message.get("code"), "message": words}, ensure_ascii=False))
    return 1


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
    counts = {name: getattr(item, name) for name in ("rows", "created", "updated", "unchanged", "rejected")}
    if as_json:
        told = {**counts, "notices": notices.count(), "stopped": item.stopped, "import_id": item.id}
        print(json.dumps({**told, **({"two_readings": two, "dates": order} if two else {})}, ensure_ascii=False))
    else:
        print(
            _("%(rows)s 行: 新規 %(created)s、更新 %(updated)s、変更なし %(unchanged)s、取り込まず %(rejected)s")
            % counts
        )
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
