"""Changes to a graph being edited. Each takes a graph and returns the next one; ids stay, so people can be followed."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from . import rules
from .rules import AnyNode, Branch, End, Entry, Graph, Node

_NODE: TypeAdapter[AnyNode] = TypeAdapter(Node)
_ENTRY: TypeAdapter[Any] = TypeAdapter(Entry)


def add(graph: Graph, after: str, exit_name: str, kind: str) -> tuple[Graph, str]:
    """Put a new node of `kind` behind an exit of `after` (`rules.ENTRY` = at the beginning); returns its id too.

    What came there before follows the new node; a new branch's `no` leads to an end of its own.
    """
    target = graph.start if after == rules.ENTRY else rules.exits(graph.node(after))[exit_name]
    new_id, spare = _free_ids(graph, 2)
    made: list[AnyNode] = []
    if kind == "branch":
        made = [Branch(id=new_id, yes=target, no=spare, days=3, test=_likely_test(graph, after)), End(id=spare)]
    elif kind == "wait":
        made = [rules.Wait(id=new_id, days=3, time=rules.SEND_HOUR, weekdays=(0, 1, 2, 3, 4), next=target)]
    elif kind == "end":
        made = [End(id=new_id)]
    else:
        made = [_NODE.validate_python({"id": new_id, "type": kind, "next": target})]
    grown = graph.model_copy(update={"nodes": (*graph.nodes, *made)})
    return _drop_unreachable(lead_to(grown, after, exit_name, new_id)), new_id


def _likely_test(graph: Graph, after: str) -> rules.Clicked:
    """A branch mostly asks about the last mail before it."""
    before = {target: source for source, _exit, target in rules.edges(graph)}
    seen: set[str] = set()
    while after in graph.ids() and after not in seen:
        seen.add(after)
        node = graph.node(after)
        if isinstance(node, rules.Mail):
            return rules.Clicked(message_id=node.message_id)
        after = before.get(after, rules.ENTRY)
    return rules.Clicked()


def lead_to(graph: Graph, node_id: str, exit_name: str, target: str) -> Graph:
    """Let an exit lead to another node."""
    if target not in graph.ids():
        raise KeyError(target)
    if node_id == rules.ENTRY:
        return graph.model_copy(update={"start": target})
    node = graph.node(node_id)
    if exit_name not in rules.exits(node):
        raise KeyError(exit_name)
    return _with(graph, node.model_copy(update={exit_name: target}))


def remove(graph: Graph, node_id: str) -> Graph:
    """Take a node out; what led to it now leads to what followed it (a branch's `yes` way). The last end stays."""
    node = graph.node(node_id)
    following = next(iter(rules.exits(node).values()), None)
    if following is None or following == node_id:
        return graph
    for source, exit_name, target in list(rules.edges(graph)):
        if target == node_id and source != node_id:
            graph = lead_to(graph, source, exit_name, following)
    return _drop_unreachable(graph.model_copy(update={"nodes": tuple(n for n in graph.nodes if n.id != node_id)}))


def change(graph: Graph, node_id: str, values: Mapping[str, Any]) -> Graph:
    """Set a node's parameters; id, type and exits stay. pydantic.ValidationError for values that cannot be."""
    node = graph.node(node_id)
    kept = node.model_dump()
    fixed = {"id", "type", *rules.exits(node)}
    return _with(graph, _NODE.validate_python(kept | {key: value for key, value in values.items() if key not in fixed}))


def enter_by(graph: Graph, values: Mapping[str, Any]) -> Graph:
    """Set the entry. pydantic.ValidationError for values that cannot be."""
    return graph.model_copy(update={"entry": _ENTRY.validate_python(dict(values))})


def in_order(graph: Graph) -> list[AnyNode]:
    """The nodes as one reads them: along each way before the next, a branch's `yes` first; unreachable ones last."""
    found: list[str] = []
    stack = [graph.start]
    while stack:
        key = stack.pop()
        if key in found or key not in graph.ids():
            continue
        found.append(key)
        stack.extend(reversed(rules.exits(graph.node(key)).values()))
    found += [node.id for node in graph.nodes if node.id not in found]
    return [graph.node(key) for key in found]


def _with(graph: Graph, changed: AnyNode) -> Graph:
    nodes = tuple(changed if node.id == changed.id else node for node in graph.nodes)
    return graph.model_copy(update={"nodes": nodes})


def _drop_unreachable(graph: Graph) -> Graph:
    reached = set(rules.reachable(graph))
    return graph.model_copy(update={"nodes": tuple(node for node in graph.nodes if node.id in reached)})


def _free_ids(graph: Graph, count: int) -> list[str]:
    used = [int(node.id[1:]) for node in graph.nodes if node.id[1:].isdigit()]
    first = max(used, default=0) + 1
    return [f"n{first + place}" for place in range(count)]
