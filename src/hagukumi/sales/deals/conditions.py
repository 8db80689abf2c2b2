"""The leaf that speaks of deals."""

from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _
from psycopg import sql

from hagukumi.judge.segments.conditions import Condition, Evidence, Moment, codes, literal
from hagukumi.judge.segments.controls import Offer, control, pairs
from hagukumi.judge.segments.rules import OUTCOMES

from .queries import READS


class HasDeal(Condition):
    """Has a deal that is open, won or lost."""

    label_ja, label_en = "商談", "Deal"
    type: Literal["deal"] = "deal"
    outcome: Literal["open", "won", "lost"]

    def kinds(self) -> frozenset[int]:
        return codes(("deal_created", "deal_won", "deal_lost"))

    def matching(self, moment: Moment) -> sql.Composable:
        outcome = "" if self.outcome == "open" else self.outcome
        return sql.SQL("SELECT d.lead_id FROM {} WHERE d.outcome = {}").format(
            moment.rows("deal", "d"), literal(outcome)
        )

    def clause(self, lang: str) -> str:
        ja, en = OUTCOMES[self.outcome]
        if lang == "ja":
            return "進行中の商談がある" if self.outcome == "open" else f"{ja}した商談がある"
        return "a deal is open" if self.outcome == "open" else f"a deal was {en}"

    def evidence(self, lead_id: int, now: datetime) -> list[Evidence]:
        outcome = "" if self.outcome == "open" else self.outcome
        rows = READS.deals_with_outcome.rows({"lead_id": lead_id, "outcome": outcome})
        return [Evidence(row["name"], row["at"]) for row in rows]

    @classmethod
    def offer(cls) -> Offer | None:
        return Offer(
            90, {"outcome": "open"}, [control("outcome", "select", _("次の商談がある"), options=pairs(OUTCOMES))]
        )
