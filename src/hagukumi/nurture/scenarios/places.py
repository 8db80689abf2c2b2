"""Where people stand on a graph, by what has been counted; and where its nodes stand when it is drawn."""

from .rules import ENTRY, Graph, edges


def standing(graph: Graph, left: dict[tuple[str, str], int]) -> dict[str, int]:
    """How many people stand at each node now, from how many have left each node by each exit: arrivals - departures.

    At an end it is how many have finished there. `left[(ENTRY, "in")]` is how many have entered.
    """
    here = {node.id: 0 for node in graph.nodes} | {ENTRY: left.get((ENTRY, "in"), 0)}
    for source, name, target in edges(graph):
        count = left.get((source, name), 0)
        here[source] -= count
        here[target] = here.get(target, 0) + count
    for key in here:
        here[key] -= left.get((key, "stopped"), 0)
    return here


def layout(graph: Graph) -> dict[str, tuple[int, int]]:
    """Node -> (column, row) for drawing: rows by the longest way from the entry, a branch's ways side by side."""
    column = {ENTRY: 0}
    forward: list[tuple[str, str]] = []
    _columns(graph, graph.start, 0, column, forward, (ENTRY,))
    row = dict.fromkeys(column, 0)
    # A node stands below all that lead to it. Each round moves rows on by one edge at least, and no way is longer than
    # the number of nodes, so as many rounds settle them.
    for _round in column:
        for source, target in forward:
            row[target] = max(row[target], row[source] + 1)
    return {key: (column[key], row[key]) for key in column}


def _columns(
    graph: Graph, key: str, col: int, column: dict[str, int], forward: list[tuple[str, str]], path: tuple[str, ...]
) -> int:
    """Give `key` and what is new behind it their columns; `forward` gathers the edges that lead on, not back."""
    if key in path or key not in graph.ids():
        return col
    forward.append((path[-1], key))
    if key in column:
        return col
    column[key] = right = col
    for place, target in enumerate(graph.node(key).exits().values()):
        start = right + 1 if place and target not in column else col
        right = max(right, _columns(graph, target, start, column, forward, (*path, key)))
    return right
