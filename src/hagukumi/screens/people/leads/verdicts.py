"""Who is held to have done an open or a click, in words: a person, perhaps a machine, a machine; and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SAID = {"bot": gettext_lazy("機械と思われます"), "suspect": gettext_lazy("機械かもしれません")}
NAMES = {"human": gettext_lazy("本人の行動"), **SAID}
WHY = {
    "trap": gettext_lazy("人には見えないリンクが開かれました"),
    "agent": gettext_lazy("ブラウザーではなく検査プログラムと名乗りました"),
    "prefetch": gettext_lazy("先読みの要求でした"),
    "network": gettext_lazy("データセンターのネットワークから開かれました"),
    "burst": gettext_lazy("いくつものリンクが数秒のうちに開かれました"),
    "early": gettext_lazy("送信から2秒以内でした"),
    "unopened": gettext_lazy("画像が読まれる前にクリックされました"),
    "staff": gettext_lazy("担当者の判断"),
}
"""Why the tracking room (`collect.tracking`) or the collector has judged so, by the code that stands on the act."""


@dataclass(frozen=True)
class Verdict:
    """What is thought of one act. `said`: the judgement and its reason, '' where there is nothing to say.

    `by` is "human", "suspect" or "bot"; `other` is what a member of staff may say against it, `offer` in words.
    """

    by: str
    said: str
    other: str
    offer: str


def of(details: Mapping[str, Any]) -> Verdict:
    """The verdict that stands on an act's details."""
    by, why = details.get("by", ""), details.get("why", "")
    if by in SAID:
        reason = WHY.get(why)
        said = _("%(verdict)s（%(why)s）") % {"verdict": SAID[by], "why": reason} if reason else str(SAID[by])
        return Verdict(by, said, "human", _("本人の行動"))
    said = _("本人の行動（担当者の判断）") if why == "staff" else ""
    return Verdict("human", said, "bot", _("機械"))
