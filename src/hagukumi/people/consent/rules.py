"""The bases of 特定電子メール法 on which a person may be mailed, and how they weigh against each other."""

from dataclasses import dataclass

CHANNEL = "email"


@dataclass(frozen=True)
class Basis:
    """One lawful basis (Act on Regulation of Transmission of Specified Electronic Mail, art. 3)."""

    key: str
    label_ja: str
    label_en: str
    explicit: bool = False


BASES = (
    Basis("optin", "本人の同意（オプトイン）", "Opt-in by the person", explicit=True),
    Basis("card", "名刺など書面での通知", "Address given in writing (business card)"),
    Basis("relation", "取引関係", "Existing business relation"),
    Basis("published", "ウェブ等での公表", "Published without a refusal notice"),
)
GRANTING = frozenset(basis.key for basis in BASES)
OPT_OUT = "optout"

REASONS = {
    "unsubscribe": ("本人が配信停止", "Unsubscribed by the person"),
    "hard_bounce": ("宛先不明で不達", "The address does not exist"),
    "complaint": ("迷惑メール報告", "Reported as spam"),
    "manual": ("担当者が停止", "Stopped by staff"),
}
"""Why an address is suppressed: code -> (Japanese, English). `unsubscribe` and `manual` yield to the
person's own later opt-in."""


def label(basis: str, language: str = "ja") -> str:
    """The basis in words; 配信停止 for an opt-out, the code itself where it is unknown."""
    if basis == OPT_OUT:
        return "配信停止" if language == "ja" else "Opted out"
    found = next((one for one in BASES if one.key == basis), None)
    if not found:
        return basis
    return found.label_ja if language == "ja" else found.label_en
