"""The leaves of the low rooms: facts of the lead and its company, source, tags, consent, acts, other segments."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from django.utils.translation import override
from psycopg import sql
from pydantic import Field, StringConstraints, model_validator

from hagukumi.companies.rules import INDUSTRIES
from hagukumi.kit import clock
from hagukumi.leads.rules import SOURCE_TYPES
from hagukumi.ledger import kinds as ledger_kinds
from hagukumi.ledger import services as ledger
from hagukumi.tracking.rules import CATEGORIES

from . import rules
from .conditions import (
    All,
    Condition,
    ConditionError,
    Evidence,
    Moment,
    Not,
    codes,
    language,
    literal,
    words,
)
from .queries import SQL

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Days = Annotated[int, Field(ge=1, le=3660)]
Id = Annotated[int, Field(ge=1, le=2**62)]


def names(table: str, ids: list[int]) -> list[str]:
    """The names of definitions in the reader's order of ids; 「削除済み」 for those that are gone."""
    query = {"source": SQL.source_names, "segment": SQL.segment_names}[table]
    found = {row["id"]: row["name"] for row in query.rows({"ids": ids})}
    return [found.get(i, words("削除済み", "deleted")) for i in ids]


def quoted(texts: list[str], lang: str) -> str:
    if lang == "ja":
        return "・".join(f"「{text}」" for text in texts)
    return " or ".join(f"“{text}”" for text in texts)


class FieldIs(Condition):
    """A fact of the lead: `field` is a column (rules.COLUMNS) or `own.<key>` for a field of one's own."""

    label_ja, label_en = "リードの項目", "Field of the lead"
    type: Literal["field"] = "field"
    field: Annotated[str, StringConstraints(pattern=r"^(own\.)?[a-z0-9_-]{1,40}$")]
    op: Literal["is", "is_not", "contains", "in", "empty", "filled", "gte", "lte"] = "is"
    value: Text | int | float | bool | None = None
    values: list[Text] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.op == "in" and not self.values:
            raise ValueError(words("値を1つ以上入れてください", "give at least one value"))
        if self.op in ("is", "is_not", "contains", "gte", "lte") and self.value in (None, ""):
            raise ValueError(words("値を入れてください", "give a value"))
        if not self.field.startswith("own."):
            self._fits(rules.COLUMNS.get(self.field))
        return self

    def _fits(self, column: rules.Column | None) -> None:
        if column is None:
            raise ValueError(words(f"項目「{self.field}」はありません", f'there is no field "{self.field}"'))
        if self.op not in rules.OPERATORS[column.type]:
            raise ValueError(
                words(f"「{column.ja}」には使えない比べ方です", f"{column.en} cannot be compared this way")
            )
        if self.op in ("empty", "filled"):
            return
        if column.type == "number":
            _number(self.value)
        elif column.type == "date":
            _date(self.value)
        elif column.type == "person" and not isinstance(self.value, int):
            raise ValueError(words("担当を選んでください", "choose a member of staff"))

    def _column(self) -> rules.Column:
        if not self.field.startswith("own."):
            return rules.COLUMNS[self.field]
        row = SQL.own_field.row({"key": self.field.removeprefix("own.")})
        if row is None:
            key = self.field.removeprefix("own.")
            raise ConditionError(words(f"項目「{key}」はありません", f'there is no field "{key}"'))
        return rules.Column(self.field, row["type"], row["label_ja"], row["label_en"])

    def check(self) -> None:
        try:
            self._fits(self._column())
        except ConditionError:
            raise
        except ValueError as error:
            raise ConditionError(str(error)) from error

    def kinds(self) -> frozenset[int]:
        return codes(("field_changed", "state_changed"))

    def column(self, moment: Moment) -> sql.Composable:
        column = self._column()
        own = self.field.startswith("own.")
        if own:
            raw: sql.Composable = sql.SQL("(l.fields->>{})").format(literal(self.field.removeprefix("own.")))
        else:
            raw = sql.SQL("l.{}").format(sql.Identifier("owner_id" if self.field == "owner" else self.field))
        if self.op in ("empty", "filled"):
            nothing = sql.SQL("coalesce({}::text, '') = ''").format(raw)
            return nothing if self.op == "empty" else sql.SQL("NOT ({})").format(nothing)
        if column.type == "number":
            return self._compare(_safe_number(raw) if own else raw, literal(_number(self.value)))
        if column.type == "date":
            day = _date(self.value)
            if own:
                return self._compare(raw, literal(day.isoformat()))
            return self._compare_day(raw, day)
        if column.type == "person":
            return self._compare(raw, literal(self.value))
        return self._compare_text(sql.SQL("coalesce({}, '')").format(raw))

    def _compare(self, left: sql.Composable, right: sql.Composable) -> sql.Composable:
        operator = {"is": "=", "is_not": "IS DISTINCT FROM", "gte": ">=", "lte": "<="}[self.op]
        return sql.SQL("{} {} {}").format(left, sql.SQL(operator), right)

    def _compare_day(self, left: sql.Composable, day: date) -> sql.Composable:
        """A JST calendar day: from its midnight on, or until its end."""
        if self.op == "gte":
            return sql.SQL("{} >= {}").format(left, literal(clock.jst_midnight(day)))
        return sql.SQL("{} < {}").format(left, literal(clock.jst_midnight(date.fromordinal(day.toordinal() + 1))))

    def _compare_text(self, left: sql.Composable) -> sql.Composable:
        if self.op == "in":
            return sql.SQL("{} = ANY({}::text[])").format(left, literal(self.values))
        value = literal(_text(self.value))
        if self.op == "contains":
            return sql.SQL("strpos(lower({}), lower({})) > 0").format(left, value)
        return self._compare(left, value)

    def clause(self, lang: str) -> str:
        column = self._column()
        label = column.label(lang)
        shown = {key: ja if lang == "ja" else en for key, ja, en in column.choices}
        value = shown.get(str(self.value), f"{self.value:,}" if isinstance(self.value, int) else _text(self.value))
        if column.type == "person" and self.value is not None:
            value = SQL.staff_name.value({"id": self.value}) or words("退職者", "a former member")
        if column.type == "bool":
            value = {"true": words("はい", "yes"), "false": words("いいえ", "no")}.get(value, value)
        texts = [shown.get(item, item) for item in self.values]
        if lang == "ja":
            return {
                "is": f"{label}が「{value}」である",
                "is_not": f"{label}が「{value}」ではない",
                "contains": f"{label}に「{value}」を含む",
                "in": f"{label}が{quoted(texts, lang)}のどれかである",
                "empty": f"{label}が空である",
                "filled": f"{label}が入っている",
                "gte": f"{label}が{value}以降である" if column.type == "date" else f"{label}が{value}以上である",
                "lte": f"{label}が{value}以前である" if column.type == "date" else f"{label}が{value}以下である",
            }[self.op]
        return {
            "is": f"{label} is “{value}”",
            "is_not": f"{label} is not “{value}”",
            "contains": f"{label} contains “{value}”",
            "in": f"{label} is {quoted(texts, lang)}",
            "empty": f"{label} is empty",
            "filled": f"{label} is filled in",
            "gte": f"{label} is on or after {value}" if column.type == "date" else f"{label} is at least {value}",
            "lte": f"{label} is on or before {value}" if column.type == "date" else f"{label} is at most {value}",
        }[self.op]

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        column = self._column()
        row = SQL.lead_values.row({"lead_id": lead_id}) or {"lead": "{}"}
        lead = json.loads(row["lead"])
        key = "owner_id" if self.field == "owner" else self.field
        value = (lead.get("fields") or {}).get(key[4:]) if key.startswith("own.") else lead.get(key)
        shown = {k: ja if language() == "ja" else en for k, ja, en in column.choices}
        text = shown.get(str(value), str(value)) if value not in (None, "") else words("（空）", "(empty)")
        return [Evidence(f"{column.label(language())}: {text}")]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(words("数を入れてください", "give a number")) from error


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(words("日付を 2026-04-01 の形で入れてください", "give a date like 2026-04-01")) from error


def _safe_number(raw: sql.Composable) -> sql.Composable:
    """The number in a text, NULL where there is none: one wrong value must not stop the beat."""
    return sql.SQL("(CASE WHEN {0} ~ '^-?[0-9]+([.][0-9]+)?$' THEN {0}::numeric END)").format(raw)


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
        return sql.SQL("SELECT lead_id FROM lead_tag WHERE tag = ANY({}::text[]){}").format(
            literal(self.tags), moment.scoped("lead_id")
        )

    def clause(self, lang: str) -> str:
        said = quoted(self.tags, lang)
        return f"タグ{said}が付いている" if lang == "ja" else f"a tag is {said}"


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
        return sql.SQL("SELECT lead_id FROM consent_now WHERE channel = 'email' AND granted{}").format(
            moment.scoped("lead_id")
        )

    def clause(self, lang: str) -> str:
        if lang == "ja":
            return "メール配信に同意している" if self.granted else "メール配信の同意がない"
        return "mail is agreed to" if self.granted else "mail is not agreed to"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.lead_consent.row({"lead_id": lead_id})
        return [Evidence(words("同意の変更", "consent changed"), row["at"])] if row else []


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
        return sql.SQL("SELECT l.lead_id, l.known_at + {} AS due_at FROM lead l WHERE l.known_at > {}{}").format(
            literal(rules.days(self.days)), literal(moment.now - rules.days(self.days)), moment.scoped("l.lead_id")
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

    def _acts(self, moment: Moment) -> sql.Composable:
        """The conditions on `activity a` apart from time."""
        tests = [sql.SQL("a.kind = ANY({}::smallint[])").format(literal(sorted(self.kinds())))]
        if self.objects:
            tests.append(sql.SQL("a.object_id = ANY({}::bigint[])").format(literal(self.objects)))
        if self.page_categories:
            tests.append(
                sql.SQL("a.object_id IN (SELECT id FROM page WHERE category = ANY({}::text[]))").format(
                    literal(self.page_categories)
                )
            )
        if self.form_kinds:
            tests.append(
                sql.SQL("a.object_id IN (SELECT id FROM form WHERE kind = ANY({}::text[]))").format(
                    literal(self.form_kinds)
                )
            )
        if any(key.startswith("mail_") for key in self.kinds_):
            tests.append(ledger.BY_A_PERSON)
        return sql.SQL(" AND ").join(tests) + moment.scoped("a.lead_id")

    def _window(self, moment: Moment) -> sql.Composable:
        upper = sql.SQL("a.at <= {}").format(literal(moment.now))
        if self.days is None:
            return upper
        return sql.SQL("a.at > {} AND {}").format(literal(moment.now - rules.days(self.days)), upper)

    def matching(self, moment: Moment) -> sql.Composable:
        found = sql.SQL("SELECT a.lead_id FROM activity a WHERE {} AND {}").format(
            self._acts(moment), self._window(moment)
        )
        if self.at_least == 1:
            return found
        return found + sql.SQL(" GROUP BY a.lead_id HAVING count(*) >= {}").format(literal(self.at_least))

    def due(self, moment: Moment) -> sql.Composable:
        """When the nth latest act leaves the window; and when an act dated after now (a skewed clock) arrives."""
        ahead = sql.SQL(
            "SELECT a.lead_id, min(a.at) AS due_at FROM activity a WHERE {} AND a.at > {} GROUP BY 1"
        ).format(self._acts(moment), literal(moment.now))
        if self.days is None:
            return ahead
        leaving = sql.SQL(
            "SELECT a.lead_id, (array_agg(a.at ORDER BY a.at DESC))[{}] + {} AS due_at FROM activity a WHERE {} AND {}"
            " GROUP BY 1 HAVING count(*) >= {}"
        ).format(
            literal(self.at_least),
            literal(rules.days(self.days)),
            self._acts(moment),
            self._window(moment),
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
            rows = SQL.object_names.rows({"table": table, "ids": self.objects})
            marks += [row["name"] for row in rows] or [words("削除済みの対象", "something deleted")]
        if not marks:
            return acts
        return f"{quoted(marks, lang)}の{acts}" if lang == "ja" else f"{acts} of {quoted(marks, lang)}"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        moment = Moment(now, sql.SQL("SELECT {}::bigint").format(literal(lead_id)))
        rows = SQL.acts_of.rows({"lead_id": lead_id}, acts=self._acts(moment), window=self._window(moment))
        found = []
        for row in rows:
            kind = ledger_kinds.by_code(row["kind"])
            label = kind.label_ja if language() == "ja" else kind.label_en
            named = SQL.object_names.row({"table": kind.object, "ids": [row["object_id"] or 0]})
            found.append(Evidence(f"{label}: {named['name']}" if named else label, row["at"]))
        return found


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


class InSegment(Condition):
    label_ja, label_en = "セグメント", "Segment"
    type: Literal["segment"] = "segment"
    segment: Id

    def kinds(self) -> frozenset[int]:
        return codes(("segment_entered", "segment_left"))

    def check(self) -> None:
        if not SQL.segment_names.rows({"ids": [self.segment]}):
            raise ConditionError(words("選んだセグメントはもうありません", "the chosen segment is gone"))

    def matching(self, moment: Moment) -> sql.Composable:
        return sql.SQL("SELECT lead_id FROM segment_member WHERE segment_id = {}{}").format(
            literal(self.segment), moment.scoped("lead_id")
        )

    def clause(self, lang: str) -> str:
        said = quoted(names("segment", [self.segment]), lang)
        return f"セグメント{said}に入っている" if lang == "ja" else f"segment {said} includes them"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.member_since.row({"lead_id": lead_id, "segment_id": self.segment})
        return [Evidence(words("セグメントに入った", "entered the segment"), row["since"])] if row else []


LEAVES = (FieldIs, CompanyIs, SourceIs, Tagged, Consented, KnownSince, Acted, Recency, InSegment)
