"""What a channel (mail; later LINE, SMS, push) gives the outbox: one value, registered once in `app/wiring.py`.

The outbox queues, judges, claims, retries and remembers for all of them; a channel says what its messages are, where a
lead is reached by it, how one is handed over, and what the other side's words mean. See ADR 23.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.utils.functional import Promise

from hagukumi.ledger.kinds import Kind

from . import rules


@dataclass(slots=True)
class Job:
    """One message in hand: its send key, token number, and the person's columns for personalisation."""

    lead_id: int
    message_id: int
    occurrence: str
    id: int
    attempts: int
    address: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What became of a job. `end`: sent; unknown (in doubt, never sent again by itself); later (a soft failure: the
    retries decide); failed (for good); unoffered (never handed over, through no fault of its own: soon again).

    `reason`: a code of the channel or the outbox; `receipt`: the other side's words; `dead`: the address leads to
    nobody, and is never written to again.
    """

    end: Literal["sent", "unknown", "later", "failed", "unoffered"]
    reason: str = ""
    receipt: str = ""
    dead: bool = False


@dataclass(frozen=True)
class Channel:
    """One way of reaching a lead. The texts are SQL over the row `l` of `lead` (NULLs where the lead is gone).

    `key`: as consent and suppressions name it, at most 12 characters. `sent`, `failed`: the kinds of the facts, whose
    object is the message. `messages`: SELECT message_id, kind (marketing or operational), unfit (a reason code for
    which none of it may go, '' = fit) of every message; ids are drawn from the sequence `message_id_seq`.
    `address`: where the lead is reached, '' for nowhere; `unsendable`: whether that can be no address. `cap`: marketing
    messages a person may get in a JST day, 0 = any number. `unproven`: over `d` (delivery) and `l`, whether the address
    may be somebody else's. `reasons`: the channel's own codes in words; `resendable`: which of them may be sent again.
    `author`: in whose name a message goes out, for the page that stops it. `hand_over`: gives jobs to the other side
    and says what became of each, in order; it may block. None: the channel has a sender of its own in `worker`.
    """

    key: str
    sent: Kind
    failed: Kind
    messages: str
    address: str
    author: Callable[[int], str]
    unsendable: str = "false"
    cap: str = "0"
    unproven: str = "false"
    reasons: Mapping[str, str | Promise] = field(default_factory=dict)
    resendable: frozenset[str] = frozenset()
    hand_over: Callable[[Sequence[Job], datetime], Sequence[Result]] | None = None


_CHANNELS: dict[str, Channel] = {}


def register(channel: Channel) -> None:
    """Add a channel to the house; the same key for two is a ValueError."""
    if _CHANNELS.setdefault(channel.key, channel) is not channel:
        raise ValueError(f"channel {channel.key} is registered twice")


def every() -> list[Channel]:
    """All channels, in the order of registration."""
    return list(_CHANNELS.values())


def of(key: str) -> Channel:
    """The channel of a delivery. KeyError for one that nobody registered."""
    return _CHANNELS[key]


def reason_text(code: str, key: str = "") -> str:
    """A reason code in words, in the language in force: as channel `key` says it, or the first that knows it."""
    for channel in [_CHANNELS[key]] if key in _CHANNELS else every():
        if code in channel.reasons:
            return str(channel.reasons[code])
    return str(rules.REASONS.get(code, code))


def resendable(code: str) -> bool:
    """Whether all that failed for this reason may be sent again at once."""
    return code in rules.RESENDABLE or any(code in channel.resendable for channel in every())
