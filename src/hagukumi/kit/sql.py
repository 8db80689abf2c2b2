"""Named SQL: statements live in `.sql` files, each with one typed wrapper in the `queries.py` beside it.

A file holds statements that begin with `-- name: some_name`. Parameters are `%(name)s` (cast them where PostgreSQL
cannot infer a type: `%(now)s::timestamptz`). A statement may also hold `{slots}` for composed SQL (conditions, scopes);
each slot declares a default in the header, `-- slot NAME: true`, which is what is prepared at boot. What many rooms'
statements mean by one word (`share`) fills its slot everywhere, undeclared.
"""

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg import sql

_NAME = re.compile(r"^-- name:\s*(\w+)\s*$", re.MULTILINE)
_SLOT = re.compile(r"^-- slot (\w+):\s*(.+)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)
_HOLE = re.compile(r"\{(\w+)\}")
_ROOT = Path(__file__).resolve().parents[1]
_PARAM = re.compile(r"%\((\w+)\)s")
_REGISTRY: dict[str, "Query"] = {}
_SHARED: dict[str, str] = {}


def share(slot: str, meaning: sql.Composable) -> None:
    """Fill `{slot}` with `meaning` in every statement that has it: one definition, wherever it is asked."""
    _SHARED[slot] = _text(meaning)


class BrokenQueryError(RuntimeError):
    """A named statement does not fit the schema. Carries the statement's full name."""


@dataclass(frozen=True)
class Query:
    """One named statement. Calls run on Django's connection, inside the caller's transaction."""

    name: str
    text: str
    slots: Mapping[str, str] = field(default_factory=dict)

    def compose(self, **slots: sql.Composable | str) -> str:
        """The statement's text with its slots filled; unfilled ones take their declared default."""
        filled = dict(_SHARED)
        for slot, default in self.slots.items():
            value = slots.pop(slot, default)
            filled[slot] = _text(value) if isinstance(value, sql.Composable) else value
        if slots:
            raise KeyError(f"{self.name} has no slot {', '.join(slots)}")
        # in one pass: a literal inside a filled slot may itself read like a slot
        return _HOLE.sub(lambda hole: filled.get(hole.group(1), hole.group(0)), self.text)

    def run(self, params: Mapping[str, Any] | None = None, **slots: sql.Composable | str) -> int:
        """Execute for effect; returns the number of rows touched."""
        with connection.cursor() as cursor:
            cursor.execute(self.compose(**slots), params or {})
            return max(int(cursor.rowcount), 0)

    def rows(self, params: Mapping[str, Any] | None = None, **slots: sql.Composable | str) -> list[dict[str, Any]]:
        """All result rows as dicts, in the statement's order."""
        with connection.cursor() as cursor:
            cursor.execute(self.compose(**slots), params or {})
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, params: Mapping[str, Any] | None = None, **slots: sql.Composable | str) -> dict[str, Any] | None:
        """The first result row, or None."""
        found = self.rows(params, **slots)
        return found[0] if found else None

    def value(self, params: Mapping[str, Any] | None = None, **slots: sql.Composable | str) -> Any:
        """The first column of the first row, or None."""
        with connection.cursor() as cursor:
            cursor.execute(self.compose(**slots), params or {})
            row = cursor.fetchone()
            return row[0] if row else None


class Queries:
    """The statements of one `.sql` file, by attribute: `SQL = Queries(__file__)`, then `SQL.some_name.rows(...)`.

    `lists`: text that stands for `{name}` in every statement of the file, such as the columns of a table.
    """

    def __init__(self, beside: str, filename: str = "queries.sql", lists: Mapping[str, str] | None = None) -> None:
        path = Path(beside).with_name(filename)
        self._found = {query.name.rsplit(".", 1)[1]: query for query in _parse(path, lists or {})}
        _REGISTRY.update({query.name: query for query in self._found.values()})

    def __getattr__(self, name: str) -> Query:
        try:
            return self._found[name]
        except KeyError:
            raise AttributeError(f"no named query {name}") from None


def _parse(path: Path, lists: Mapping[str, str]) -> Iterator[Query]:
    whole = path.read_text(encoding="utf-8")
    for name, text in lists.items():
        whole = whole.replace(f"{{{name}}}", text)
    parts = _NAME.split(whole)
    room = ".".join(path.resolve().parent.relative_to(_ROOT).parts)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        slots = {slot: default.strip() for slot, default in _SLOT.findall(text)}
        body = _COMMENT.sub("", text).strip().rstrip(";")
        yield Query(f"{room}.{name}", body, slots)


def registered() -> Sequence[Query]:
    """Every named statement imported so far, in name order."""
    return [_REGISTRY[name] for name in sorted(_REGISTRY)]


def load_rooms() -> None:
    """Import every module that opens a `.sql` file beside it, so that `registered` is complete."""
    for path in sorted(_ROOT.rglob("*.py")):
        if "Queries(__file__" in path.read_text(encoding="utf-8") and path != Path(__file__):
            importlib.import_module(".".join((_ROOT.name, *path.relative_to(_ROOT).with_suffix("").parts)))


def prepare_all() -> int:
    """Prepare every room's named statements against the live schema, leaving no trace; returns how many there are.

    Raises BrokenQueryError naming the first that does not fit. Temporary tables that statements stand on are made for
    the check and taken back with it.
    """
    load_rooms()
    with transaction.atomic():
        for query in sorted(registered(), key=lambda query: not query.text.startswith("CREATE TEMP")):
            try:
                _check(query)
            except (OperationalError, InterfaceError):  # the database went away: that says nothing of the statement
                raise
            except Exception as error:
                raise BrokenQueryError(f"{query.name}: {str(error).strip()}") from error
        transaction.set_rollback(True)
    return len(_REGISTRY)


def _check(query: Query) -> None:
    with connection.cursor() as cursor:
        if query.text.startswith(("CREATE TEMP", "ANALYZE", "TRUNCATE")):  # PostgreSQL prepares none of them
            cursor.execute(query.text)
            return
        cursor.execute(f"PREPARE hagukumi_check AS {_numbered(query.compose())}")
        cursor.execute("DEALLOCATE hagukumi_check")


def _text(part: sql.Composable) -> str:
    """The text of composed SQL; a `%` inside a literal is doubled, for it is data, not a placeholder."""
    if isinstance(part, sql.Composed):
        return "".join([_text(inner) for inner in part])
    text = part.as_string(None)
    return text.replace("%", "%%") if isinstance(part, sql.Literal) else text


def _numbered(text: str) -> str:
    seen: dict[str, int] = {}
    numbered = _PARAM.sub(lambda match: f"${seen.setdefault(match.group(1), len(seen) + 1)}", text)
    return numbered.replace("%%", "%")
