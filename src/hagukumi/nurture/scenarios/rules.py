"""The graph of a scenario: a door, nodes with explicit exits, what is wrong with it, the legs people travel on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from .doors import DOORS, Door, SegmentEntry
from .nodes import NODES, Node
from .nodes.end import End
from .parts import Names, Part

ENTRY = "entry"
"""The pseudo-node at which people stand who have entered and not yet reached the first node."""
AnyNode = Annotated[SerializeAsAny[Node], BeforeValidator(NODES.parse)]
AnyDoor = Annotated[SerializeAsAny[Door], BeforeValidator(DOORS.parse)]


class Graph(BaseModel):
    """A scenario's definition, stored as JSON. Parsing says it is well formed; `problems` says whether it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    schema_: Literal[1] = Field(default=1, alias="schema")
    entry: AnyDoor = Field(default_factory=SegmentEntry)
    start: str
    nodes: tuple[AnyNode, ...] = Field(max_length=200)

    def node(self, node_id: str) -> Node:
        """The node of that id; KeyError where there is none."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def ids(self) -> set[str]:
        return {node.id for node in self.nodes}

    def parts(self) -> list[Part]:
        """The door and the nodes."""
        return [self.entry, *self.nodes]

    def names(self) -> Names:
        """What it points to, looked up."""
        return Names.of(self.parts())

    def stored(self) -> dict[str, Any]:
        """As it lies in the database."""
        return self.model_dump(mode="json", by_alias=True)


def empty() -> Graph:
    """Where every scenario begins: a door and an end."""
    return Graph(start="n1", nodes=(End(id="n1"),))


def title(node: Node, names: Names) -> str:
    """The node in a few words: its own name where it has one, else what it does."""
    return node.name or node.does(names)


# -- ways --------------------------------------------------------------------------------------------------------


def edges(graph: Graph) -> Iterator[tuple[str, str, str]]:
    """Every (node, exit, target), the entry's first."""
    yield ENTRY, "next", graph.start
    for node in graph.nodes:
        for name, target in node.exits().items():
            yield node.id, name, target


def reachable(graph: Graph) -> list[str]:
    """Ids of the nodes that can be reached, nearest the entry first."""
    seen: list[str] = []
    waiting = [graph.start]
    known = graph.ids()
    for current in waiting:
        if current not in seen and current in known:
            seen.append(current)
            waiting.extend(graph.node(current).exits().values())
    return seen


def looping(graph: Graph, *, past_waits: bool = True) -> frozenset[str]:
    """Nodes from which a person can come back to the same node; `past_waits=False`: without ever passing a wait."""
    ways = {
        node.id: set(node.exits().values()) if past_waits or not node.delays else set[str]() for node in graph.nodes
    }
    return frozenset(start for start in ways if start in _beyond(start, ways))


def _beyond(start: str, ways: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(ways.get(start, ()))
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(ways.get(current, ()))
    return found


@dataclass(frozen=True)
class Leg:
    """Leaving `source` by `exit`: the nodes passed at once, in order, and the one where the person comes to stand."""

    source: str
    exit: str
    passed: tuple[Node, ...]
    rest: Node

    def left(self) -> list[tuple[str, str]]:
        """Every (node, exit) that a person on this leg leaves."""
        return [(self.source, self.exit), *((node.id, "next") for node in self.passed)]


def leg(graph: Graph, source: str, exit_name: str) -> Leg:
    """The leg that begins at this exit. The graph must be free of `problems`."""
    current = graph.node(graph.start if source == ENTRY else graph.node(source).exits()[exit_name])
    passed: list[Node] = []
    while not current.stands:
        passed.append(current)
        current = graph.node(current.exits()["next"])
    return Leg(source, exit_name, tuple(passed), current)


# -- what is wrong -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What stands in the way of publishing, in the user's language. `node` '' = the scenario as a whole."""

    node: str
    text: str


def problems(graph: Graph) -> list[Problem]:
    """Everything that the graph alone can tell; `missing` asks whether what it points to is there."""
    found = [Problem("", text) for text in graph.entry.problems()]
    known = graph.ids()
    if len(known) != len(graph.nodes):
        found.append(Problem("", _("同じ番号のステップが二つあります。")))
    if graph.start not in known:
        found.append(Problem("", _("最初のステップがありません。")))
    reached = set(reachable(graph))
    for node in graph.nodes:
        open_ends = [_("次のステップがありません。") for target in node.exits().values() if target not in known]
        found += [Problem(node.id, text) for text in (*open_ends, *node.problems())]
        if node.id not in reached:
            found.append(Problem(node.id, _("このステップには、どこからも進めません。")))
    if any(target not in known for _source, _exit, target in edges(graph)):
        return found
    found += [Problem(key, _("待たずに同じステップへ戻ります。途中に「待つ」を入れてください。"))
              for key in sorted(looping(graph, past_waits=False))]  # fmt: skip
    if not any(graph.node(key).ends for key in reached):
        found.append(Problem("", _("終わりに着く道がありません。")))
    return found


def missing(graph: Graph, names: Names) -> list[Problem]:
    """Things that the graph points to and that are not there, or are not ready to be used."""
    found = [Problem("", text) for text in names.missing(graph.entry)]
    for node in graph.nodes:
        found += [Problem(node.id, text) for text in node.missing(names)]
    return found
