"""The leaf of the lead's own facts."""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from psycopg import sql
from pydantic import Field, StringConstraints, model_validator

from hagukumi.judge.segments import rules
from hagukumi.judge.segments.conditions import (
    Condition,
    ConditionError,
    Evidence,
    Moment,
    codes,
    language,
    literal,
    words,
)
from hagukumi.judge.segments.controls import Offer
from hagukumi.judge.segments.queries import SQL
from hagukumi.kit import clock
from hagukumi.kit.columns import COLUMNS

from .common import Text, quoted

_CODES = tuple(key for key, line in COLUMNS.items() if line.type in ("email", "phone", "postal_code"))
_FOLD = sql.SQL("search_fold({})")
_PLAIN = sql.SQL("lower(normalize({}, NFKC))")


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
        if column.type in ("choice", "bool"):
            return self._compare_word(sql.SQL("coalesce({}, '')").format(raw))
        return self._compare_text(sql.SQL("coalesce({}, '')").format(raw))

    def _compare(self, left: sql.Composable, right: sql.Composable) -> sql.Composable:
        operator = {"is": "=", "is_not": "IS DISTINCT FROM", "gte": ">=", "lte": "<="}[self.op]
        return sql.SQL("{} {} {}").format(left, sql.SQL(operator), right)

    def _compare_day(self, left: sql.Composable, day: date) -> sql.Composable:
        """A JST calendar day: from its midnight on, or until its end."""
        if self.op == "gte":
            return sql.SQL("{} >= {}").format(left, literal(clock.jst_midnight(day)))
        return sql.SQL("{} < {}").format(left, literal(clock.jst_midnight(date.fromordinal(day.toordinal() + 1))))

    def _compare_word(self, left: sql.Composable) -> sql.Composable:
        if self.op == "in":
            return sql.SQL("{} = ANY({}::text[])").format(left, literal(self.values))
        return self._compare(left, literal(_text(self.value)))

    def _compare_text(self, left: sql.Composable) -> sql.Composable:
        """Whatever its width, case and composition, as the list's search; numbers and addresses keep their signs."""
        asked = self.values if self.op == "in" else [_text(self.value)]
        folds = self.field not in _CODES and all(any(char.isalnum() for char in value) for value in asked)
        fold = _FOLD if folds else _PLAIN  # signs alone would fold to nothing, which every text contains
        left = fold.format(left)
        if self.op == "in":
            return sql.SQL("{} IN ({})").format(
                left, sql.SQL(", ").join(fold.format(literal(value)) for value in asked)
            )
        value = fold.format(literal(asked[0]))
        if self.op == "contains":
            return sql.SQL("strpos({}, {}) > 0").format(left, value)
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

    @classmethod
    def offer(cls) -> Offer | None:
        return Offer(30, {"field": "rank", "op": "is", "value": "manager"})


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
