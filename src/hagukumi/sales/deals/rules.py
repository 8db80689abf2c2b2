"""What both teams agreed: why a handover comes back, why a deal is lost, which stages a deal walks through."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

RETURN_REASONS = {
    "no_answer": _("連絡がつかない"),
    "not_now": _("時期が先"),
    "no_need": _("課題が合わない"),
    "no_budget": _("予算がない"),
    "not_decider": _("決裁に関わらない"),
    "wrong_target": _("対象外の企業"),
}
LOSS_REASONS = {
    "price": _("価格"),
    "competitor": _("競合に決定"),
    "postponed": _("導入見送り・延期"),
    "function": _("機能不足"),
    "silent": _("連絡途絶"),
}


@dataclass(frozen=True)
class Stage:
    key: str
    name: str
    name_en: str
    position: int


STAGES = (
    Stage("approach", "アプローチ", "Approach", 0),
    Stage("hearing", "ヒアリング", "Discovery", 1),
    Stage("proposal", "提案・見積", "Proposal", 2),
    Stage("closing", "最終調整", "Closing", 3),
)


def answer_due(now: datetime, sla_hours: int) -> datetime:
    """When sales has promised to have answered a handover made at `now`: `sla_hours` of clock time later."""
    return now + timedelta(hours=sla_hours)
