"""What the homes show: today's work of marketing and of sales, each by a few plain queries."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hagukumi.collect.forms import kinds as forms
from hagukumi.judge.phases import kinds as phases
from hagukumi.judge.scoring import kinds as scoring
from hagukumi.kit.clock import jst_date, jst_midnight
from hagukumi.kit.sql import Queries
from hagukumi.people.leads import kinds as leads
from hagukumi.sales.handovers import kinds as handovers

SQL = Queries(__file__, "reads.sql")
Row = dict[str, Any]
COUNTED = {
    "leads": leads.LEAD_CREATED.code,
    "answers": forms.FORM_SUBMITTED.code,
    "crossed": scoring.SCORE_CROSSED.code,
    "moved": phases.PHASE_MOVED.code,
    "handed": handovers.HANDOVER_CREATED.code,
}
MOVING = (phases.PHASE_MOVED.code, scoring.SCORE_CROSSED.code, forms.FORM_SUBMITTED.code)


@dataclass(frozen=True)
class Day:
    """The JST day of an instant: `since` and `until` its UTC edges."""

    now: datetime
    today: date
    since: datetime
    until: datetime

    @classmethod
    def of(cls, now: datetime) -> "Day":
        today = jst_date(now)
        return cls(now, today, jst_midnight(today), jst_midnight(today + timedelta(days=1)))


def counts(day: Day) -> dict[str, int]:
    """Today's numbers by the names of COUNTED: people, for new leads, answers, crossings, moves and handovers."""
    kinds = {"kinds": list(COUNTED.values()), "phase_moved": phases.PHASE_MOVED.code}
    found = SQL.home_counts.rows({**kinds, "since": day.since, "now": day.now})
    people = {row["kind"]: row["people"] for row in found}
    return {name: people.get(code, 0) for name, code in COUNTED.items()}


def moves(day: Day, *, days: int = 1, limit: int = 12) -> list[Row]:
    """Phase moves, score crossings and form answers of the last `days` JST days, of the `limit` people who moved last.

    By person, the newest first; `moved` says how many people there are in all.
    """
    return SQL.home_moves.rows(
        {
            "kinds": list(MOVING),
            "since": day.since - timedelta(days=days - 1),
            "now": day.now,
            "limit": limit,
            "phase_moved": phases.PHASE_MOVED.code,
            "form_submitted": forms.FORM_SUBMITTED.code,
        }
    )


def sends(day: Day) -> list[Row]:
    """Today's mails, one row a message: waiting, sent, failed, skipped, unknown."""
    return SQL.home_sends.rows({"since": day.since, "until": day.until})


def scenarios() -> list[Row]:
    """Running and paused scenarios: id, name, state, active, done."""
    return SQL.home_scenarios.rows()


def answered(day: Day, *, days: int = 7) -> list[Row]:
    """Live forms and their answers of the last `days` days."""
    return SQL.home_forms.rows({"since": day.since - timedelta(days=days - 1)})


def stuck(day: Day) -> Row:
    """Counts of what waits for a person: unknown, set_aside, imports (failed in the last 7 days)."""
    return SQL.home_stuck.row({"since": day.since - timedelta(days=7)}) or {}


def hot(user_id: int, *, limit: int = 10) -> list[Row]:
    """The highest scores among the seller's own leads and those without an owner, that have no open deal."""
    return SQL.home_hot.rows({"user_id": user_id, "limit": limit})


def own_deals(user_id: int, day: Day, *, limit: int = 10) -> list[Row]:
    """The seller's open deals, the next to close first."""
    return SQL.home_deals.rows({"user_id": user_id, "today": day.today, "limit": limit})


def deal_counts(day: Day) -> Row:
    """open, open_yen of all; won, won_yen since the first of this JST month."""
    return SQL.home_deal_counts.row({"since": jst_midnight(day.today.replace(day=1))}) or {}


def begun() -> Row:
    """Which first steps of a new workspace are done: leads, forms, sites, senders."""
    return SQL.home_begun.row() or {}
