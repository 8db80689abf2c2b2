"""Who reads which facts: what a definition declares as its causes, put together as SQL over a batch of facts.

A fact concerns a definition by its kind and, where the definition names objects, by its object too. What concerns
nobody is dropped when a beat begins, before any step pays for it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql


@dataclass(frozen=True)
class Cause:
    """Facts that can change an answer: of these kinds; of those only where `test` holds, a boolean over `object_id`."""

    kinds: frozenset[int]
    test: sql.Composable | None = None

    @cached_property
    def text(self) -> str:
        """The test as text: causes with the same one are put together."""
        return self.test.as_string(None) if self.test is not None else ""


def concern(causes: Iterable[Cause]) -> sql.Composed:
    """A boolean over the columns `kind` and `object_id` of a fact: whether it is one of the causes."""
    causes = list(causes)
    whole = frozenset[int]().union(*(cause.kinds for cause in causes if cause.test is None))
    parts: list[sql.Composable] = [sql.SQL("kind = ANY({})").format(_codes(whole))] if whole else []
    told: dict[str, tuple[set[int], sql.Composable]] = {}
    for cause in causes:
        if cause.test is not None and cause.kinds - whole:
            told.setdefault(cause.text, (set(), cause.test))[0].update(cause.kinds - whole)
    parts += [
        sql.SQL("(kind = ANY({}) AND ({}))").format(_codes(frozenset(kinds)), test) for kinds, test in told.values()
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts)) if parts else sql.Composed([sql.SQL("false")])


def _codes(kinds: frozenset[int]) -> sql.Composable:
    return sql.SQL("{}::smallint[]").format(sql.Literal(sorted(kinds)))


Reader = Callable[[], Iterable[Cause]]
_READERS: dict[str, Reader] = {}


def register(name: str, reader: Reader) -> None:
    """Add a room that reads facts: `reader` says which, by the definitions in force."""
    _READERS[name] = reader


def kinds(causes: Iterable[Cause]) -> frozenset[int]:
    """The codes of all kinds among them."""
    return frozenset[int]().union(*(cause.kinds for cause in causes))


def every(besides: str = "") -> list[Cause]:
    """The facts that anybody at all reads, not counting one room."""
    return [cause for name, reader in _READERS.items() if name != besides for cause in reader()]


def read(besides: str = "") -> sql.Composed:
    """A boolean over `kind` and `object_id`: whether anybody at all reads such a fact, not counting one room."""
    return concern(every(besides))
