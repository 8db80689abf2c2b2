"""Verbs over one whole person: everything we hold about them, and nothing of it any more."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.people.consent import services as consent
from hagukumi.people.imports.models import Import, ImportNotice, ImportReject

from . import files
from .queries import SQL
from .rules import TABLES, Rows, Texts


class NobodyError(LookupError):
    """There is no lead with this number."""


@dataclass(frozen=True)
class Erased:
    """What went: rows by table, files below the home, and how many addresses are kept as hashes not to be mailed."""

    lead_id: int
    rows: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    stops_kept: int = 0


def export(lead_id: int, now: datetime) -> dict[str, Any]:
    """Everything we hold about a person as JSON values: {"lead_id", "at", "tables": {table: [row, ...]}, "suppressed"}.

    NobodyError. That it was taken out is written down. Source: 個人情報保護法 33条.
    """
    ids, marks = _person(lead_id)
    tables = {table: rows for table in TABLES if (rows := _rows(table, ids, marks))}
    emails = [value for kind, value in marks if kind == "email"]
    audit.record("lead.exported", "lead", lead_id, now, count=sum(map(len, tables.values())))
    return {
        "lead_id": lead_id,
        "at": now.isoformat(),
        "tables": tables,
        "suppressed": [{key: _plain(value) for key, value in row.items()} for row in consent.stops_of(emails)],
    }


def erase(lead_id: int, now: datetime, *, reason: str, home: Path | None = None) -> Erased:
    """Take a person out of every table, file and spool. NobodyError; a second time it is one.

    That their addresses must not be mailed is kept by hash; numbers that were counted (reports by day) stay.
    Files go first: where that fails nothing is erased, and the act can be done again. Source: 個人情報保護法 35条.
    """
    ids, marks = _person(lead_id)
    emails = [value for kind, value in marks if kind == "email"]
    gone = files.erase(home or settings.HOME, [value for _kind, value in marks])
    with transaction.atomic():
        stops = consent.keep_stops(emails, ids)
        _forget_cells(gone)
        counts = {table: count for table in reversed(TABLES) if (count := _delete(table, ids, marks))}
        audit.record(
            "lead.erased", "lead", lead_id, now, reason=reason[:200], count=sum(counts.values()), files=len(gone),
            stops_kept=stops,
        )  # fmt: skip
    return Erased(lead_id, counts, tuple(gone), stops)


def _forget_cells(gone: list[str]) -> None:
    """What imports remember of single cells of a file goes with the file: nobody can tell any more whose they were."""
    names = {Path(name).name for name in gone if name.startswith("files/imports/")}
    ids = [item.pk for item in Import.objects.only("id", "path") if Path(item.path).name in names]
    for model in (ImportReject, ImportNotice):
        model.objects.filter(import_id__in=ids).delete()


def _person(lead_id: int) -> tuple[list[int], list[tuple[str, str]]]:
    known = lead_id < 2**63
    ids = [row["lead_id"] for row in SQL.everything_of.rows({"lead_id": lead_id})] if known else []
    if not ids:
        raise NobodyError(lead_id)
    return ids, [(row["kind"], row["value"]) for row in SQL.addresses_of.rows({"ids": ids})]


def _where(table: str, ids: list[int], marks: list[tuple[str, str]]) -> sql.Composable | None:
    """Which rows of a table are the person's; None where none can be."""
    rule = TABLES[table]
    if isinstance(rule, Rows):
        own = sql.SQL("{} = ANY({}::bigint[])").format(sql.Identifier(rule.by), sql.Literal(ids))
        if table != "inbox":
            return own
        visitors = [value for kind, value in marks if kind == "visitor"]
        named = _naming(sql.Identifier("details"), marks)
        seen = sql.SQL("lower(visitor) = ANY({}::text[])").format(sql.Literal(visitors))
        return sql.SQL(" OR ").join([own, seen, *([named] if named else [])])
    return _naming(sql.Identifier(rule.column), marks) if isinstance(rule, Texts) else None


def _naming(column: sql.Composable, marks: list[tuple[str, str]]) -> sql.Composable | None:
    tests = [
        sql.SQL("strpos(lower({}::text), {}) > 0").format(column, sql.Literal(value))
        for kind, value in marks
        if kind == "email"
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests)) if tests else None


def _rows(table: str, ids: list[int], marks: list[tuple[str, str]]) -> list[dict[str, Any]]:
    where = _where(table, ids, marks)
    if where is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_text(sql.SQL("SELECT * FROM {} WHERE ").format(sql.Identifier(table)), where))
        names = [column.name for column in cursor.description or ()]
        return [{name: _plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]


def _delete(table: str, ids: list[int], marks: list[tuple[str, str]]) -> int:
    where = _where(table, ids, marks)
    if where is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_text(sql.SQL("DELETE FROM {} WHERE ").format(sql.Identifier(table)), where))
        return max(int(cursor.rowcount), 0)


def _text(*parts: sql.Composable) -> str:
    return sql.Composed(parts).as_string(None)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, memoryview | bytes):
        return bytes(value).hex()
    with contextlib.suppress(TypeError):
        return {str(key): _plain(inner) for key, inner in value.items()} if isinstance(value, dict) else value
    return str(value)
