"""Leaves of what is known about a lead: its company, source, tags, consent, and since when."""

from datetime import datetime
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import override
from psycopg import sql
from pydantic import Field, StringConstraints, model_validator

from hagukumi.judge.segments import rules
from hagukumi.judge.segments.conditions import Condition, Evidence, Moment, Not, codes, language, literal, words
from hagukumi.judge.segments.controls import Offer, control, pick
from hagukumi.judge.segments.queries import SQL
from hagukumi.ledger import objects
from hagukumi.people.companies.rules import INDUSTRIES
from hagukumi.people.leads import reads as leads
from hagukumi.people.sources.rules import SOURCE_TYPES

from .common import Days, Id, Text, names, quoted


class CompanyIs(Condition):
    """A fact of the lead's company; all that is given must hold. Yen bounds: from inclusive, below exclusive."""

    label_ja, label_en = "企業", "Company"
    selects = True
    type: Literal["company"] = "company"
    industries: list[Text] = Field(default_factory=list, max_length=40)
    sales_from: Annotated[int, Field(ge=0)] | None = None
    sales_below: Annotated[int, Field(ge=0)] | None = None
    employees_gte: Annotated[int, Field(ge=0)] | None = None
    employees_lte: Annotated[int, Field(ge=0)] | None = None
    prefectures: list[Text] = Field(default_factory=list, max_length=47)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        unknown = [key for key in self.industries if key not in INDUSTRIES]
        if unknown:
            raise ValueError(words(f"業種「{unknown[0]}」はありません", f'there is no industry "{unknown[0]}"'))
        bounds = (self.sales_from, self.sales_below, self.employees_gte, self.employees_lte)
        if not self.industries and not self.prefectures and all(bound is None for bound in bounds):
            raise ValueError(words("企業の条件を1つ以上入れてください", "say something about the company"))
        return self

    def kinds(self) -> frozenset[int]:
        return codes(("field_changed",))

    def column(self, moment: Moment) -> sql.Composable:
        tests = []
        if self.industries:
            tests.append(sql.SQL("industry = ANY({}::text[])").format(literal(self.industries)))
        if self.prefectures:
            tests.append(sql.SQL("prefecture = ANY({}::text[])").format(literal(self.prefectures)))
        for column, operator, bound in (
            ("sales_yen", ">=", self.sales_from),
            ("sales_yen", "<", self.sales_below),
            ("employees", ">=", self.employees_gte),
            ("employees", "<=", self.employees_lte),
        ):
            if bound is not None:
                tests.append(sql.SQL("{} {} {}").format(sql.Identifier(column), sql.SQL(operator), literal(bound)))
        return sql.SQL("l.company_id IN (SELECT id FROM company WHERE {})").format(sql.SQL(" AND ").join(tests))

    def clause(self, lang: str) -> str:
        parts = []
        ja = lang == "ja"
        if self.industries:
            labels = [INDUSTRIES[key].label(lang) for key in self.industries]
            parts.append(f"業種が{'・'.join(labels)}" if ja else f"industry is {' or '.join(labels)}")
        if self.sales_from is not None or self.sales_below is not None:
            parts.append(_sales_words(self.sales_from, self.sales_below, lang))
        if self.employees_gte is not None or self.employees_lte is not None:
            low, high = self.employees_gte, self.employees_lte
            said = (f"{low:,}人以上" if low is not None else "") + (f"{high:,}人以下" if high is not None else "")
            parts.append(f"従業員が{said}" if ja else f"employees are between {low or 0:,} and {high or 'any':}")
        if self.prefectures:
            listed = "・".join(self.prefectures)
            parts.append(f"所在地が{listed}" if ja else f"prefecture is {' or '.join(self.prefectures)}")
        return f"企業の{'で、'.join(parts)}である" if ja else "company " + " and ".join(parts)

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.lead_company.row({"lead_id": lead_id})
        if row is None:
            return [Evidence(words("企業が登録されていません", "no company on record"))]
        industry = INDUSTRIES[row["industry"]].label(language()) if row["industry"] in INDUSTRIES else ""
        sales = rules.oku(row["sales_yen"]) if row["sales_yen"] is not None else ""
        return [Evidence(" / ".join(part for part in (row["name"], industry, sales, row["prefecture"]) if part))]

    @classmethod
    def offer(cls) -> Offer | None:
        industries = [[one.key, pick(one.ja, one.en)] for one in INDUSTRIES.values()]
        controls = [
            control("industries", "multi", _("業種"), options=industries),
            control("sales_from", "oku", _("売上（億円）以上"), optional=True),
            control("sales_below", "oku", _("未満"), optional=True),
            control("employees_gte", "number", _("従業員数 以上"), optional=True, min=0),
            control("employees_lte", "number", _("以下"), optional=True, min=0),
            control("prefectures", "texts", _("都道府県")),
        ]
        return Offer(40, {"industries": []}, controls)


def _sales_words(low: int | None, below: int | None, lang: str) -> str:
    if lang == "ja":
        said = (f"{rules.oku(low)}以上" if low is not None else "") + (
            f"{rules.oku(below)}未満" if below is not None else ""
        )
        return f"売上が{said}"
    if low is not None and below is not None:
        return f"sales are {low:,} yen or more and below {below:,} yen"
    return f"sales are {low:,} yen or more" if low is not None else f"sales are below {below:,} yen"


class SourceIs(Condition):
    label_ja, label_en = "獲得ソース", "Source"
    selects = True
    tables = frozenset({"source"})
    type: Literal["source"] = "source"
    ids: list[Id] = Field(default_factory=list, max_length=200)
    types: list[Text] = Field(default_factory=list, max_length=40)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.ids and not self.types:
            raise ValueError(words("ソースを1つ以上選んでください", "choose at least one source"))
        return self

    def kinds(self) -> frozenset[int]:
        return codes(("field_changed",))

    def column(self, moment: Moment) -> sql.Composable:
        tests = []
        if self.ids:
            tests.append(sql.SQL("l.source_id = ANY({}::bigint[])").format(literal(self.ids)))
        if self.types:
            tests.append(
                sql.SQL("l.source_id IN (SELECT id FROM source WHERE type = ANY({}::text[]))").format(
                    literal(self.types)
                )
            )
        return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))

    def clause(self, lang: str) -> str:
        listed = names("source", self.ids) + [_source_type(key, lang) for key in self.types]
        said = quoted(listed, lang)
        return f"獲得ソースが{said}である" if lang == "ja" else f"source is {said}"

    @classmethod
    def offer(cls) -> Offer | None:
        types = [[key, str(label)] for key, label in SOURCE_TYPES.items()]
        controls = [
            control("types", "multi", _("種類"), options=types),
            control("ids", "multi", _("ソース"), options=objects.latest("source")),
        ]
        return Offer(50, {"ids": [], "types": []}, controls)


def _source_type(key: str, lang: str) -> str:
    """The label that the leads room gives to a type of source; the key where it has none."""
    with override(lang):
        return str(SOURCE_TYPES.get(key, key))


class Tagged(Condition):
    label_ja, label_en = "タグ", "Tag"
    type: Literal["tag"] = "tag"
    tags: list[Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]] = Field(
        min_length=1, max_length=100
    )

    def kinds(self) -> frozenset[int]:
        return codes(("tagged", "untagged"))

    def matching(self, moment: Moment) -> sql.Composable:
        return sql.SQL("SELECT t.lead_id FROM {} WHERE t.tag = ANY({}::text[])").format(
            moment.rows("lead_tag", "t"), literal(self.tags)
        )

    def clause(self, lang: str) -> str:
        said = quoted(self.tags, lang)
        return f"タグ{said}が付いている" if lang == "ja" else f"a tag is {said}"

    @classmethod
    def offer(cls) -> Offer | None:
        tags = [[tag, tag] for tag in leads.tags()]
        return Offer(60, {"tags": []}, [control("tags", "texts", _("どれかが付いている"), options=tags)])


class Consented(Condition):
    """Whether mail is allowed by consent; `granted` false also holds for those who were never asked."""

    label_ja, label_en = "配信同意", "Consent"
    type: Literal["consent"] = "consent"
    granted: bool = True

    def kinds(self) -> frozenset[int]:
        return codes(("consent_changed", "unsubscribed"))

    def expand(self) -> Condition:
        return self if self.granted else Not(item=Consented())

    def matching(self, moment: Moment) -> sql.Composable:
        return sql.SQL("SELECT c.lead_id FROM {} WHERE c.channel = 'email' AND c.granted").format(
            moment.rows("consent_now", "c")
        )

    def clause(self, lang: str) -> str:
        if lang == "ja":
            return "メール配信に同意している" if self.granted else "メール配信の同意がない"
        return "mail is agreed to" if self.granted else "mail is not agreed to"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.lead_consent.row({"lead_id": lead_id})
        return [Evidence(words("同意の変更", "consent changed"), row["at"])] if row else []

    @classmethod
    def offer(cls) -> Offer | None:
        choices = [[True, _("ある")], [False, _("ない")]]
        return Offer(80, {"granted": True}, [control("granted", "bool", _("メール配信の同意が"), options=choices)])


class KnownSince(Condition):
    """Known to us for less than `days` days (`within`), or for that long at least."""

    label_ja, label_en = "登録からの日数", "Days since registration"
    type: Literal["known_since"] = "known_since"
    days: Days
    within: bool = True

    def column(self, moment: Moment) -> sql.Composable:
        operator = sql.SQL(">" if self.within else "<=")
        return sql.SQL("l.known_at {} {}").format(operator, literal(moment.now - rules.days(self.days)))

    def due(self, moment: Moment) -> sql.Composable:
        return sql.SQL("SELECT l.lead_id, l.known_at + {} AS due_at FROM {} WHERE l.known_at > {}").format(
            literal(rules.days(self.days)), moment.rows("lead", "l"), literal(moment.now - rules.days(self.days))
        )

    def clause(self, lang: str) -> str:
        if lang == "ja":
            return f"登録から{self.days}日以内である" if self.within else f"登録から{self.days}日以上たっている"
        if self.within:
            return f"registration was within the last {self.days} days"
        return f"registration was {self.days} days ago or earlier"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.lead_values.row({"lead_id": lead_id})
        return [Evidence(words("登録", "registered"), row["known_at"])] if row and row["known_at"] else []

    @classmethod
    def offer(cls) -> Offer | None:
        controls = [
            control("days", "number", _("日"), min=1, after=True),
            control("within", "bool", options=[[True, _("以内")], [False, _("以上")]]),
        ]
        return Offer(70, {"days": 30, "within": True}, controls)
