"""The gate: may this go to this person, by this channel, now? One statement for the preview and for the real thing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hagukumi.kit import clock

from . import rules
from .channel import Channel
from .queries import SQL


@dataclass(frozen=True)
class Audience:
    """What the gate would do now: `going` people would get it, `skipped` maps reason codes to people."""

    going: int
    skipped: dict[str, int]

    @property
    def total(self) -> int:
        return self.going + sum(self.skipped.values())


def verdicts(channel: Channel, picked: str) -> str:
    """The gate's statement for the rows of `picked`; its parameters are `params` and those of `picked`."""
    return SQL.verdicts.compose(
        picked=picked,
        messages=channel.messages,
        address=channel.address,
        unsendable=channel.unsendable,
        cap=channel.cap,
    )


def params(channel: Channel, now: datetime) -> dict[str, Any]:
    """What the gate is asked with at `now`: the daily cap is of its JST day."""
    return {
        "channel": channel.key,
        "now": now,
        "day_start": clock.jst_midnight(clock.jst_date(now)),
        "next_day": rules.carry_over(now),
    }


def preview(channel: Channel, picked: str, now: datetime, **more: Any) -> Audience:
    """How the rows of `picked` (with its parameters in `more`) would fare at `now`."""
    rows = SQL.gate_preview.rows(params(channel, now) | more, judged=verdicts(channel, picked))
    found = {row["verdict"]: row["people"] for row in rows}
    return Audience(found.pop("", 0), found)
