"""How the timeline is drawn: each fact as one sentence-like line, visits as one line that opens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.accounts import reads as staff_reads
from hagukumi.kit.clock import JST
from hagukumi.overview.timeline import reads as timelines
from hagukumi.overview.timeline.reads import Entry, Timeline, Visit
from hagukumi.people.consent import rules as consent_rules
from hagukumi.people.leads import services
from hagukumi.sales.deals import rules as deal_rules
from hagukumi.sales.handovers.rules import RETURN_REASONS
from hagukumi.screens.judge.phases.views import why
from hagukumi.screens.shell import words

from . import verdicts

GROUPS = {
    "web": gettext_lazy("Web"),
    "mail": gettext_lazy("メール"),
    "form": gettext_lazy("フォーム"),
    "lead": gettext_lazy("リード"),
    "call": gettext_lazy("電話"),
    "seminar": gettext_lazy("セミナー"),
    "qualify": gettext_lazy("見極め"),
    "deal": gettext_lazy("商談"),
    "scenario": gettext_lazy("シナリオ"),
}


Staff = dict[int, str]
"""Members of staff by id."""
AUTHORS = ("by", "user_id", "user")
"""Where a fact's details name the member of staff who did it."""


@dataclass
class Line:
    """One drawn line. `text` names what happened, `name` to what, `more` adds details; `parts` open under a visit.

    `verdict` and `place` (see `reads.at_place`) are those of an act that machines also do.
    """

    at: datetime
    icon: str
    group: str
    text: str
    name: str = ""
    more: str = ""
    quote: str = ""
    moved: bool = False
    verdict: verdicts.Verdict | None = None
    place: str = ""
    parts: list["Line"] = field(default_factory=list)

    @property
    def clock(self) -> str:
        return f"{self.at.astimezone(JST):%H:%M}"


@dataclass
class Day:
    date: date
    lines: list[Line]

    @property
    def label(self) -> str:
        if words.english():
            return self.date.strftime("%b %-d, %Y (%a)")
        return f"{self.date:%Y年%-m月%-d日}({'月火水木金土日'[self.date.weekday()]})"


@dataclass
class Log:
    days: list[Day]
    next: str


def groups() -> dict[str, Any]:
    return {key: GROUPS.get(key, key) for key in timelines.groups()}


def draw(timeline: Timeline, lead_id: int) -> Log:
    """The days of a lead's timeline as lines; what they are told with is read once."""
    staff = staff_reads.names()
    days = [
        Day(day.date, [_line(item, lead_id, staff) for item in day.items if _is_told(item)]) for day in timeline.days
    ]
    return Log([day for day in days if day.lines], timeline.next)


def _is_told(item: Entry | Visit) -> bool:
    """A visitor who was joined before doing anything has no history to speak of."""
    return isinstance(item, Visit) or item.kind.key != "visitor_joined" or bool(item.amount)


def draw_one(entry: Entry, lead_id: int) -> Line:
    """One line of a lead's timeline alone."""
    return _line(entry, lead_id, staff_reads.names())


def _line(item: Entry | Visit, lead_id: int, staff: Staff) -> Line:
    if isinstance(item, Entry):
        drawn = line(item, staff)
        if item.kind.doubtful:
            drawn.verdict, drawn.place = verdicts.of(item.details), timelines.place(item)
        return drawn
    text = _("サイト訪問 %(minutes)s分 · %(pages)sページ") % {"minutes": item.minutes, "pages": item.pages}
    parts = [line(entry, staff) for entry in item.entries]
    return Line(item.at, "world", "web", text, moved=all(entry.moved for entry in item.entries), parts=parts)


def line(entry: Entry, staff: Staff) -> Line:
    """One fact as a line; a kind without words of its own says its label, its object, its amount and its reason."""
    label = words.own(entry.kind, "label")
    name = words.pick((entry.name, entry.name_en))
    drawn = Line(entry.at, entry.kind.icon, entry.kind.group, label, name, _amount(entry), moved=entry.moved)
    if entry.kind.key in _WORDS:
        _WORDS[entry.kind.key](drawn, entry, staff)
    elif reason := entry.details.get("reason"):
        _add(drawn, str(reason))
    elif entry.details.get("operation"):
        _add(drawn, _("セグメントの作成・変更のとき"))
    _add(drawn, next((staff[who] for key in AUTHORS if (who := entry.details.get(key)) in staff), ""))
    return drawn


def _add(drawn: Line, more: str) -> None:
    drawn.more = " · ".join(part for part in (drawn.more, more) if part)


def _amount(entry: Entry) -> str:
    if entry.amount is None:
        return ""
    n = round(entry.amount)
    if entry.kind.unit == "seconds":
        return _("%(n)s分") % {"n": round(n / 60)} if n >= 60 else _("%(n)s秒") % {"n": n}
    if entry.kind.unit == "yen":
        return words.yen(n)
    if entry.kind.unit == "points":
        return _("%(n)s点") % {"n": n}
    return f"{n}%" if entry.kind.unit == "percent" else ""


def _field_changed(drawn: Line, entry: Entry, staff: Staff) -> None:
    details = entry.details
    changes = details.get("changes") or {details.get("field", ""): [details.get("old"), details.get("new")]}
    parts = []
    for key, (old, new) in list(changes.items())[:6]:
        column = services.COLUMNS.get(key)
        label = column.label if column else _OTHER.get(key, key.removeprefix("fields."))
        parts.append(f"{label}: {_value(key, old, staff)} → {_value(key, new, staff)}")
    drawn.more = "、".join(parts)


_OTHER = {"owner_id": gettext_lazy("担当者"), "source_id": gettext_lazy("ソース")}


def _value(key: str, value: Any, staff: Staff) -> str:
    if value in (None, ""):
        return _("（空）")
    if key == "owner_id":
        return staff.get(value, "?")
    choices = services.COLUMNS[key].choices if key in services.COLUMNS else None
    return str(choices.get(value, value) if choices else value)[:120]


def _note(drawn: Line, entry: Entry, staff: Staff) -> None:
    drawn.quote = str(entry.details.get("text", ""))


def _call(drawn: Line, entry: Entry, staff: Staff) -> None:
    drawn.name = str(services.CALL_RESULTS.get(entry.details.get("result", ""), ""))
    _note(drawn, entry, staff)


def _tag(drawn: Line, entry: Entry, staff: Staff) -> None:
    drawn.name = str(entry.details.get("tag", ""))


def _state(drawn: Line, entry: Entry, staff: Staff) -> None:
    states = [services.STATES.get(entry.details.get(side, ""), entry.details.get(side, "")) for side in ("old", "new")]
    drawn.name = f"{states[0]} → {states[1]}"
    drawn.more = str(entry.details.get("reason", ""))


def _consent(drawn: Line, entry: Entry, staff: Staff) -> None:
    language = words.language()
    drawn.name = consent_rules.label(entry.details.get("basis", ""), language)
    reason = consent_rules.REASONS.get(entry.details.get("reason", ""))
    drawn.more = words.pick(reason) if reason else ""


def _joined(drawn: Line, entry: Entry, staff: Staff) -> None:
    drawn.more = _("%(n)s 件の行動") % {"n": round(entry.amount or 0)}


def _moved(drawn: Line, entry: Entry, staff: Staff) -> None:
    _add(drawn, why(entry.details))


def _returned(drawn: Line, entry: Entry, staff: Staff) -> None:
    reason = entry.details.get("reason", "")
    _add(drawn, str(RETURN_REASONS.get(reason, reason)))
    drawn.quote = str(entry.details.get("note", ""))


def _closed(drawn: Line, entry: Entry, staff: Staff) -> None:
    _add(drawn, deal_rules.reason(str(entry.details.get("reason", ""))))


_WORDS: dict[str, Callable[[Line, Entry, Staff], None]] = {
    "field_changed": _field_changed,
    "note": _note,
    "call": _call,
    "tagged": _tag,
    "untagged": _tag,
    "state_changed": _state,
    "consent_changed": _consent,
    "visitor_joined": _joined,
    "phase_moved": _moved,
    "handover_returned": _returned,
    "deal_won": _closed,
    "deal_lost": _closed,
    "visitor_left": _joined,
}
