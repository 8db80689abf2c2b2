"""What facts point to: each room says how a row of its tables is named, so that the timeline needs to know no room."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Object:
    """A table that `Kind.object` may name, and how one of its rows is called.

    `name` and `name_en` are SQL over the row ('' in English: there is none of its own); `source` is what to select
    from where that is more than the table; `of_lead`: an id means something within its lead only.
    """

    table: str
    name: str = "name"
    name_en: str = "''"
    key: str = "id"
    source: str = ""
    of_lead: bool = False

    def select(self) -> str:
        """SELECT object, id, ja, en of the rows whose ids are in the parameter named like the table."""
        within = " AND lead_id = %(lead_id)s::bigint" if self.of_lead else ""
        return (
            f"SELECT '{self.table}' AS object, {self.key} AS id, {self.name} AS ja, {self.name_en} AS en"  # noqa: S608
            f" FROM {self.source or self.table} WHERE {self.key} = ANY(%({self.table})s::bigint[]){within}"
        )


_OBJECTS: dict[str, Object] = {}


def register(*objects: Object) -> None:
    """Add tables that facts may point to; the same table twice in different words is a ValueError."""
    for one in objects:
        if _OBJECTS.setdefault(one.table, one) != one:
            raise ValueError(f"{one.table} is registered twice")


def every() -> list[Object]:
    """All of them, in the order of registration."""
    return list(_OBJECTS.values())


def names(wanted: Mapping[str, Collection[int]], lead_id: int = 0) -> dict[tuple[str, int], tuple[str, str]]:
    """(table, id) -> (Japanese, English or '') of what still exists among `wanted`. One statement, none for nothing.

    Without a `lead_id`, what has a name only within its lead is left out.
    """
    asked = {table: sorted(ids) for table, ids in wanted.items() if ids and table in _OBJECTS}
    if not asked:
        return {}
    parameters: dict[str, Any] = {"lead_id": lead_id, **asked}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(_OBJECTS[table].select() for table in asked), parameters)
        return {(table, key): (ja or "", en or "") for table, key, ja, en in cursor.fetchall()}


def latest(table: str, limit: int = 200) -> list[list[Any]]:
    """[id, Japanese name] of the newest rows of a table, for choosing one; [] for a table that nobody registered."""
    one = _OBJECTS.get(table)
    if one is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {one.key}, {one.name} FROM {one.source or one.table} ORDER BY {one.key} DESC LIMIT %s",  # noqa: S608
            [limit],
        )
        return [list(row) for row in cursor.fetchall()]
