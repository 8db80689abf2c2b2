"""What stands on a definition: before one is put away, each room is asked which of its own would miss it.

A reader of a room takes a table and an id and yields a `Use` for each thing of the room, in force, that stands on it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """Something in force that stands on a definition. `ja`, `en`: what it is (シナリオ, scenario); `url`: its page."""

    ja: str
    en: str
    name: str
    url: str


Reader = Callable[[str, int], Iterable[Use]]
_READERS: dict[str, Reader] = {}


def register(name: str, reader: Reader) -> None:
    """Have a room's reader asked."""
    _READERS[name] = reader


def of(table: str, object_id: int) -> list[Use]:
    """Everything in force that stands on a row of a table of definitions, each once."""
    return list(dict.fromkeys(use for reader in _READERS.values() for use in reader(table, object_id)))


class InUseError(ValueError):
    """The definition cannot be put away: `uses` stand on it."""

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(", ".join(f"{use.en} {use.name}" for use in uses))
        self.uses = uses


def refuse(table: str, object_id: int) -> None:
    """InUseError where anything in force stands on this row."""
    if found := of(table, object_id):
        raise InUseError(found)
