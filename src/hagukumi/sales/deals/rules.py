"""What both teams agreed: why a deal is lost, which stages a deal walks through."""

from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext_lazy as _

LOSS_REASONS = {
    "price": _("価格"),
    "competitor": _("競合に決定"),
    "postponed": _("導入見送り・延期"),
    "function": _("機能不足"),
    "silent": _("連絡途絶"),
}


def reason_key(text: str) -> str:
    """The key of the agreed reason that these words are, in whichever language; other words stay as they are."""
    plain = text.strip()
    for language in ("ja", "en"):
        with translation.override(language):
            for key, label in LOSS_REASONS.items():
                if plain == str(label):
                    return key
    return plain


def reason(kept: str) -> str:
    """Why a deal was closed, in the reader's language where it is an agreed reason, else as it was written."""
    return str(LOSS_REASONS.get(reason_key(kept), kept))


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
