"""The way divides by what people do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg import sql
from pydantic import BeforeValidator, Field, SerializeAsAny

from hagukumi.ledger.causes import Cause

from ..controls import Control, length_of_time
from ..parts import Names, Ref, key_of
from ..questions import QUESTIONS, Clicked, Question
from .base import NODES, Node
from .end import End
from .mail import Mail

AnyQuestion = Annotated[SerializeAsAny[Question], BeforeValidator(QUESTIONS.parse)]


@NODES.register
class Branch(Node):
    """Leaves by `yes` as soon as the test holds, by `no` when `days` + `hours` have passed without."""

    label, icon, place = gettext_lazy("行動で分ける"), "arrows-split-2", 30
    stands = asks = True
    late = "no"
    type: Literal["branch"] = "branch"
    test: AnyQuestion = Field(default_factory=Clicked)
    days: int = Field(default=0, ge=0, le=366)
    hours: int = Field(default=0, ge=0, le=999)
    yes: str
    no: str

    def exits(self) -> dict[str, str]:
        return {"yes": self.yes, "no": self.no}

    @classmethod
    def fresh(cls, node_id: str, following: str, spare: str, before: Sequence[Node]) -> tuple[Node, ...]:
        """Those who say no come to an end of their own. It mostly asks about the last mail before it."""
        mail = next((node for node in before if isinstance(node, Mail)), None)
        test = Clicked(message_id=mail.message_id if mail else None)
        return (cls(id=node_id, yes=following, no=spare, days=3, test=test), End(id=spare))

    def problems(self) -> Iterator[str]:
        yield from self.test.problems()
        if self.test.of_behaviour and not (self.days or self.hours):
            yield _("反応を待つ長さを入れてください。")

    def points_to(self) -> Iterator[Ref]:
        yield from self.test.points_to()

    def missing(self, names: Names) -> Iterator[str]:
        yield from super().missing(names)
        yield from self.test.missing()

    def does(self, names: Names) -> str:
        return self.test.asks(names)

    def due_at(self, now: datetime) -> datetime:
        return now + timedelta(days=self.days, hours=self.hours)

    def causes(self) -> tuple[Cause, ...]:
        return self.test.causes()

    def passing(self, who: sql.Composable, now: datetime) -> sql.Composable:
        return self.test.passing(who, now)

    @classmethod
    def controls(cls) -> list[Control]:
        """Those of every question, each shown with the questions that have it."""
        offered = [(key_of(question), question.label) for question in QUESTIONS.offered()]
        shown: dict[str, Control] = {}
        of: dict[str, set[str]] = {}
        for question in QUESTIONS.offered():
            for control in question.controls():
                shown.setdefault(control.name, control)
                of.setdefault(control.name, set()).add(key_of(question))
        return [
            Control("test", "word", gettext_lazy("分ける行動"), lambda: offered, always=True),
            *(replace(control, when=("test", frozenset(of[name]))) for name, control in shown.items()),
            *length_of_time(heading=gettext_lazy("反応を待つ長さ（過ぎたら「いいえ」へ）")),
        ]

    def filled(self) -> dict[str, Any]:
        return {"test": self.test.type, "days": self.days, "hours": self.hours, **self.test.filled()}

    @classmethod
    def taken(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Only the fields of the chosen question are kept."""
        question = QUESTIONS[given["test"]]
        test = {"type": given["test"], **question.taken(given)}
        return {"days": given["days"], "hours": given["hours"], "test": test}
