"""The funnel's stages and the reverse calculation (M30): pure arithmetic, no database."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from hagukumi.channels.mail import kinds as messages
from hagukumi.collect.forms import kinds as forms
from hagukumi.collect.tracking import kinds as tracking
from hagukumi.sales.deals import kinds as deals
from hagukumi.sales.handovers import kinds as handovers


@dataclass(frozen=True)
class Stage:
    """One stage of the funnel: a lead has reached it when the ledger holds one of `kinds` (codes) of that person."""

    key: str
    label: object
    meaning: object
    kinds: tuple[int, ...]


STAGES = (
    Stage("lead", _("リード"), _("期間内に登録された見込み顧客"), ()),
    Stage(
        "reacted",
        _("反応あり"),
        _("クリック、フォーム回答、資料ダウンロード、Web閲覧のどれかがあった人"),
        tuple(kind.code for kind in (*messages.KINDS, *forms.KINDS, *tracking.KINDS) if kind.evidence),
    ),
    Stage("mql", _("MQL"), _("営業に引き渡した人"), (handovers.HANDOVER_CREATED.code,)),
    Stage("sql", _("SQL"), _("営業が受け入れた人"), (handovers.HANDOVER_ACCEPTED.code,)),
    Stage("deal", _("商談"), _("商談が作成された人"), (deals.DEAL_CREATED.code,)),
    Stage("won", _("受注"), _("受注した人"), (deals.DEAL_WON.code,)),
)


@dataclass(frozen=True)
class Step:
    """A stage with its people. `rate` (歩留まり) = people / the stage before, 0-1, None where that is empty."""

    stage: Stage
    people: int
    rate: float | None
    lost: int | None


def steps(counts: Sequence[int]) -> list[Step]:
    """Counts per stage, top first, as steps with the rate and the loss from the stage before."""
    found = []
    for position, (stage, people) in enumerate(zip(STAGES, counts, strict=True)):
        before = counts[position - 1] if position else None
        rate = people / before if before else None
        found.append(Step(stage, people, rate, before - people if before is not None else None))
    return found


class ImpossibleRateError(ValueError):
    """A rate of 0 (or none at all) stands between the target and the top: no number of leads is enough."""


def needed(target: int, rates: Sequence[float]) -> list[int]:
    """People needed per stage, top first, for `target` at the bottom: each stage = ceil(next / rate), upward.

    `rates` go from the top down, one between each two stages, 0 < rate <= 1. ImpossibleRateError otherwise.
    """
    counts = [target]
    for rate in reversed(rates):
        if not 0 < rate <= 1:
            raise ImpossibleRateError(rate)
        # 3 / 0.1 is 30.000000000000004 in binary floating point: round the noise off before the ceiling.
        counts.insert(0, math.ceil(round(counts[0] / rate, 9)))
    return counts
