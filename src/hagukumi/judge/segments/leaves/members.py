"""The leaf of being in another segment."""

from datetime import datetime
from typing import Literal

from psycopg import sql

from hagukumi.judge.segments.conditions import Condition, ConditionError, Evidence, Moment, codes, literal, words
from hagukumi.judge.segments.controls import Offer, control
from hagukumi.judge.segments.queries import SQL
from hagukumi.ledger.causes import Cause

from .common import Id, names, quoted


class InSegment(Condition):
    label_ja, label_en = "セグメント", "Segment"
    type: Literal["segment"] = "segment"
    segment: Id

    def kinds(self) -> frozenset[int]:
        return codes(("segment_entered", "segment_left"))

    def causes(self) -> list[Cause]:
        return [Cause(self.kinds(), sql.SQL("object_id = {}").format(literal(self.segment)))]

    def points_to(self) -> list[tuple[str, int]]:
        return [("segment", self.segment)]

    def check(self) -> None:
        if not SQL.in_use.value({"id": self.segment}):
            raise ConditionError(words("選んだセグメントはもうありません", "the chosen segment is gone"))

    def matching(self, moment: Moment) -> sql.Composable:
        return sql.SQL("SELECT m.lead_id FROM {} WHERE m.segment_id = {}").format(
            moment.rows("segment_member", "m"), literal(self.segment)
        )

    def clause(self, lang: str) -> str:
        said = quoted(names("segment", [self.segment]), lang)
        return f"セグメント{said}に入っている" if lang == "ja" else f"segment {said} includes them"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        row = SQL.member_since.row({"lead_id": lead_id, "segment_id": self.segment})
        return [Evidence(words("セグメントに入った", "entered the segment"), row["since"])] if row else []

    @classmethod
    def offer(cls) -> Offer | None:
        shown = [[row["id"], row["name"]] for row in SQL.offered.rows()]
        if not shown:
            return None
        return Offer(120, {"segment": shown[0][0]}, [control("segment", "select", options=shown, number=True)])
