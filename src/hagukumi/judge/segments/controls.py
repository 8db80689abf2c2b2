"""How a leaf offers itself to whoever builds a condition: a fresh instance, and the controls that change it.

A control is {"name", "control", "label"} and what its sort needs: `options` [[value, text]], `optional`, `min`, `after`
(the label follows the field). Sorts: number, oku (億円), select, bool, check, multi, texts, objects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language

Options = list[list[Any]]


@dataclass(frozen=True)
class Offer:
    """`place`: where it stands among the leaves; `fresh`: the parameters of a new one; `controls` in reading order."""

    place: int
    fresh: dict[str, Any]
    controls: list[dict[str, Any]] = field(default_factory=list)


def control(name: str, sort: str, label: Any = "", **more: Any) -> dict[str, Any]:
    """One control of a leaf."""
    return {"name": name, "control": sort, "label": str(label), **more}


def pick(ja: str, en: str) -> str:
    """The one in the reader's language."""
    return en if (get_language() or "ja").startswith("en") else ja


def pairs(table: Mapping[str, tuple[Any, ...]]) -> Options:
    """Options of a table key -> (Japanese, English, ...)."""
    return [[key, pick(words[0], words[1])] for key, words in table.items()]
