"""What both teams agreed: why a deal is lost, which stages a deal walks through."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

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
