"""What the learn screens read: every number comes from the ledger (ADR: definitions in docs/numbers.md)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hagukumi.kit import clock
from hagukumi.kit.sql import Queries
from hagukumi.people.leads import kinds as leads
from hagukumi.sales.deals import kinds as deals
from hagukumi.sales.handovers import kinds as handovers

from .models import Plan
from .rules import STAGES, Step, needed, steps

SQL = Queries(__file__, "reads.sql")


@dataclass(frozen=True)
class Window:
    """A period in JST dates, `last` inclusive, and optionally one source."""

    first: date
    last: date
    source_id: int | None = None

    @property
    def params(self) -> dict[str, Any]:
        day_after = date.fromordinal(self.last.toordinal() + 1)
        return {
            "first": clock.jst_midnight(self.first),
            "last": clock.jst_midnight(day_after),
            "source_id": self.source_id,
        }


def funnel(window: Window, until: datetime) -> list[Step]:
    """The leads that became known in the window, and how far they have come by `until`, stage by stage."""
    kinds = [(kind, position) for position, stage in enumerate(STAGES) for kind in stage.kinds]
    rows = SQL.funnel.rows(
        {
            **window.params,
            "until": until,
            "kinds": [kind for kind, _ in kinds],
            "stages": [position for _, position in kinds],
            "top": len(STAGES) - 1,
        }
    )
    counts = {row["position"]: row["people"] for row in rows}
    return steps([counts.get(position, 0) for position in range(len(STAGES))])


def happened(window: Window) -> dict[str, dict[str, Any]]:
    """Facts, people and amount of the window per kind key, whenever the people became known."""
    wanted = (
        leads.LEAD_CREATED,
        handovers.HANDOVER_CREATED,
        handovers.HANDOVER_ACCEPTED,
        handovers.HANDOVER_RETURNED,
        deals.DEAL_CREATED,
        deals.DEAL_WON,
        deals.DEAL_LOST,
    )
    found = {row["kind"]: row for row in SQL.happened.rows({**window.params, "kinds": [kind.code for kind in wanted]})}
    nothing = {"facts": 0, "people": 0, "amount": 0}
    return {kind.key: found.get(kind.code, nothing) for kind in wanted}


def source_yield(window: Window) -> list[dict[str, Any]]:
    """Per source: leads, mql, sql, deals, won (people of the window's cohort), won_yen, cost, and derived figures."""
    won = deals.DEAL_WON.code
    deal = [won, deals.DEAL_CREATED.code]
    accepted = [*deal, handovers.HANDOVER_ACCEPTED.code]
    params = {"won": won, "deal": deal, "sql": accepted, "mql": [*accepted, handovers.HANDOVER_CREATED.code]}
    rows = SQL.source_yield.rows({**window.params, **params})
    for row in rows:
        row["cost_per_lead"] = round(row["cost_yen"] / row["leads"]) if row["leads"] and row["cost_yen"] else None
        row["win_rate"] = row["won"] / row["leads"] if row["leads"] else None
        row["return_on_cost"] = row["won_yen"] / row["cost_yen"] if row["cost_yen"] else None
    return rows


def monthly(window: Window) -> list[dict[str, Any]]:
    """Per JST month: leads, mql, deals, won, won_yen."""
    kinds = {
        "created": leads.LEAD_CREATED.code,
        "mql": handovers.HANDOVER_CREATED.code,
        "deal": deals.DEAL_CREATED.code,
        "won": deals.DEAL_WON.code,
    }
    return SQL.monthly.rows({**window.params, **kinds, "kinds": list(kinds.values())})


@dataclass(frozen=True)
class ReversePlan:
    """How many people each stage needs for the target; `short_at` is the stage whose rate most wants mending."""

    target: int
    rates: list[float]
    needed: list[int]
    have: list[int]
    advice: str


def reverse_plan(target: int, rates: list[float], have: list[Step]) -> ReversePlan:
    """From a 受注 target upward. `advice`: 'enough', 'collect' (too few at the top) or 'nurture' (lost on the way)."""
    wanted = needed(target, rates)
    now = [step.people for step in have]
    if now[-1] >= target:
        advice = "enough"
    elif now[0] < wanted[0]:
        advice = "collect"
    else:
        advice = "nurture"
    return ReversePlan(target, rates, wanted, now, advice)


def live_rates(found: list[Step]) -> list[float]:
    """The measured rates from the top down, 0 where a stage was never reached."""
    return [step.rate or 0.0 for step in found[1:]]


def plan() -> Plan | None:
    """The target that was kept last."""
    return Plan.objects.order_by("-month").first()
