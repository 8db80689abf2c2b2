"""Leaves of what a lead did: how often within a window, and how long ago."""

from datetime import datetime
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import Field, model_validator

from hagukumi.collect.tracking.rules import CATEGORIES
from hagukumi.judge.segments import rules
from hagukumi.judge.segments.conditions import All, Condition, Evidence, Moment, Not, codes, language, literal, words
from hagukumi.judge.segments.controls import Offer, Options, control, pairs, pick
from hagukumi.judge.segments.queries import SQL
from hagukumi.ledger import kinds as ledger_kinds
from hagukumi.ledger import objects
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause

from .common import Days, Id, Text, quoted
from .facts import KnownSince

OFFERED_GROUPS = ("web", "mail", "form", "seminar", "call", "deal")
NOT_OFFERED = ("dwell", "scroll", "visitor_joined")
OFFERED_TABLES = ("page", "content", "form", "message", "source")
"""What of, among the objects of acts, may be chosen by name."""


class Acted(Condition):
    """At least `at_least` acts of the kinds, within `days` (None: ever), by object, page category or form kind."""

    label_ja, label_en = "行動の回数", "Activity count"
    tables = frozenset({"page", "form"})
    type: Literal["activity"] = "activity"
    kinds_: list[Text] = Field(min_length=1, max_length=60, alias="kinds")
    at_least: Annotated[int, Field(ge=1, le=10_000)] = 1
    days: Days | None = None
    objects: list[Id] = Field(default_factory=list, max_length=200)
    page_categories: list[Text] = Field(default_factory=list, max_length=20)
    form_kinds: list[Text] = Field(default_factory=list, max_length=10)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for key in self.kinds_:
            try:
                ledger_kinds.by_key(key)
            except KeyError as error:
                raise ValueError(words(f"行動「{key}」はありません", f'there is no activity "{key}"')) from error
        return self

    def kinds(self) -> frozenset[int]:
        return codes(self.kinds_)

    def points_to(self) -> list[tuple[str, int]]:
        tables = {ledger_kinds.by_key(key).object for key in self.kinds_} - {""}
        return [(table, object_id) for table in sorted(tables) for object_id in self.objects]

    def causes(self) -> list[Cause]:
        tests = self._of_objects()
        return [Cause(self.kinds(), sql.SQL(" AND ").join(tests) if tests else None)]

    def _of_objects(self) -> list[sql.Composable]:
        """The conditions on `object_id`."""
        tests: list[sql.Composable] = []
        if self.objects:
            tests.append(sql.SQL("object_id = ANY({}::bigint[])").format(literal(self.objects)))
        if self.page_categories:
            tests.append(
                sql.SQL("object_id IN (SELECT id FROM page WHERE category = ANY({}::text[]))").format(
                    literal(self.page_categories)
                )
            )
        if self.form_kinds:
            tests.append(
                sql.SQL("object_id IN (SELECT id FROM form WHERE kind = ANY({}::text[]))").format(
                    literal(self.form_kinds)
                )
            )
        return tests

    def _acts(self) -> sql.Composable:
        """The conditions on `activity a` apart from time."""
        tests = [sql.SQL("a.kind = ANY({}::smallint[])").format(literal(sorted(self.kinds()))), *self._of_objects()]
        if any(ledger_kinds.by_key(key).doubtful for key in self.kinds_):
            tests.append(ledger.BY_A_PERSON)
        return sql.SQL(" AND ").join(tests)

    def _window(self, moment: Moment) -> sql.Composable:
        upper = sql.SQL("at <= {}").format(literal(moment.now))
        if self.days is None:
            return upper
        return sql.SQL("at > {} AND {}").format(literal(moment.now - rules.days(self.days)), upper)

    def matching(self, moment: Moment) -> sql.Composable:
        found = sql.SQL("SELECT a.lead_id FROM {} WHERE {}").format(
            moment.rows("activity", "a", self._window(moment)), self._acts()
        )
        if self.at_least == 1:
            return found
        return found + sql.SQL(" GROUP BY a.lead_id HAVING count(*) >= {}").format(literal(self.at_least))

    def due(self, moment: Moment) -> sql.Composable:
        """When the nth latest act leaves the window; and when an act dated after now (a skewed clock) arrives."""
        ahead = sql.SQL("SELECT a.lead_id, min(a.at) AS due_at FROM {} WHERE {} GROUP BY 1").format(
            moment.ahead("a"), self._acts()
        )
        if self.days is None:
            return ahead
        leaving = sql.SQL(
            "SELECT a.lead_id, (array_agg(a.at ORDER BY a.at DESC))[{}] + {} AS due_at FROM {} WHERE {}"
            " GROUP BY 1 HAVING count(*) >= {}"
        ).format(
            literal(self.at_least),
            literal(rules.days(self.days)),
            moment.rows("activity", "a", self._window(moment)),
            self._acts(),
            literal(self.at_least),
        )
        return sql.SQL("{} UNION ALL {}").format(leaving, ahead)

    def clause(self, lang: str) -> str:
        what = self._what(lang)
        if lang == "ja":
            when = f"過去{self.days}日に" if self.days else "これまでに"
            return f"{when}{what}が{self.at_least}回以上ある"
        when = f" in the last {self.days} days" if self.days else " so far"
        often = "at least once" if self.at_least == 1 else f"{self.at_least} times or more"
        return f"{what} happened {often}{when}"

    def _what(self, lang: str) -> str:
        found = [ledger_kinds.by_key(key) for key in self.kinds_]
        labels = [kind.label_ja if lang == "ja" else kind.label_en.lower() for kind in found]
        groups = [ja if lang == "ja" else en for ja, en, keys in rules.GROUPS.values() if keys == tuple(self.kinds_)]
        acts = groups[0] if groups else "・".join(labels) if lang == "ja" else " or ".join(labels)
        pick = 0 if lang == "ja" else 1
        marks = [CATEGORIES.get(key, (key, key))[pick] for key in self.page_categories]
        marks += [rules.FORM_KINDS.get(key, (key, key))[pick] for key in self.form_kinds]
        if self.objects:
            table = next((kind.object for kind in found if kind.object), "")
            named = sorted(names[pick] or names[0] for names in objects.names({table: self.objects}).values())
            marks += named or [words("削除済みの対象", "something deleted")]
        if not marks:
            return acts
        return f"{quoted(marks, lang)}の{acts}" if lang == "ja" else f"{acts} of {quoted(marks, lang)}"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        rows = SQL.acts_of.rows({"lead_id": lead_id}, acts=self._acts(), window=self._window(Moment(now)))
        acts = [(ledger_kinds.by_code(row["kind"]), row["object_id"] or 0, row["at"]) for row in rows]
        wanted: dict[str, set[int]] = {kind.object: set() for kind, _id, _at in acts}
        for kind, object_id, _at in acts:
            wanted[kind.object].add(object_id)
        names = objects.names(wanted, lead_id)
        found = []
        for kind, object_id, at in acts:
            label = kind.label_ja if language() == "ja" else kind.label_en
            named = names.get((kind.object, object_id), ("", ""))[0]
            found.append(Evidence(f"{label}: {named}" if named else label, at))
        return found

    @classmethod
    def offer(cls) -> Offer | None:
        controls = [
            control("days", "number", _("期間（日・空は全期間）"), optional=True, min=1),
            control("kinds", "multi", _("行動"), options=_kinds_offered()),
            control("page_categories", "multi", _("ページの分類"), options=pairs(CATEGORIES)),
            control("form_kinds", "multi", _("フォームの種類"), options=pairs(rules.FORM_KINDS)),
            control("objects", "objects", _("対象"), tables=_objects_offered(), kinds=_tables_of_kinds()),
            control("at_least", "number", _("回以上"), min=1, after=True),
        ]
        return Offer(10, {"kinds": ["page_view"], "at_least": 1, "days": 30}, controls)


class Recency(Condition):
    """No act of the group for `days` days (`idle`), or at least one within them."""

    label_ja, label_en = "最近の行動", "Recency"
    type: Literal["recency"] = "recency"
    group: Literal["any", "web", "mail", "form", "seminar", "call"] = "any"
    days: Days
    idle: bool = True

    def _acted(self) -> Acted:
        return Acted(kinds=list(rules.GROUPS[self.group][2]), days=self.days)

    def expand(self) -> Condition:
        if not self.idle:
            return self._acted()
        return All(items=[KnownSince(days=self.days, within=False), Not(item=self._acted())])

    def kinds(self) -> frozenset[int]:
        return self._acted().kinds()

    def clause(self, lang: str) -> str:
        ja, en, _ = rules.GROUPS[self.group]
        if lang == "ja":
            return f"{self.days}日以上{ja}がない" if self.idle else f"過去{self.days}日に{ja}がある"
        return (
            f"there was no {en} for {self.days} days" if self.idle else f"there was {en} in the last {self.days} days"
        )

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        latest = Acted(kinds=list(rules.GROUPS[self.group][2])).evidence(lead_id, now)[:1]
        return latest or KnownSince(days=self.days).evidence(lead_id, now)

    @classmethod
    def offer(cls) -> Offer | None:
        groups = pairs(rules.GROUPS)
        controls = [
            control("days", "number", _("日間"), min=1, after=True),
            control("group", "select", options=groups),
            control("idle", "bool", options=[[True, _("がない")], [False, _("がある")]]),
        ]
        return Offer(20, {"group": "any", "days": 90, "idle": True}, controls)


def _kinds_offered() -> Options:
    return [
        [kind.key, pick(kind.label_ja, kind.label_en)]
        for kind in ledger_kinds.every()
        if kind.group in OFFERED_GROUPS and kind.key not in NOT_OFFERED
    ]


def _tables_of_kinds() -> dict[str, str]:
    return {kind.key: kind.object for kind in ledger_kinds.every() if kind.object}


def _objects_offered() -> dict[str, Options]:
    return {table: objects.latest(table) for table in OFFERED_TABLES}
