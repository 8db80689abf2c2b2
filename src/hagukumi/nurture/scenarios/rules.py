"""The graph of a scenario: typed nodes with explicit exits, what is wrong with one, the legs people travel on it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, ConfigDict, Field

from hagukumi.kit.clock import JST

ENTRY = "entry"
"""The pseudo-node at which people stand who have entered and not yet reached the first node."""
SEND_HOUR = "10:00"
LONGEST_WAIT = timedelta(days=366)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SegmentEntry(Part):
    """People enter when they become members of the segment."""

    type: Literal["segment"] = "segment"
    segment_id: int | None = None
    re_entry: Literal["never", "per_fact"] = "never"


class FormEntry(Part):
    """People enter when they answer the form."""

    type: Literal["form"] = "form"
    form_id: int | None = None
    re_entry: Literal["never", "per_fact"] = "never"


Entry = Annotated[SegmentEntry | FormEntry, Field(discriminator="type")]


class Opened(Part):
    """Opened the message since entering."""

    type: Literal["opened"] = "opened"
    message_id: int | None = None


class Clicked(Part):
    """Clicked a link of the message since entering."""

    type: Literal["clicked"] = "clicked"
    message_id: int | None = None


class Visited(Part):
    """Viewed the page, or any page of the category, since entering."""

    type: Literal["visited"] = "visited"
    page_id: int | None = None
    category: str = ""


class Answered(Part):
    """Answered the form since entering."""

    type: Literal["answered"] = "answered"
    form_id: int | None = None


class Holds(Part):
    """Meets a condition tree (`segments.conditions`)."""

    type: Literal["holds"] = "holds"
    tree: dict[str, Any] = Field(default_factory=dict)


AnyTest = Opened | Clicked | Visited | Answered | Holds
Test = Annotated[Opened | Clicked | Visited | Answered | Holds, Field(discriminator="type")]


class NodeBase(Part):
    id: str = Field(pattern=r"^[a-z0-9]{1,12}$")
    name: str = Field(default="", max_length=60)


class Mail(NodeBase):
    type: Literal["mail"] = "mail"
    message_id: int | None = None
    next: str


class Wait(NodeBase):
    """At least days + hours + minutes; then on until `time` in Tokyo, on one of `weekdays` (0 = Monday), if given."""

    type: Literal["wait"] = "wait"
    days: int = Field(default=0, ge=0, le=366)
    hours: int = Field(default=0, ge=0, le=999)
    minutes: int = Field(default=0, ge=0, le=9999)
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    time: str = Field(default="", pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d$")
    next: str


class Branch(NodeBase):
    """Leaves by `yes` as soon as the test holds, by `no` when `days` + `hours` have passed without."""

    type: Literal["branch"] = "branch"
    test: Test = Field(default_factory=Opened)
    days: int = Field(default=0, ge=0, le=366)
    hours: int = Field(default=0, ge=0, le=999)
    yes: str
    no: str


class MovePhase(NodeBase):
    type: Literal["phase"] = "phase"
    phase_id: int | None = None
    next: str


class AddTag(NodeBase):
    type: Literal["tag"] = "tag"
    tag: str = Field(default="", max_length=60)
    next: str


class HandOver(NodeBase):
    type: Literal["hand_over"] = "hand_over"
    next: str


class End(NodeBase):
    type: Literal["end"] = "end"


Node = Annotated[Mail | Wait | Branch | MovePhase | AddTag | HandOver | End, Field(discriminator="type")]
AnyNode = Mail | Wait | Branch | MovePhase | AddTag | HandOver | End
REST = (Wait, Branch, End)
"""Nodes at which people come to stand; through all others they pass at once."""

TYPES: dict[str, Any] = {
    "mail": gettext_lazy("メールを送る"),
    "wait": gettext_lazy("待つ"),
    "branch": gettext_lazy("行動で分ける"),
    "phase": gettext_lazy("フェーズを変える"),
    "tag": gettext_lazy("タグを付ける"),
    "hand_over": gettext_lazy("営業へ引き渡す"),
    "end": gettext_lazy("終わり"),
}
ICONS = {
    "mail": "mail", "wait": "hourglass", "branch": "arrows-split-2", "phase": "stairs", "tag": "tag",
    "hand_over": "arrow-right-circle", "end": "flag",
}  # fmt: skip


class Graph(Part):
    """A scenario's definition, stored as JSON. Parsing says it is well formed; `problems` says whether it runs."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    entry: Entry = Field(default_factory=SegmentEntry)
    start: str
    nodes: tuple[Node, ...] = Field(max_length=200)

    def node(self, node_id: str) -> AnyNode:
        """The node of that id; KeyError where there is none."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def ids(self) -> set[str]:
        return {node.id for node in self.nodes}

    def stored(self) -> dict[str, Any]:
        """As it lies in the database."""
        return self.model_dump(mode="json", by_alias=True)


def empty() -> Graph:
    """Where every scenario begins: a door and an end."""
    return Graph(start="n1", nodes=(End(id="n1"),))


def exits(node: AnyNode) -> dict[str, str]:
    """The node's exits: name -> id of the node it leads to."""
    if isinstance(node, Branch):
        return {"yes": node.yes, "no": node.no}
    return {} if isinstance(node, End) else {"next": node.next}


def edges(graph: Graph) -> Iterator[tuple[str, str, str]]:
    """Every (node, exit, target), the entry's first."""
    yield ENTRY, "next", graph.start
    for node in graph.nodes:
        for name, target in exits(node).items():
            yield node.id, name, target


def reachable(graph: Graph) -> list[str]:
    """Ids of the nodes that can be reached, nearest the entry first."""
    seen: list[str] = []
    waiting = deque([graph.start])
    known = graph.ids()
    while waiting:
        current = waiting.popleft()
        if current in seen or current not in known:
            continue
        seen.append(current)
        waiting.extend(exits(graph.node(current)).values())
    return seen


def looping(graph: Graph, *, past_waits: bool = True) -> set[str]:
    """Nodes from which a person can come back to the same node; `past_waits=False`: without ever passing a wait."""
    targets = {node.id: set(exits(node).values()) for node in graph.nodes}
    if not past_waits:
        targets = {key: set() if isinstance(graph.node(key), Wait) else value for key, value in targets.items()}
    return {start for start in targets if start in _beyond(start, targets)}


def _beyond(start: str, targets: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(targets.get(start, ()))
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting.extend(targets.get(current, ()))
    return found


@dataclass(frozen=True)
class Leg:
    """Leaving `source` by `exit`: the nodes passed at once, in order, and the one where the person comes to stand."""

    source: str
    exit: str
    passed: tuple[AnyNode, ...]
    rest: AnyNode

    def left(self) -> list[tuple[str, str]]:
        """Every (node, exit) that a person on this leg leaves."""
        return [(self.source, self.exit), *((node.id, "next") for node in self.passed)]


def leg(graph: Graph, source: str, exit_name: str) -> Leg:
    """The leg that begins at this exit. The graph must be free of `problems`."""
    current = graph.node(graph.start if source == ENTRY else exits(graph.node(source))[exit_name])
    passed: list[AnyNode] = []
    while not isinstance(current, REST):
        passed.append(current)
        current = graph.node(exits(current)["next"])
    return Leg(source, exit_name, tuple(passed), current)


def due_at(node: AnyNode, now: datetime) -> datetime | None:
    """When somebody who comes to stand at `node` now has to leave it (a UTC instant); None at an end."""
    if isinstance(node, Branch):
        return now + timedelta(days=node.days, hours=node.hours)
    if not isinstance(node, Wait):
        return None
    due = now + timedelta(days=node.days, hours=node.hours, minutes=node.minutes)
    return next_slot(due, node) if node.time or node.weekdays else due


def next_slot(earliest: datetime, wait: Wait) -> datetime:
    """The first hour at or after `earliest` that this wait's time and weekdays allow (JST; a UTC instant)."""
    hour, minute = map(int, (wait.time or SEND_HOUR).split(":"))
    local = earliest.astimezone(JST)
    slot = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    while slot < local or (wait.weekdays and slot.weekday() not in wait.weekdays):
        slot += timedelta(days=1)
    return slot.astimezone(earliest.tzinfo)


# -- what is wrong -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What stands in the way of publishing, in the user's language. `node` '' = the scenario as a whole."""

    node: str
    text: str


def problems(graph: Graph) -> list[Problem]:
    """Everything that the graph alone can tell; whether segments, mails and phases exist is asked by `services`."""
    found = list(_entry_problems(graph))
    known = graph.ids()
    if len(known) != len(graph.nodes):
        found.append(Problem("", _("同じ番号のステップが二つあります。")))
    if graph.start not in known:
        found.append(Problem("", _("最初のステップがありません。")))
    reached = set(reachable(graph))
    for node in graph.nodes:
        found += [Problem(node.id, text) for text in _node_problems(node, known)]
        if node.id not in reached:
            found.append(Problem(node.id, _("このステップには、どこからも進めません。")))
    if any(target not in known for _source, _exit, target in edges(graph)):
        return found
    found += [Problem(key, _("待たずに同じステップへ戻ります。途中に「待つ」を入れてください。"))
              for key in sorted(looping(graph, past_waits=False))]  # fmt: skip
    if not any(isinstance(graph.node(key), End) for key in reached):
        found.append(Problem("", _("終わりに着く道がありません。")))
    return found


def _entry_problems(graph: Graph) -> Iterator[Problem]:
    if isinstance(graph.entry, SegmentEntry) and graph.entry.segment_id is None:
        yield Problem("", _("入口のセグメントを選んでください。"))
    if isinstance(graph.entry, FormEntry) and graph.entry.form_id is None:
        yield Problem("", _("入口のフォームを選んでください。"))


def _node_problems(node: AnyNode, known: set[str]) -> Iterator[str]:
    for target in exits(node).values():
        if target not in known:
            yield _("次のステップがありません。")
    if isinstance(node, Mail) and node.message_id is None:
        yield _("送るメールを選んでください。")
    if isinstance(node, Wait) and not (node.days or node.hours or node.minutes or node.time or node.weekdays):
        yield _("待つ長さか、曜日・時刻を入れてください。")
    if isinstance(node, MovePhase) and node.phase_id is None:
        yield _("移す先のフェーズを選んでください。")
    if isinstance(node, AddTag) and not node.tag.strip():
        yield _("タグを入れてください。")
    if isinstance(node, Branch):
        yield from _test_problems(node)


def _test_problems(branch: Branch) -> Iterator[str]:
    test = branch.test
    if isinstance(test, Opened | Clicked) and test.message_id is None:
        yield _("どのメールへの反応で分けるかを選んでください。")
    if isinstance(test, Visited) and test.page_id is None and not test.category:
        yield _("見たページか、ページの分類を選んでください。")
    if isinstance(test, Answered) and test.form_id is None:
        yield _("どのフォームへの回答で分けるかを選んでください。")
    if isinstance(test, Holds) and not test.tree:
        yield _("分ける条件を決めてください。")
    if not isinstance(test, Holds) and not (branch.days or branch.hours):
        yield _("反応を待つ長さを入れてください。")


# -- counts and places -------------------------------------------------------------------------------------------


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
    for place, target in enumerate(exits(graph.node(key)).values()):
        start = right + 1 if place and target not in column else col
        right = max(right, _columns(graph, target, start, column, forward, (*path, key)))
    return right
