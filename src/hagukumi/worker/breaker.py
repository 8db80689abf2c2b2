"""The breaker: where a server's word is about us, the line stands still and no recipient pays for it.

A line is a route (server) and a sender on it; sender '' stands for the route as a whole. After trouble it is left alone
for a while that grows with each failure, then one mail is sent as a probe; a mail that goes through opens it again.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hagukumi.channels.mail import replies
from hagukumi.channels.mail.lines import LineTrouble
from hagukumi.kit.smtp import Outcome

ROUTE = ""
WAITS = (15, 30, 60, 120, 300, 600, 1800)
"""Seconds until the next probe after the 1st, 2nd, … failure in a row; the last holds from then on."""
BUSY_IN_A_ROW = 3
"""So many recipients answered with 421 one after another are the server's state, not theirs."""
_REMEMBERED = 10_000


@dataclass
class Breaker:
    """What one sender process knows of its lines. `changed`: lines to write down; None for one that works again."""

    lines: dict[str, LineTrouble] = field(default_factory=dict)
    changed: dict[str, LineTrouble | None] = field(default_factory=dict)
    _went_through: dict[str, int] = field(default_factory=dict)
    _refused_at: dict[int, int] = field(default_factory=dict)
    _busy: set[int] = field(default_factory=set)

    @property
    def is_watching(self) -> bool:
        """Whether a mail that goes through would change what is known: else it need not be told."""
        return bool(self._busy or self._refused_at)

    def is_shut(self, now: datetime) -> bool:
        """Whether the whole route waits."""
        line = self.lines.get(ROUTE)
        return line is not None and line.retry_at > now

    def shut(self) -> list[str]:
        """Senders of whom nothing but probes may go."""
        return [sender for sender in list(self.lines) if sender != ROUTE]

    def to_probe(self, now: datetime) -> list[str]:
        """Lines whose wait is over (while the route waits, that alone); each is put off until its probe has told."""
        asked = [ROUTE] if ROUTE in self.lines else list(self.lines)
        due = [sender for sender in asked if self.lines[sender].retry_at <= now]
        for sender in due:
            line = self.lines[sender]
            self.lines[sender] = replace(line, retry_at=now + _wait(line.tries))
        return due

    def judge(self, outcome: Outcome, sender: str, now: datetime) -> Outcome:
        """Take note of what became of one mail of `sender`; where it was the line, the mail comes back as unsent.

        A recipient who is refused in the line's name again and again, though other mails go through, is taken at that:
        their tries count.
        """
        if outcome.result == "sent":
            self._works(sender)
        if outcome.result not in ("soft", "hard", "unsent") or outcome.stage in ("render", "law", "address", "connect"):
            return outcome
        if outcome.reply.startswith("421") and outcome.stage != "mail":
            self._busy.add(outcome.key)
            if len(self._busy) >= BUSY_IN_A_ROW:
                self.fails(ROUTE, "busy", outcome.reply, now)
            return outcome
        meaning = replies.meaning(outcome.reply, outcome.stage)
        if not outcome.reply[:3].isdigit():
            return outcome
        if meaning.kind != "line":
            self._opens(sender)  # it has an opinion on a recipient: so it takes our mail
            return outcome
        through = self._went_through.get(sender, 0)
        if self._refused_at.get(outcome.key, through) < through:
            return outcome._replace(result="soft")
        if len(self._refused_at) > _REMEMBERED:
            self._refused_at.clear()
        self._refused_at[outcome.key] = through
        self.fails(sender, meaning.reason, outcome.reply, now)
        return outcome._replace(result="unsent")

    def fails(self, sender: str, reason: str, reply: str, now: datetime) -> None:
        """The line (or, with `ROUTE`, every line) does not work now."""
        known = self.lines.get(sender)
        if known is not None and known.tried_at is not None and now - known.tried_at < timedelta(seconds=1):
            return  # mails that were in flight together tell one thing
        tries = known.tries + 1 if known else 1
        since = known.since if known else now
        line = LineTrouble(sender, reason, reply[:300], since, tries, now + _wait(tries), now)
        self.lines[sender] = self.changed[sender] = line

    def _works(self, sender: str) -> None:
        self._went_through[sender] = self._went_through.get(sender, 0) + 1
        self._busy.clear()
        self._opens(sender)

    def _opens(self, sender: str) -> None:
        for line in (ROUTE, sender):
            if self.lines.pop(line, None) is not None:
                self.changed[line] = None


def _wait(tries: int) -> timedelta:
    return timedelta(seconds=WAITS[min(tries, len(WAITS)) - 1])
