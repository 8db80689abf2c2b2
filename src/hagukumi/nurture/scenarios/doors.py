"""How people come into a scenario: an open kind, a class each. A door opens at a fact about one object."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.judge.segments import kinds as segment_kinds
from hagukumi.ledger.kinds import Kind

from . import things
from .controls import Control, Options
from .parts import Kinds, Names, Part, Ref, key_of

AGAIN: Options = (
    ("never", gettext_lazy("一人一回だけ入る")),
    ("per_fact", gettext_lazy("終わったあとなら、また入る")),
)


class Door(Part):
    """`opens` is the kind of fact that lets a person in, `object` what it must be about (0: nothing is chosen yet)."""

    opens: ClassVar[Kind]
    re_entry: Literal["never", "per_fact"] = "never"

    @property
    def object(self) -> int:
        raise NotImplementedError(self.type)

    @property
    def once(self) -> bool:
        """Whether a person is let in a single time, whatever happens later."""
        return self.re_entry == "never"

    @property
    def present(self) -> int | None:
        """The segment whose present members can be taken in at publishing; None: nobody stands before this door."""
        return None

    def says(self, names: Names) -> str:
        """Who enters, in words: 「セグメント「…」に入ったとき」."""
        raise NotImplementedError(self.type)


DOORS: Kinds[Door] = Kinds("door")


@DOORS.register
class SegmentEntry(Door):
    """People enter when they become members of the segment."""

    label, place, opens = gettext_lazy("セグメントに入ったとき"), 10, segment_kinds.SEGMENT_ENTERED
    type: Literal["segment"] = "segment"
    segment_id: int | None = None

    @property
    def object(self) -> int:
        return self.segment_id or 0

    @property
    def present(self) -> int | None:
        return self.segment_id

    def problems(self) -> Iterator[str]:
        if self.segment_id is None:
            yield _("入口のセグメントを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.segment_id is not None:
            yield Ref("segment", self.segment_id, _("入口のセグメントは、もうありません。"))

    def says(self, names: Names) -> str:
        if self.segment_id is None:
            return _("入口は未定")
        return _("セグメント「%(name)s」に入ったとき") % {"name": names.name("segment", self.segment_id)}

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("segment_id", "pick", gettext_lazy("セグメント"), things.segments_in_use)]


@DOORS.register
class FormEntry(Door):
    """People enter when they answer the form."""

    label, place, opens = gettext_lazy("フォームに回答したとき"), 20, form_kinds.FORM_SUBMITTED
    type: Literal["form"] = "form"
    form_id: int | None = None

    @property
    def object(self) -> int:
        return self.form_id or 0

    def problems(self) -> Iterator[str]:
        if self.form_id is None:
            yield _("入口のフォームを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.form_id is not None:
            yield Ref("form", self.form_id, _("入口のフォームは、もうありません。"))

    def says(self, names: Names) -> str:
        if self.form_id is None:
            return _("入口は未定")
        return _("フォーム「%(name)s」に回答したとき") % {"name": names.name("form", self.form_id)}

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("form_id", "pick", gettext_lazy("フォーム"), things.every_form)]


def controls() -> list[Control]:
    """The controls of the entry: which door, that door's own, and whether one may come again."""
    offered = [(key_of(door), door.label) for door in DOORS.offered()]
    own = [
        replace(control, when=("type", frozenset({key_of(door)})))
        for door in DOORS.offered()
        for control in door.controls()
    ]
    return [
        Control("type", "word", gettext_lazy("だれが入るか"), lambda: offered, always=True),
        *own,
        Control("re_entry", "word", gettext_lazy("二度目"), lambda: AGAIN, always=True),
    ]


def taken(given: Mapping[str, Any]) -> dict[str, Any]:
    """A door's document from the values of the controls."""
    return {"type": given["type"], "re_entry": given["re_entry"], **DOORS[given["type"]].taken(given)}
