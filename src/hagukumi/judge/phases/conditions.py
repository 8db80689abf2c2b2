"""The leaves that speak of phases: where a lead stands and for how long, and what it did since it came there."""

from datetime import datetime
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from psycopg import sql
from pydantic import Field, StringConstraints

from hagukumi.judge.segments import rules as segment_rules
from hagukumi.judge.segments.conditions import Condition, ConditionError, Evidence, Moment, codes, literal, words
from hagukumi.judge.segments.controls import Offer, Options, control, pick
from hagukumi.ledger import kinds as ledger_kinds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause

from .queries import SQL

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]


def _moves(model: str) -> Cause:
    """Moves within a model (key): a fact names the phase that is reached, so leaving one is any other."""
    phases = sql.SQL(
        "object_id IN (SELECT h.id FROM phase h JOIN phase_model m ON m.id = h.model_id WHERE m.key = {})"
    ).format(literal(model))
    return Cause(codes(("phase_moved",)), phases)


class InPhase(Condition):
    """Stands in one of `phases` (keys) of a model (key), `days` days or longer where that is given."""

    label_ja, label_en = "フェーズ", "Phase"
    type: Literal["phase"] = "phase"
    model: Key
    phases: list[Key] = Field(min_length=1, max_length=20)
    days: Annotated[int, Field(ge=1, le=3660)] | None = None

    def kinds(self) -> frozenset[int]:
        return codes(("phase_moved",))

    def causes(self) -> list[Cause]:
        return [_moves(self.model)]

    def check(self) -> None:
        there = {row["key"] for row in SQL.phase_names.rows({"model": self.model})}
        if missing := [key for key in self.phases if key not in there]:
            raise ConditionError(words(f"フェーズ「{missing[0]}」はありません", f'there is no phase "{missing[0]}"'))

    def _there(self, moment: Moment) -> sql.Composable:
        return sql.SQL(
            "{} WHERE p.phase_id IN (SELECT h.id FROM phase h JOIN phase_model m ON m.id = h.model_id"
            " WHERE m.key = {} AND h.key = ANY({}::text[]))"
        ).format(moment.rows("lead_phase", "p"), literal(self.model), literal(self.phases))

    def matching(self, moment: Moment) -> sql.Composable:
        found = sql.SQL("SELECT p.lead_id FROM {}").format(self._there(moment))
        if self.days is None:
            return found
        return found + sql.SQL(" AND p.since <= {}").format(literal(moment.now - segment_rules.days(self.days)))

    def due(self, moment: Moment) -> sql.Composable | None:
        if self.days is None:
            return None
        window = segment_rules.days(self.days)
        return sql.SQL("SELECT p.lead_id, p.since + {} AS due_at FROM {} AND p.since > {}").format(
            literal(window), self._there(moment), literal(moment.now - window)
        )

    def clause(self, lang: str) -> str:
        rows = {row["key"]: row for row in SQL.phase_names.rows({"model": self.model})}
        column = "name" if lang == "ja" else "name_en"
        named = [(rows[key][column] or rows[key]["name"]) if key in rows else key for key in self.phases]
        if lang == "ja":
            listed = "・".join(f"「{name}」" for name in named)
            return f"フェーズ{listed}に{self.days}日以上いる" if self.days else f"フェーズが{listed}である"
        listed = " or ".join(f"“{name}”" for name in named)
        return f"phase has been {listed} for {self.days} days" if self.days else f"phase is {listed}"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.standing.row({"lead_id": lead_id, "model": self.model})
        return [Evidence(words(row["name"], row["name_en"] or row["name"]), row["since"])] if row else []

    @classmethod
    def offer(cls) -> Offer | None:
        models: Options = []
        phases: dict[str, Options] = {}
        for row in SQL.offered.rows():
            if row["model"] not in phases:
                models.append([row["model"], pick(row["model_name"], row["model_name_en"] or row["model_name"])])
            phases.setdefault(row["model"], []).append([row["key"], pick(row["name"], row["name_en"] or row["name"])])
        if not models:
            return None
        first = models[0][0]
        controls = [
            control("model", "select", options=models),
            control("phases", "multi", _("フェーズ"), by="model", options_by=phases),
            control("days", "number", _("日以上（空は問わない）"), optional=True, min=1, after=True),
        ]
        return Offer(110, {"model": first, "phases": phases[first][0][:1]}, controls)


class ActedSincePhase(Condition):
    """At least one act of the kinds since the lead came to its present phase of the model."""

    label_ja, label_en = "今のフェーズでの行動", "Act in the present phase"
    type: Literal["phase_activity"] = "phase_activity"
    model: Key
    kinds_: list[str] = Field(min_length=1, max_length=60, alias="kinds")

    def check(self) -> None:
        self.kinds()
        if not SQL.phase_names.rows({"model": self.model}):
            raise ConditionError(words("フェーズモデルがありません", "there is no such phase model"))

    def kinds(self) -> frozenset[int]:
        try:
            return codes(self.kinds_) | codes(("phase_moved",))
        except KeyError as error:
            raise ConditionError(words(f"行動{error}はありません", f"there is no activity {error}")) from error

    def causes(self) -> list[Cause]:
        return [Cause(codes(self.kinds_)), _moves(self.model)]

    def _acts(self, moment: Moment, acts: sql.Composable) -> sql.Composable:
        """FROM `acts` (activity a): those of the kinds since the lead came to its present phase."""
        return sql.SQL(
            "{} JOIN {} ON p.lead_id = a.lead_id AND p.model_id = (SELECT id FROM phase_model WHERE key = {})"
            " WHERE a.kind = ANY({}::smallint[]) AND a.at >= p.since AND {}"
        ).format(
            acts,
            moment.rows("lead_phase", "p"),
            literal(self.model),
            literal(sorted(codes(self.kinds_))),
            ledger.BY_A_PERSON,
        )

    def matching(self, moment: Moment) -> sql.Composable:
        so_far = moment.rows("activity", "a", sql.SQL("at <= {}").format(literal(moment.now)))
        return sql.SQL("SELECT a.lead_id FROM {}").format(self._acts(moment, so_far))

    def due(self, moment: Moment) -> sql.Composable:
        """When an act that is dated after now (a skewed clock) arrives."""
        return sql.SQL("SELECT a.lead_id, min(a.at) AS due_at FROM {} GROUP BY 1").format(
            self._acts(moment, moment.ahead("a"))
        )

    def clause(self, lang: str) -> str:
        found = [ledger_kinds.by_key(key) for key in self.kinds_]
        if lang == "ja":
            return f"今のフェーズになってから{'・'.join(kind.label_ja for kind in found)}がある"
        acts = " or ".join(kind.label_en.lower() for kind in found)
        return f"{acts} happened since they came to the present phase"
