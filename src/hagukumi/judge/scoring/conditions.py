"""The leaf that speaks of scores."""

from datetime import datetime
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import Field, model_validator

from hagukumi.judge.segments.conditions import (
    Condition,
    ConditionError,
    Evidence,
    Moment,
    RangeMixin,
    codes,
    literal,
    words,
)
from hagukumi.judge.segments.controls import Offer, control
from hagukumi.ledger.causes import Cause

from .queries import PRIMARY, SQL

SIDES = {
    "attribute": ("属性スコア", "attribute score"),
    "behaviour": ("行動スコア", "behaviour score"),
    "total": ("スコア", "score"),
}


class Scored(Condition):
    """The present points in a model (None: the oldest): a range on one side, or `reached`: at the threshold or over."""

    label_ja, label_en = "スコア", "Score"
    type: Literal["score"] = "score"
    model: Annotated[int, Field(ge=1)] | None = None
    side: Literal["attribute", "behaviour", "total"] = "total"
    gte: int | None = None
    lte: int | None = None
    reached: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.gte is None and self.lte is None and not self.reached:
            raise ValueError(words("スコアの範囲を入れてください", "give a range of points"))
        return self

    def kinds(self) -> frozenset[int]:
        return codes(("score_changed", "score_crossed"))

    def causes(self) -> list[Cause]:
        versions = sql.SQL("object_id IN (SELECT id FROM score_version WHERE model_id = {})").format(self._model())
        return [Cause(self.kinds(), versions)]

    def _model(self) -> sql.Composable:
        return literal(self.model) if self.model else PRIMARY

    def check(self) -> None:
        if self.model is not None and SQL.model_name.value({"model_id": self.model}) is None:
            raise ConditionError(words("選んだスコアモデルはありません", "the chosen score model does not exist"))

    def matching(self, moment: Moment) -> sql.Composable:
        tests: list[sql.Composable] = [sql.SQL("s.model_id = {}").format(self._model())]
        if self.gte is not None:
            tests.append(sql.SQL("s.{} >= {}").format(sql.Identifier(self.side), literal(self.gte)))
        if self.lte is not None:
            tests.append(sql.SQL("s.{} <= {}").format(sql.Identifier(self.side), literal(self.lte)))
        if self.reached:
            tests.append(sql.SQL("s.total >= v.threshold"))
        return sql.SQL("SELECT s.lead_id FROM {} JOIN score_version v ON v.id = s.version_id WHERE {}").format(
            moment.rows("lead_score", "s"), sql.SQL(" AND ").join(tests)
        )

    def clause(self, lang: str) -> str:
        ja, en = SIDES[self.side]
        name = SQL.model_name.value({"model_id": self.model}) if self.model else ""
        if self.reached:
            said = "スコアが基準に達している" if lang == "ja" else "score has reached the threshold"
        else:
            unit = "点" if lang == "ja" else ""
            bounds = RangeMixin(gte=self.gte, lte=self.lte).bounds(lang, unit)
            said = f"{ja}が{bounds}である" if lang == "ja" else f"{en} is {bounds}"
        if name:
            return f"「{name}」の{said}" if lang == "ja" else f"{said} in “{name}”"
        return said

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.score_of.row({"lead_id": lead_id, "model_id": self.model})
        if row is None:
            return []
        said = words(
            f"属性{row['attribute']}点 + 行動{row['behaviour']}点 = {row['total']}点",
            f"attribute {row['attribute']} + behaviour {row['behaviour']} = {row['total']}",
        )
        return [Evidence(said, row["at"])]

    @classmethod
    def offer(cls) -> Offer | None:
        if not SQL.has_model.value():
            return None
        sides = [["total", _("合計")], ["attribute", _("属性")], ["behaviour", _("行動")]]
        controls = [
            control("side", "select", options=sides),
            control("gte", "number", _("点以上"), optional=True, after=True),
            control("lte", "number", _("点以下"), optional=True, after=True),
            control("reached", "check", _("基準に到達")),
        ]
        return Offer(100, {"side": "total", "gte": 10}, controls)
