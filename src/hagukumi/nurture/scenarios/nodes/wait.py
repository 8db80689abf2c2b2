"""People wait: for a length of time, for an hour of certain days, or for both."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _
from pydantic import Field

from hagukumi.kit.clock import JST

from ..controls import Control, length_of_time
from ..parts import Names
from .base import NODES, Node, Passed

SEND_HOUR = "10:00"
WORKING_DAYS = (0, 1, 2, 3, 4)


@NODES.register
class Wait(Passed):
    """At least days + hours + minutes; then on until `time` in Tokyo, on one of `weekdays` (0 = Monday), if given."""

    label, icon, place = gettext_lazy("待つ"), "hourglass", 20
    stands = delays = True
    type: Literal["wait"] = "wait"
    days: int = Field(default=0, ge=0, le=366)
    hours: int = Field(default=0, ge=0, le=999)
    minutes: int = Field(default=0, ge=0, le=9999)
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    time: str = Field(default="", pattern=r"^$|^([01]\d|2[0-3]):[0-5]\d$")

    @classmethod
    def fresh(cls, node_id: str, following: str, spare: str, before: Sequence[Node]) -> tuple[Node, ...]:
        return (cls(id=node_id, days=3, time=SEND_HOUR, weekdays=WORKING_DAYS, next=following),)

    def problems(self) -> Iterator[str]:
        if not (self.days or self.hours or self.minutes or self.time or self.weekdays):
            yield _("待つ長さか、曜日・時刻を入れてください。")

    def due_at(self, now: datetime) -> datetime:
        due = now + timedelta(days=self.days, hours=self.hours, minutes=self.minutes)
        return self.next_slot(due) or due

    def next_slot(self, earliest: datetime) -> datetime | None:
        """The hour is Tokyo's, whatever zone `earliest` is in; without one, days alone mean 10:00."""
        if not (self.time or self.weekdays):
            return None
        hour, minute = map(int, (self.time or SEND_HOUR).split(":"))
        local = earliest.astimezone(JST)
        slot = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while slot < local or (self.weekdays and slot.weekday() not in self.weekdays):
            slot += timedelta(days=1)
        return slot.astimezone(earliest.tzinfo)

    def does(self, names: Names) -> str:
        """「3日待つ」「3日待ち、次の平日 10:00まで」."""
        length = self._length()
        if not (self.time or self.weekdays):
            return _("%(length)s待つ") % {"length": length or "―"}
        slot = {"days": _weekday_words(self.weekdays), "time": self.time or SEND_HOUR, "length": length}
        if not slot["days"]:
            return (_("%(length)s待ち、次の%(time)sまで") if length else _("次の%(time)sまで待つ")) % slot
        if length:
            return _("%(length)s待ち、次の%(days)s %(time)sまで") % slot
        return _("次の%(days)s %(time)sまで待つ") % slot

    def _length(self) -> str:
        parts = []
        if self.days:
            parts.append(ngettext("%(n)s日", "%(n)s日", self.days) % {"n": self.days})
        if self.hours:
            parts.append(ngettext("%(n)s時間", "%(n)s時間", self.hours) % {"n": self.hours})
        if self.minutes:
            parts.append(ngettext("%(n)s分", "%(n)s分", self.minutes) % {"n": self.minutes})
        return ("" if _japanese() else " ").join(parts)

    @classmethod
    def controls(cls) -> list[Control]:
        return [
            *length_of_time(minutes=True),
            Control("weekdays", "weekdays", gettext_lazy("曜日")),
            Control(
                "time",
                "time",
                gettext_lazy("時刻（日本時間）"),
                hint=gettext_lazy("空なら、曜日だけのとき 10:00 に進みます。"),
            ),
        ]

    @classmethod
    def taken(cls, given: Any) -> dict[str, Any]:
        return {**super().taken(given), "weekdays": tuple(given["weekdays"])}


def _weekday_words(weekdays: tuple[int, ...]) -> str:
    """Which days, in words; '' for any."""
    if not weekdays or len(set(weekdays)) == 7:
        return ""
    if sorted(set(weekdays)) == [*WORKING_DAYS]:
        return _("平日")
    names = [pgettext("曜日", day) for day in "月火水木金土日"]
    return ("・" if _japanese() else ", ").join(names[day] for day in sorted(set(weekdays)))


def _japanese() -> bool:
    return (get_language() or "ja").startswith("ja")
