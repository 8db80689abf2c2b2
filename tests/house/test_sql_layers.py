"""SQL keeps the layers of the house: a room's statements read tables at or below it, and write its own alone."""

import ast
import re
import tomllib
from pathlib import Path

from django.apps import apps

import hagukumi

SOURCE = Path(hagukumi.__file__).parent
PROJECT = SOURCE.parents[1]
READS = re.compile(r"\b(?:FROM|JOIN|USING)\s+(?:ONLY\s+)?([a-z_]+)\b(?!\s*\()", re.IGNORECASE)
WRITES = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE(?!\s+SET)|DELETE\s+FROM|TRUNCATE|COPY)\s+(?:ONLY\s+)?([a-z_]+)\b", re.IGNORECASE
)
STATEMENT = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b")
FREE = {"demo", "bench", "app", "worker", "overview", "screens", "integrations", "collector", "embedded"}
"""Above every table, or apart (the collector knows sites and forms by their tables): they may read all, write none."""
ABOVE = {
    (
        "collect/tracking/queries.sql",
        "delivery",
    ): "a click names a delivery, and only that knows its message",
    ("collect/tracking/verdicts.sql", "delivery"): "an open or a click is judged by when its mail was sent",
}
"""(file, table) -> why a room reads a table above it."""
PEOPLE = "a key is claimed and its lead made in one statement, or two doors make one person twice"
VISITORS = "a visitor is a lead of whom nothing is known yet: made with their key, in one statement"
MOVES = "joining moves what was done, and wakes the heart for it, in the statement that closes the visitor"
FOREIGN = {
    ("people/identity/intake.sql", "lead"): PEOPLE,
    ("people/identity/intake.sql", "lead_identity"): PEOPLE,
    ("people/identity/intake.sql", "lead_tag"): PEOPLE,
    ("people/identity/queries.sql", "lead"): MOVES,
    ("people/identity/queries.sql", "lead_identity"): MOVES,
    ("people/identity/queries.sql", "activity"): MOVES,
    ("people/identity/queries.sql", "pulse"): MOVES,
    ("collect/tracking/queries.sql", "lead"): VISITORS,
    ("collect/tracking/queries.sql", "lead_identity"): VISITORS,
    ("collect/tracking/queries.sql", "activity_day"): "the roll-up is a step of the room whose facts it counts",
    ("worker/queries.sql", "heart_step"): "the heart notes how its own steps went",
}
"""(file, table) -> why a room writes a table that another owns."""


def contracts():
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def order():
    """Every package of the house in layer order, lowest first: `ledger`, `people.companies`, ..."""
    groups = next(c["layers"] for c in contracts() if c.get("containers") == ["hagukumi"])
    inside = {c["containers"][0].removeprefix("hagukumi."): c["layers"] for c in contracts() if c.get("containers")}
    found = []
    for level in reversed(groups):
        for group in level.split(" | "):
            found += [f"{group}.{room}" for room in reversed(inside.get(group, []))] or [group]
    return found


ORDER = order()


def room_of(module_path):
    """The entry of ORDER that a dotted path (people.leads.models) lies in."""
    return next((room for room in ORDER if f"{module_path}.".startswith(f"{room}.")), module_path.split(".")[0])


OWNERS = {
    model._meta.db_table: room_of(model.__module__.removeprefix("hagukumi."))
    for model in apps.get_app_config("hagukumi").get_models(include_auto_created=True)
}


def statements():
    """(file, text) of all SQL: the named statements, and every string in Python that reads like one."""
    for path in sorted(SOURCE.rglob("*.sql")):
        text = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        yield path.relative_to(SOURCE).as_posix(), text
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.search(node.value):
                yield path.relative_to(SOURCE).as_posix(), node.value


def touched(pattern):
    """(file, room, table, owner) of every table that a statement touches in the way of `pattern`."""
    found = set()
    for file, text in statements():
        room = room_of(file.rpartition("/")[0].replace("/", "."))
        for table in pattern.findall(text):
            if table in OWNERS:
                found.add((file, room, table, OWNERS[table]))
    return sorted(found)


def test_a_room_reads_tables_at_or_below_it():
    above = {
        (file, table)
        for file, room, table, owner in touched(READS)
        if room.split(".")[0] not in FREE and ORDER.index(owner) > ORDER.index(room)
    }
    assert above == set(ABOVE)


def test_a_table_is_written_by_its_own_room():
    foreign = {
        (file, table)
        for file, room, table, owner in touched(WRITES)
        if owner != room and room not in {"demo", "bench"}  # those two make whole worlds by COPY
    }
    assert foreign == set(FOREIGN)


def test_every_table_has_an_owner_in_the_order():
    assert set(OWNERS.values()) <= set(ORDER)
    assert len(OWNERS) > 45
