"""What a branch can ask about people: an open kind, a class each. The answer is SQL; the facts that can bring it about

are its causes. Behaviour counts from the moment the person entered the scenario: a visit of last year opens no door.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import Field

from hagukumi.channels.mail import kinds as message_kinds
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.collect.tracking import kinds as tracking_kinds
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause
from hagukumi.ledger.kinds import Kind

from . import things
from .controls import Control
from .parts import Kinds, Names, Part, Ref


class Question(Part):
    """`of_behaviour`: it waits for something that the person may still do, so a branch has to say for how long."""

    of_behaviour: ClassVar[bool] = True

    def asks(self, names: Names) -> str:
        """The question in words: 「メール「…」を開いたか」."""
        raise NotImplementedError(self.type)

    def missing(self) -> Iterator[str]:
        """What is wrong with it that neither its fields nor what it points to can tell."""
        yield from ()

    def causes(self) -> tuple[Cause, ...]:
        """The facts that can make it hold."""
        raise NotImplementedError(self.type)

    def passing(self, who: sql.Composable, now: datetime) -> sql.Composable:
        """SELECT lead_id, visit of those in `who` (SELECT lead_id, visit, entered_at) for whom it holds."""
        raise NotImplementedError(self.type)


QUESTIONS: Kinds[Question] = Kinds("question")


class Done(Question):
    """Whether a fact of one kind, about what is asked for, has happened since the person entered."""

    act: ClassVar[Kind]

    def about(self) -> sql.Composable:
        """A boolean over `object_id`."""
        raise NotImplementedError(self.type)

    def causes(self) -> tuple[Cause, ...]:
        return (Cause(frozenset({self.act.code}), self.about()),)

    def passing(self, who: sql.Composable, now: datetime) -> sql.Composable:
        return _DONE.format(
            who=who,
            kind=sql.Literal(self.act.code),
            object=self.about(),
            now=sql.Literal(now),
            by_a_person=ledger.BY_A_PERSON,
        )


# LIMIT keeps this a probe of activity_lead_at per person; flattened, it could read all activity of the kind
_DONE = sql.SQL(
    "SELECT who.lead_id, who.visit FROM ({who}) AS who CROSS JOIN LATERAL ("
    "SELECT 1 FROM activity a WHERE a.lead_id = who.lead_id AND a.at >= who.entered_at AND a.at <= {now}"
    " AND a.kind = {kind} AND {object} AND {by_a_person} LIMIT 1) AS done"
)


class OfMail(Done):
    """A reaction to one message."""

    message_id: int | None = None

    def about(self) -> sql.Composable:
        return sql.SQL("object_id = {}").format(sql.Literal(self.message_id or 0))

    def problems(self) -> Iterator[str]:
        if self.message_id is None:
            yield _("どのメールへの反応で分けるかを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.message_id is not None:
            yield Ref("message", self.message_id, _("反応を見るメールは、もうありません。"))

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("message_id", "pick", gettext_lazy("どのメール"), things.messages)]


@QUESTIONS.register
class Clicked(OfMail):
    """Clicked a link of the message since entering."""

    label, place, act = gettext_lazy("メールをクリックした"), 10, message_kinds.MAIL_CLICKED
    type: Literal["clicked"] = "clicked"

    def asks(self, names: Names) -> str:
        return _("メール「%(name)s」をクリックしたか") % {"name": names.name("message", self.message_id)}


@QUESTIONS.register
class Opened(OfMail):
    """Opened the message since entering."""

    label, place, act = gettext_lazy("メールを開いた"), 20, message_kinds.MAIL_OPENED
    type: Literal["opened"] = "opened"

    def asks(self, names: Names) -> str:
        return _("メール「%(name)s」を開いたか") % {"name": names.name("message", self.message_id)}


@QUESTIONS.register
class Visited(Done):
    """Viewed the page, or any page of the category, since entering. A page goes before a category."""

    label, place, act = gettext_lazy("ページを見た"), 30, tracking_kinds.PAGE_VIEW
    type: Literal["visited"] = "visited"
    page_id: int | None = None
    category: str = ""

    def about(self) -> sql.Composable:
        if self.page_id is not None:
            return sql.SQL("object_id = {}").format(sql.Literal(self.page_id))
        return sql.SQL("object_id IN (SELECT id FROM page WHERE category = {})").format(sql.Literal(self.category))

    def problems(self) -> Iterator[str]:
        if self.page_id is None and not self.category:
            yield _("見たページか、ページの分類を選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.page_id is not None:
            yield Ref("page", self.page_id, _("閲覧を見るページは、もうありません。"))

    def asks(self, names: Names) -> str:
        chosen = names.name("page", self.page_id) if self.page_id else things.category_name(self.category)
        return _("「%(page)s」を見たか") % {"page": chosen or "―"}

    @classmethod
    def controls(cls) -> list[Control]:
        return [
            Control("page_id", "pick", gettext_lazy("どのページ"), things.pages),
            Control("category", "word", gettext_lazy("または、ページの分類"), things.categories, things.category_name),
        ]

    @classmethod
    def taken(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return {"page_id": given["page_id"], "category": "" if given["page_id"] else given["category"]}


@QUESTIONS.register
class Answered(Done):
    """Answered the form since entering."""

    label, place, act = gettext_lazy("フォームに回答した"), 40, form_kinds.FORM_SUBMITTED
    type: Literal["answered"] = "answered"
    form_id: int | None = None

    def about(self) -> sql.Composable:
        return sql.SQL("object_id = {}").format(sql.Literal(self.form_id or 0))

    def problems(self) -> Iterator[str]:
        if self.form_id is None:
            yield _("どのフォームへの回答で分けるかを選んでください。")

    def points_to(self) -> Iterator[Ref]:
        if self.form_id is not None:
            yield Ref("form", self.form_id, _("回答を見るフォームは、もうありません。"))

    def asks(self, names: Names) -> str:
        return _("フォーム「%(name)s」に回答したか") % {"name": names.name("form", self.form_id)}

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("form_id", "pick", gettext_lazy("どのフォーム"), things.every_form)]


@QUESTIONS.register
class Holds(Question):
    """Meets a condition tree (`segments.conditions`) now; by hand, that of being in a segment."""

    label, place, of_behaviour = gettext_lazy("セグメントに当てはまる"), 50, False
    type: Literal["holds"] = "holds"
    tree: dict[str, Any] = Field(default_factory=dict)

    def causes(self) -> tuple[Cause, ...]:
        return segments.dependencies(self.tree).causes

    def passing(self, who: sql.Composable, now: datetime) -> sql.Composable:
        scope = sql.SQL("SELECT lead_id FROM ({who}) AS scope").format(who=who)
        return _HOLDS.format(who=who, members=segments.members_sql(self.tree, now, scope))

    def problems(self) -> Iterator[str]:
        if not self.tree:
            yield _("分ける条件を決めてください。")

    def points_to(self) -> Iterator[Ref]:
        yield from (Ref(table, key) for table, key in sorted(segments.stands_on(self.tree)) if self.tree)

    def missing(self) -> Iterator[str]:
        if self.tree:
            try:
                segments.validate(self.tree)
            except ConditionError as error:
                yield str(error)

    def asks(self, names: Names) -> str:
        if not self.tree:
            return _("条件を満たすか")
        try:
            clause = segments.clause(self.tree, (get_language() or "ja")[:2])
        except ConditionError:
            return _("条件を満たすか")
        return _("%(condition)sか") % {"condition": clause}

    @classmethod
    def controls(cls) -> list[Control]:
        return [Control("segment_id", "pick", gettext_lazy("どのセグメント"), things.segments_in_use)]

    def filled(self) -> dict[str, Any]:
        return {"segment_id": self.tree.get("segment")}

    @classmethod
    def taken(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        chosen = given["segment_id"]
        return {"tree": {"type": "segment", "segment": chosen} if chosen else {}}


_HOLDS = sql.SQL("SELECT who.lead_id, who.visit FROM ({who}) AS who WHERE who.lead_id IN ({members})")
