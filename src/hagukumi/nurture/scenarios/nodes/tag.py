"""People get a tag."""

from collections.abc import Iterator
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from hagukumi.people.leads import services as leads

from ..controls import Control
from ..parts import Names
from .base import NODES, Passed, Passers


@NODES.register
class AddTag(Passed):
    label, icon, place = gettext_lazy("タグを付ける"), "tag", 50
    type: Literal["tag"] = "tag"
    tag: str = Field(default="", max_length=60)

    def problems(self) -> Iterator[str]:
        if not self.tag.strip():
            yield _("タグを入れてください。")

    def does(self, names: Names) -> str:
        return _("タグ「%(tag)s」を付ける") % {"tag": self.tag or "―"}

    def act(self, passers: Passers) -> None:
        for hop, people in passers.by_hop():
            leads.tag_from(people, self.tag, now=passers.now, hop=hop)

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("tag", "text", gettext_lazy("タグ"), most=60)]
