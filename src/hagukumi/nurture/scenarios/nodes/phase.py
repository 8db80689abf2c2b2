"""People move to a phase."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hagukumi.judge.phases import services as phases

from .. import things
from ..controls import Control
from ..parts import Names, Ref
from .base import NODES, Passed, Passers


@NODES.register
class MovePhase(Passed):
    label, icon, place = gettext_lazy("フェーズを変える"), "stairs", 40
    type: Literal["phase"] = "phase"
    phase_id: int | None = None

    def problems(self) -> Iterator[str]:
        if self.phase_id is None:
            yield _("移す先のフェーズを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.phase_id is not None:
            yield Ref("phase", self.phase_id, _("移す先のフェーズは、もうありません。"))

    def does(self, names: Names) -> str:
        return _("フェーズを「%(name)s」へ") % {"name": names.name("phase", self.phase_id)}

    def act(self, passers: Passers) -> None:
        for hop, people in passers.by_hop():
            phases.move_from(
                people,
                phase_id=self.phase_id or 0,
                cause=phases.SCENARIO,
                reason=passers.scenario,
                now=passers.now,
                hop=hop,
            )

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("phase_id", "pick", gettext_lazy("移す先"), things.every_phase)]
