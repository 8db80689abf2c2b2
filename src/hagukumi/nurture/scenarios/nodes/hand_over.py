"""People are handed over to sales."""

from typing import Literal

from django.utils.translation import gettext_lazy

from hagukumi.sales.handovers import services as handovers

from .base import NODES, Passed, Passers


@NODES.register
class HandOver(Passed):
    label, icon, place = gettext_lazy("営業へ引き渡す"), "arrow-right-circle", 60
    type: Literal["hand_over"] = "hand_over"

    def act(self, passers: Passers) -> None:
        for hop, people in passers.by_hop():
            handovers.hand_over_from(people, cause=passers.scenario, now=passers.now, hop=hop)
