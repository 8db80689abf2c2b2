"""`hagukumi export`: the lead list's export, written to a file by whoever may run programs here."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hagukumi.embedded.errors import StartError
from hagukumi.judge.segments import reads as segments
from hagukumi.kit import clock, tables
from hagukumi.kit.replacing import replacing
from hagukumi.overview.leads import reads as lead_list
from hagukumi.screens.people.leads import export

_SHOWN = 5


def leads_to(path: Path, *, segment: str = "", encoding: str = "utf-8-sig", anyway: bool = False) -> int:
    """Write everybody, or a segment's people, to `path` as the list's export does, without its limit; how many.

    `anyway`: characters that `encoding` lacks become 〓, else StartError says where they stand and no file is left. The
    file is for its owner's eyes alone (0600). Audited with count and filter.
    """
    now = clock.now()
    filters = lead_list.Filters(segment=_segment(segment) if segment else None)
    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for row in lead_list.exported(filters):
            count += 1
            yield row

    with replacing(path) as file:
        out = io.TextIOWrapper(file, encoding=encoding, newline="")
        lost = tables.write_rows(out, *export.table(counted()), encoding)
        out.detach()  # flushes, and leaves the file open
        if lost and not anyway:
            raise _lacking(lost, encoding)
        lead_list.told_of_export(filters, count, now)
    return count


def _segment(asked: str) -> int:
    """The id of the segment with this name, else of the one with this number. StartError where there is none."""
    found = segments.choices()
    named = [key for key, name in found if name == asked] or [key for key, _name in found if str(key) == asked]
    if not named:
        names = " / ".join(name for _key, name in found)
        raise StartError(
            f"「{asked}」というセグメントはありません。今あるもの: {names}",
            f"there is no segment “{asked}”; there are: {names}",
        )
    if len(named) > 1:
        ids = ", ".join(map(str, named))
        raise StartError(
            f"「{asked}」というセグメントが複数あります。番号で選んでください: {ids}",
            f"several segments are called “{asked}”; choose one by its number: {ids}",
        )
    return named[0]


def _lacking(lost: list[tables.Unmappable], encoding: str) -> StartError:
    ja = "、".join(f"{one.row_no} 行目「{one.column}」の {one.character}" for one in lost[:_SHOWN])
    en = ", ".join(f"{one.character} in row {one.row_no}, {one.column}" for one in lost[:_SHOWN])
    return StartError(
        f"{encoding} にない文字が {len(lost)} か所にあります（{ja}）。--anyway で 〓 に置き換えます",
        f"{encoding} lacks characters in {len(lost)} places ({en}); --anyway writes 〓 for them",
    )
