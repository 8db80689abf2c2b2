"""A node of a scenario: what every kind says about itself. A kind is one module of this package.

People either pass a node at once (`act`), or come to stand there: until a time (`due_at`), or until a question about
what they do is answered (`passing`), whichever comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from psycopg import sql
from pydantic import Field

from hagukumi.ledger.causes import Cause

from ..parts import Kinds, Names, Part


@dataclass(frozen=True)
class Passers:
    """The people who pass a node in one leg of a beat, as SQL. `scenario` is its name, for what acts keep as cause.

    `hops`: how often a fact has caused a fact on their way here, apart, so that each chain keeps its own count and a
    circle of definitions comes to an end. `loops`: the nodes that a way leads back to.
    """

    scenario_id: int
    scenario: str
    leg: int
    now: datetime
    hops: tuple[int, ...]
    loops: frozenset[str]

    def by_hop(self) -> Iterator[tuple[int, sql.Composed]]:
        """(hop, SELECT lead_id of its people)."""
        for hop in self.hops:
            yield hop, _PEOPLE.format(leg=sql.Literal(self.leg), hop=sql.Literal(hop))

    def occasions(self, node_id: str) -> sql.Composed:
        """SELECT lead_id, occurrence, due_at: one row each; `occurrence` names this visit of the node and no other.

        Repeating a beat gives the same names, so nothing goes twice. Where a way leads here again within one visit of
        the scenario the name holds the moment too: each time round is an occasion of its own.
        """
        again = f".{int(self.now.timestamp())}" if node_id in self.loops else ""
        return _OCCASIONS.format(
            scenario=sql.Literal(f"s{self.scenario_id}."),
            node=sql.Literal(f".{node_id}{again}"),
            now=sql.Literal(self.now),
            leg=sql.Literal(self.leg),
        )


_PEOPLE = sql.SQL("SELECT lead_id FROM stepped WHERE leg = {leg} AND hop = {hop}")
_OCCASIONS = sql.SQL(
    "SELECT lead_id, {scenario} || visit || {node} AS occurrence, {now}::timestamptz AS due_at"
    " FROM stepped WHERE leg = {leg}"
)


class Node(Part):
    """`id` is given once and stays, so that people can be followed; `name` is the user's own, '' for none.

    `stands`: people come to stand here. `ends`: their way is over. `asks`: they leave by `yes` as soon as the question
    is answered. `delays`: nobody leaves at the moment of arriving, so a way through here may lead back. `late`: the
    exit by which people leave when their time has come.
    """

    id: str = Field(pattern=r"^[a-z0-9]{1,12}$")
    name: str = Field(default="", max_length=60)
    icon: ClassVar[str] = "circle"
    stands: ClassVar[bool] = False
    ends: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    delays: ClassVar[bool] = False
    late: ClassVar[str] = "next"

    def exits(self) -> dict[str, str]:
        """Exit -> id of the node that it leads to, the main way first."""
        return {}

    @classmethod
    def fresh(cls, node_id: str, following: str, spare: str, before: Sequence["Node"]) -> tuple["Node", ...]:
        """A new one put before `following`, and what it brings along (with the id `spare`).

        `before`: the nodes on the way to it, the nearest first.
        """
        raise NotImplementedError

    def does(self, names: Names) -> str:
        """What happens here, in a few words of the reader's language."""
        return str(self.label)

    def missing(self, names: Names) -> Iterator[str]:
        """What it needs and is not there, or not ready."""
        yield from names.missing(self)

    # -- in a beat -----------------------------------------------------------------------------------------------

    def act(self, passers: Passers) -> None:
        """What happens to those who pass, set-based and in the beat's transaction."""

    def due_at(self, now: datetime) -> datetime | None:
        """When somebody who comes to stand here now has to leave (a UTC instant); None: never."""
        return None

    def next_slot(self, earliest: datetime) -> datetime | None:
        """The first hour at or after `earliest` at which people may leave; None: at any."""
        return None

    def causes(self) -> tuple[Cause, ...]:
        """The facts that can answer its question."""
        return ()

    def passing(self, who: sql.Composable, now: datetime) -> sql.Composable:
        """SELECT lead_id, visit of those in `who` (SELECT lead_id, visit, entered_at) for whom the answer is yes."""
        raise NotImplementedError(self.type)

    # -- by hand -------------------------------------------------------------------------------------------------

    def tried(self, names: Names, lead_id: int) -> tuple[str, str]:
        """(what this lead would get, what is wrong with it) for a test run."""
        return "", ""


class Passed(Node):
    """A node that people pass at once."""

    next: str

    def exits(self) -> dict[str, str]:
        return {"next": self.next}

    @classmethod
    def fresh(cls, node_id: str, following: str, spare: str, before: Sequence[Node]) -> tuple[Node, ...]:
        made: dict[str, Any] = {"id": node_id, "next": following}
        return (cls.model_validate(made),)


NODES: Kinds[Node] = Kinds("node")
