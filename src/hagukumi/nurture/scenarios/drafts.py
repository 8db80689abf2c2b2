"""Changes to a graph being edited. Each takes a graph and returns the next one; ids stay, so people can be followed."""

from collections.abc import Mapping
from typing import Any

from . import rules
from .doors import DOORS
from .nodes import NODES, Node
from .rules import Graph


def add(graph: Graph, after: str, exit_name: str, kind: str) -> tuple[Graph, str]:
    """Put a new node of `kind` behind an exit of `after` (`rules.ENTRY` = at the beginning); returns its id too.

    What came there before follows the new node. KeyError for a kind, a node or an exit that is not there.
    """
    target = graph.start if after == rules.ENTRY else graph.node(after).exits()[exit_name]
    new_id, spare = _free_ids(graph, 2)
    made = NODES[kind].fresh(new_id, target, spare, _before(graph, after))
    grown = graph.model_copy(update={"nodes": (*graph.nodes, *made)})
    return _drop_unreachable(lead_to(grown, after, exit_name, new_id)), new_id


def _before(graph: Graph, node_id: str) -> list[Node]:
    """One way to the node from the beginning, the node itself first."""
    leads_to = {target: source for source, _exit, target in rules.edges(graph)}
    found: list[Node] = []
    seen: set[str] = set()
    while node_id in graph.ids() and node_id not in seen:
        seen.add(node_id)
        found.append(graph.node(node_id))
        node_id = leads_to.get(node_id, rules.ENTRY)
    return found


def lead_to(graph: Graph, node_id: str, exit_name: str, target: str) -> Graph:
    """Let an exit lead to another node."""
    if target not in graph.ids():
        raise KeyError(target)
    if node_id == rules.ENTRY:
        return graph.model_copy(update={"start": target})
    node = graph.node(node_id)
    if exit_name not in node.exits():
        raise KeyError(exit_name)
    return _with(graph, node.model_copy(update={exit_name: target}))


def remove(graph: Graph, node_id: str) -> Graph:
    """Take a node out; what led to it now leads to what followed it (its main exit's way). The last end stays."""
    node = graph.node(node_id)
    following = next(iter(node.exits().values()), None)
    if following is None or following == node_id:
        return graph
    for source, exit_name, target in list(rules.edges(graph)):
        if target == node_id and source != node_id:
            graph = lead_to(graph, source, exit_name, following)
    return _drop_unreachable(graph.model_copy(update={"nodes": tuple(n for n in graph.nodes if n.id != node_id)}))


def change(graph: Graph, node_id: str, values: Mapping[str, Any]) -> Graph:
    """Set a node's fields; id, type and exits stay. pydantic.ValidationError for values that cannot be."""
    node = graph.node(node_id)
    fixed = {"id", "type", *node.exits()}
    wanted = node.model_dump() | {key: value for key, value in values.items() if key not in fixed}
    return _with(graph, type(node).model_validate(wanted))


def enter_by(graph: Graph, values: Mapping[str, Any]) -> Graph:
    """Set the entry. ValueError (pydantic.ValidationError) for values that cannot be."""
    return graph.model_copy(update={"entry": DOORS.parse(dict(values))})


def in_order(graph: Graph) -> list[Node]:
    """The nodes as one reads them: along each way before the next, the main exit's first; unreachable ones last."""
    found: list[str] = []
    stack = [graph.start]
    while stack:
        key = stack.pop()
        if key in found or key not in graph.ids():
            continue
        found.append(key)
        stack.extend(reversed(graph.node(key).exits().values()))
    found += [node.id for node in graph.nodes if node.id not in found]
    return [graph.node(key) for key in found]


def _with(graph: Graph, changed: Node) -> Graph:
    nodes = tuple(changed if node.id == changed.id else node for node in graph.nodes)
    return graph.model_copy(update={"nodes": nodes})


def _drop_unreachable(graph: Graph) -> Graph:
    reached = set(rules.reachable(graph))
    return graph.model_copy(update={"nodes": tuple(node for node in graph.nodes if node.id in reached)})


def _free_ids(graph: Graph, count: int) -> list[str]:
    used = [int(node.id[1:]) for node in graph.nodes if node.id[1:].isdigit()]
    first = max(used, default=0) + 1
    return [f"n{first + place}" for place in range(count)]
