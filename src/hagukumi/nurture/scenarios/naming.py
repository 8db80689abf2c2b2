"""What the things are called that a graph points to, and whether they are there: one query per kind of thing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from hagukumi.channels.mail import services as messages
from hagukumi.channels.mail.models import Message
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking.models import Page
from hagukumi.collect.tracking.rules import CATEGORIES
from hagukumi.judge.phases.models import Phase
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.judge.segments.models import Segment

from . import rules
from .rules import AnyNode, Graph, Problem


@dataclass(frozen=True)
class Names:
    """Names by id of what one graph points to; what is not there is missing."""

    segments: dict[int, Segment] = field(default_factory=dict)
    forms: dict[int, Form] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    phases: dict[int, Phase] = field(default_factory=dict)
    pages: dict[int, Page] = field(default_factory=dict)

    @staticmethod
    def of(graph: Graph) -> "Names":
        """Look up everything that the graph points to."""
        tests = [node.test for node in graph.nodes if isinstance(node, rules.Branch)]
        parts = [graph.entry, *graph.nodes, *tests]

        def ids(name: str) -> set[int]:
            return {value for part in parts if (value := getattr(part, name, None)) is not None}

        return Names(
            Segment.objects.filter(archived_at=None).in_bulk(ids("segment_id")),
            Form.objects.in_bulk(ids("form_id")),
            Message.objects.filter(archived_at=None).select_related("sender").in_bulk(ids("message_id")),
            Phase.objects.in_bulk(ids("phase_id")),
            Page.objects.in_bulk(ids("page_id")),
        )

    # -- in words ------------------------------------------------------------------------------------------------

    def entry(self, graph: Graph) -> str:
        if isinstance(graph.entry, rules.SegmentEntry):
            if graph.entry.segment_id is None:
                return _("入口は未定")
            segment = self.segments.get(graph.entry.segment_id)
            return _("セグメント「%(name)s」に入ったとき") % {"name": segment.name if segment else "―"}
        if graph.entry.form_id is None:
            return _("入口は未定")
        form = self.forms.get(graph.entry.form_id)
        return _("フォーム「%(name)s」に回答したとき") % {"name": form.name if form else "―"}

    def title(self, node: AnyNode) -> str:
        """The node in a few words: its own name where it has one, else what it does."""
        return node.name or self.does(node)

    def does(self, node: AnyNode) -> str:
        """What happens at the node."""
        if isinstance(node, rules.Mail):
            message = self.messages.get(node.message_id or 0)
            return _("メール「%(name)s」") % {"name": message.name if message else "―"}
        if isinstance(node, rules.Wait):
            return wait_words(node)
        if isinstance(node, rules.Branch):
            return self.test(node)
        if isinstance(node, rules.MovePhase):
            phase = self.phases.get(node.phase_id or 0)
            return _("フェーズを「%(name)s」へ") % {"name": _phase_name(phase) if phase else "―"}
        if isinstance(node, rules.AddTag):
            return _("タグ「%(tag)s」を付ける") % {"tag": node.tag or "―"}
        return str(rules.TYPES[node.type])

    def test(self, branch: rules.Branch) -> str:
        """The branch's question."""
        test = branch.test
        if isinstance(test, rules.Holds):
            return _condition_words(test)
        if isinstance(test, rules.Visited):
            page = self.pages.get(test.page_id or 0)
            seen = page.title or page.url if page else _category_name(test.category) or "―"
            return _("「%(page)s」を見たか") % {"page": seen}
        if isinstance(test, rules.Answered):
            form = self.forms.get(test.form_id or 0)
            return _("フォーム「%(name)s」に回答したか") % {"name": form.name if form else "―"}
        message = self.messages.get(test.message_id or 0)
        name = {"name": message.name if message else "―"}
        if isinstance(test, rules.Opened):
            return _("メール「%(name)s」を開いたか") % name
        return _("メール「%(name)s」をクリックしたか") % name

    # -- what is missing -----------------------------------------------------------------------------------------

    def problems(self, graph: Graph) -> list[Problem]:
        """Things that the graph names and that are not there, or are not ready to be used."""
        found = [Problem("", text) for text in self._entry_problems(graph)]
        for node in graph.nodes:
            found += [Problem(node.id, text) for text in self._node_problems(node)]
        return found

    def _entry_problems(self, graph: Graph) -> Iterator[str]:
        entry = graph.entry
        if isinstance(entry, rules.SegmentEntry):
            if entry.segment_id is not None and entry.segment_id not in self.segments:
                yield _("入口のセグメントは、もうありません。")
        elif entry.form_id is not None and entry.form_id not in self.forms:
            yield _("入口のフォームは、もうありません。")

    def _node_problems(self, node: AnyNode) -> Iterator[str]:
        if isinstance(node, rules.Mail) and node.message_id is not None:
            message = self.messages.get(node.message_id)
            if message is None:
                yield _("送るメールは、もうありません。")
            else:
                yield from messages.problems(message)
        if isinstance(node, rules.MovePhase) and node.phase_id is not None and node.phase_id not in self.phases:
            yield _("移す先のフェーズは、もうありません。")
        if isinstance(node, rules.Branch):
            yield from self._test_problems(node.test)

    def _test_problems(self, test: rules.AnyTest) -> Iterator[str]:
        if isinstance(test, rules.Opened | rules.Clicked):
            if test.message_id is not None and test.message_id not in self.messages:
                yield _("反応を見るメールは、もうありません。")
        elif isinstance(test, rules.Answered):
            if test.form_id is not None and test.form_id not in self.forms:
                yield _("回答を見るフォームは、もうありません。")
        elif isinstance(test, rules.Visited):
            if test.page_id is not None and test.page_id not in self.pages:
                yield _("閲覧を見るページは、もうありません。")
        elif test.tree:
            try:
                segments.validate(test.tree)
            except ConditionError as error:
                yield str(error)


def wait_words(node: rules.Wait) -> str:
    """How long, in words: 「3日」「3日後以降の平日 10:00」."""
    parts = []
    if node.days:
        parts.append(ngettext("%(n)s日", "%(n)s日", node.days) % {"n": node.days})
    if node.hours:
        parts.append(ngettext("%(n)s時間", "%(n)s時間", node.hours) % {"n": node.hours})
    if node.minutes:
        parts.append(ngettext("%(n)s分", "%(n)s分", node.minutes) % {"n": node.minutes})
    length = "".join(parts) if (get_language() or "ja").startswith("ja") else " ".join(parts)
    if not (node.time or node.weekdays):
        return _("%(length)s待つ") % {"length": length or "―"}
    slot = {"days": _weekday_words(node.weekdays), "time": node.time or rules.SEND_HOUR, "length": length}
    if not slot["days"]:
        return (_("%(length)s待ち、次の%(time)sまで") if length else _("次の%(time)sまで待つ")) % slot
    if length:
        return _("%(length)s待ち、次の%(days)s %(time)sまで") % slot
    return _("次の%(days)s %(time)sまで待つ") % slot


def _weekday_words(weekdays: tuple[int, ...]) -> str:
    """Which days, in words; '' for any."""
    if not weekdays or len(set(weekdays)) == 7:
        return ""
    if sorted(set(weekdays)) == [0, 1, 2, 3, 4]:
        return _("平日")
    names = [pgettext("曜日", day) for day in "月火水木金土日"]
    between = "・" if (get_language() or "ja").startswith("ja") else ", "
    return between.join(names[day] for day in sorted(set(weekdays)))


def _category_name(key: str) -> str:
    """A page category in the reader's language; '' for none."""
    return CATEGORIES.get(key, (key, key))[(get_language() or "ja").startswith("en")]


def _phase_name(phase: Phase) -> str:
    return phase.name_en if (get_language() or "ja").startswith("en") and phase.name_en else phase.name


def _condition_words(test: rules.Holds) -> str:
    if not test.tree:
        return _("条件を満たすか")
    try:
        clause = segments.clause(test.tree, (get_language() or "ja")[:2])
    except ConditionError:
        return _("条件を満たすか")
    return _("%(condition)sか") % {"condition": clause}
