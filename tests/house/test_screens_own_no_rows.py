"""Rooms own their reads and writes: a screen asks `reads` and calls verbs, no door forgets a rule or the audit."""

import ast
from pathlib import Path

import pytest

import hagukumi

SCREENS = Path(hagukumi.__file__).parent / "screens"
SHORT_CUTS = {"get_object_or_404", "get_list_or_404", "connection"}
ON_ROWS = {"save", "delete", "bulk_create", "bulk_update", "refresh_from_db"}


def reaches(source):
    """(line, what) where a module reaches for rows itself: a manager, a shortcut to one, or a row's own write.

    `services.save(…)` is a verb: what is called on an imported name is no row.
    """
    tree = ast.parse(source)
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "objects":
            yield node.lineno, f".{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name in SHORT_CUTS)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ON_ROWS:
            owner = node.func.value
            if not isinstance(owner, ast.Name) or owner.id not in imported:
                yield node.lineno, f".{node.func.attr}()"


def test_no_screen_reads_or_writes_rows_itself():
    found = [
        f"{path.relative_to(SCREENS)}:{line} {what}"
        for path in sorted(SCREENS.rglob("*.py"))
        for line, what in reaches(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "Lead.objects.filter(pk=1)",
        "form.save()",
        "found.delete()",
        "from django.shortcuts import get_object_or_404",
        "from django.db import connection, transaction",
        "form.save(commit=False)",
    ],
)
def test_each_way_to_a_row_is_seen(source):
    assert list(reaches(source))


@pytest.mark.parametrize(
    "source",
    [
        "from . import services\nservices.save(piece)",
        "from .ledger import objects\nobjects.names({})",
        "kept.add(1)",
    ],
)
def test_verbs_and_reads_are_none(source):
    assert not list(reaches(source))
