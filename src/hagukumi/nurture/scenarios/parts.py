"""What every part of a scenario's graph has in common: a frozen document, what it points to, and open kinds of parts.

A node, a branch's question and a door are each an open kind: a class says everything about itself (its fields, what
is wrong with it, what it says, what it points to, how it is set by hand), and registers itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from .controls import Control


@dataclass(frozen=True)
class Ref:
    """A definition that a part points to: a row of `table`; `gone` is what to say where it is not there any more."""

    table: str
    id: int | str
    gone: Any = ""


class Part(BaseModel):
    """A part of a stored graph. What is not chosen yet is None or empty: a draft may be unfinished."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    type: str
    label: ClassVar[Any] = ""
    place: ClassVar[int] = 0
    """Where it stands in the menu of its kind; 0: it is not offered."""

    def problems(self) -> Iterator[str]:
        """What stands in the way of publishing that the part alone can tell, in the user's language."""
        yield from ()

    def points_to(self) -> Iterator[Ref]:
        """What it needs to be there. Archiving one of these names the scenario that uses it."""
        yield from ()

    @classmethod
    def controls(cls) -> list[Control]:
        """How it is set by hand, in reading order."""
        return []

    def filled(self) -> dict[str, Any]:
        """Its values by the names of its controls."""
        return self.model_dump(include={control.name for control in self.controls()})

    @classmethod
    def taken(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its fields from the values of its controls."""
        return {control.name: given[control.name] for control in cls.controls()}


P = TypeVar("P", bound=Part)


class Kinds(Generic[P]):
    """An open kind of parts: its classes by `type`, and how a stored document finds the class of its own."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: dict[str, type[P]] = {}

    def register(self, part: type[P]) -> type[P]:
        """Add a class (usable as a decorator); a type that another class has is a ValueError."""
        key: str = part.__pydantic_fields__["type"].default
        if self._found.get(key, part) is not part:
            raise ValueError(f"{self._what} {key} is registered twice")
        self._found[key] = part
        return part

    def forget(self, part: type[P]) -> None:
        """Take a class out again."""
        self._found = {key: known for key, known in self._found.items() if known is not part}

    def __getitem__(self, key: str) -> type[P]:
        return self._found[key]

    def offered(self) -> list[type[P]]:
        """Those that a menu shows, in its order."""
        return sorted((part for part in self._found.values() if part.place), key=lambda part: part.place)

    def parse(self, document: Any) -> P:
        """The part of a JSON document; ValueError where it is of no known type or its fields do not fit."""
        if isinstance(document, Part):
            return document  # type: ignore[return-value]
        key = document.get("type") if isinstance(document, dict) else None
        part = self._found.get(key) if isinstance(key, str) else None
        if part is None:
            raise ValueError(f"there is no {self._what} of type {key!r}")
        return part.model_validate(document)


def key_of(part: type[Part]) -> str:
    """The `type` under which a class of parts is stored."""
    return str(part.__pydantic_fields__["type"].default)


@dataclass(frozen=True)
class Thing:
    """A table that parts may point to: how rows are loaded by id (without archived ones), and what one is called."""

    table: str
    load: Callable[[set[Any]], Mapping[Any, Any]]
    name: Callable[[Any], str]


_THINGS: dict[str, Thing] = {}


def register_thing(*things: Thing) -> None:
    for thing in things:
        _THINGS[thing.table] = thing


@dataclass(frozen=True)
class Names:
    """What the parts of one graph point to, looked up: one query per table."""

    found: Mapping[str, Mapping[Any, Any]]

    @classmethod
    def of(cls, parts: list[Part]) -> Self:
        asked: dict[str, set[Any]] = {}
        for ref in (ref for part in parts for ref in part.points_to()):
            asked.setdefault(ref.table, set()).add(ref.id)
        return cls({table: _THINGS[table].load(ids) for table, ids in asked.items() if table in _THINGS})

    def get(self, table: str, key: Any) -> Any:
        """The row; None where nothing is chosen, or it is not there."""
        return self.found.get(table, {}).get(key)

    def name(self, table: str, key: Any) -> str:
        """What the row is called, in the reader's language; 「―」 for none."""
        row = self.get(table, key)
        return _THINGS[table].name(row) if row is not None else "―"

    def missing(self, part: Part) -> Iterator[str]:
        """What the part points to and is not there, a sentence each."""
        for ref in part.points_to():
            if ref.gone and self.get(ref.table, ref.id) is None:
                yield str(ref.gone)
