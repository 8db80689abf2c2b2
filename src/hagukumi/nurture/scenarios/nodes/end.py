"""The way is over."""

from collections.abc import Sequence
from typing import Literal

from django.utils.translation import gettext_lazy

from .base import NODES, Node


@NODES.register
class End(Node):
    label, icon, place = gettext_lazy("終わり"), "flag", 70
    stands = ends = True
    type: Literal["end"] = "end"

    @classmethod
    def fresh(cls, node_id: str, following: str, spare: str, before: Sequence[Node]) -> tuple[Node, ...]:
        return (cls(id=node_id),)
