"""A scenario as it is shown: its states and exits in words, its steps in reading order, and the graph that is drawn."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from hagukumi.nurture.scenarios import drafts, places, reads, rules
from hagukumi.nurture.scenarios.models import Scenario
from hagukumi.nurture.scenarios.nodes import Node
from hagukumi.nurture.scenarios.parts import Names
from hagukumi.nurture.scenarios.rules import ENTRY, Graph

STATES = {
    "draft": (gettext_lazy("下書き"), "secondary"),
    "running": (gettext_lazy("実行中"), "green"),
    "paused": (gettext_lazy("一時停止中"), "yellow"),
    "stopping": (gettext_lazy("停止の処理中"), "orange"),
    "stopped": (gettext_lazy("停止済み"), "secondary"),
}
EXITS = {"yes": gettext_lazy("はい"), "no": gettext_lazy("いいえ"), "next": gettext_lazy("次へ")}


def dress(scenario: Scenario) -> Scenario:
    """The scenario with its state in words and colour."""
    scenario.state_label, scenario.state_colour = STATES[scenario.state]  # type: ignore[attr-defined]
    return scenario


def get(scenario_id: int) -> Scenario:
    """A scenario, dressed; 404 where there is none."""
    found = reads.one(scenario_id)
    if found is None:
        raise Http404
    return dress(found)


def steps(graph: Graph, names: Names, counts: reads.NodeCounts | None = None) -> list[dict[str, Any]]:
    """The nodes in reading order, numbered, with what each does, where it leads and who is there."""
    order = drafts.in_order(graph)
    numbers = {node.id: place for place, node in enumerate(order, 1)}
    return [
        {
            "node": node,
            "number": numbers[node.id],
            "icon": node.icon,
            "title": rules.title(node, names),
            "does": node.does(names) if node.name else "",
            "type": node.label,
            "ways": _ways(node, numbers, counts),
            "branches": node.asks,
            "here": counts.here[node.id] if counts else None,
            "stands": node.stands,
            "ends": node.ends,
        }
        for node in order
    ]


def _ways(node: Node, numbers: dict[str, int], counts: reads.NodeCounts | None) -> list[dict[str, Any]]:
    return [
        {"exit": name, "label": EXITS[name], "target": target, "number": numbers.get(target)}
        | ({"count": counts.left.get((node.id, name), 0)} if counts else {})
        for name, target in node.exits().items()
    ]


def drawn(graph: Graph, names: Names, counts: reads.NodeCounts | None = None) -> dict[str, Any]:
    """What a page needs for the graph: `graph` for the island (nodes with place, title and count; edges), `rows_drawn`.

    `look` is what a node is drawn as: the entry, an end, a branch, or a step.
    """
    layout = places.layout(graph)
    entry = {"id": ENTRY, "look": "entry", "title": graph.entry.says(names), "kind": _("入口"), "stands": True}
    nodes = [entry, *(_card(node, names) for node in graph.nodes if node.id in layout)]
    for node in nodes:
        node["column"], node["row"] = layout[node["id"]]
    edges = [
        {"id": f"{source}-{name}", "source": source, "target": target, "exit": name}
        | {"label": str(EXITS[name]) if name != "next" else ""}
        for source, name, target in rules.edges(graph)
        if source in layout and target in layout
    ]
    live = {"nodes": counts.here, "edges": counts.edges()} if counts else None
    return {
        "graph": {"nodes": nodes, "edges": edges, "counts": live, "words": _words()},
        "rows_drawn": max(row for _column, row in layout.values()) + 1,
    }


def _card(node: Node, names: Names) -> dict[str, Any]:
    look = "end" if node.ends else "branch" if node.asks else "step"
    card = {"id": node.id, "look": look, "title": rules.title(node, names), "stands": node.stands}
    return {**card, "kind": str(node.label)}


def _words() -> dict[str, str]:
    """What the drawn graph says besides its steps."""
    return {
        "people": pgettext("図の人数", "名"),
        "done": _("名が完了"),
        "controls": _("図の表示"),
        "zoomIn": _("拡大"),
        "zoomOut": _("縮小"),
        "fit": _("全体を表示"),
    }
