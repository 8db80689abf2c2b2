"""The numbers of mail: 開封率, クリック率, CV率, 配信停止率, always over the mails sent (M28)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hagukumi.channels.unsubscribe.kinds import UNSUBSCRIBED

from . import kinds
from .reads import SQL

CONVERSION_DAYS = 7


@dataclass
class Figures:
    """Counts of one message in one JST month, or of many added up. Opens, clicks, CV and stops count people once."""

    message_id: int = 0
    month: date | None = None
    sent: int = 0
    failed: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    unsubscribed: int = 0
    suspect_opens: int = 0
    suspect_clicks: int = 0

    def rate(self, count: int) -> float | None:
        """0-1; None where nothing was sent."""
        return count / self.sent if self.sent else None

    @property
    def open_rate(self) -> float | None:
        return self.rate(self.opened)

    @property
    def click_rate(self) -> float | None:
        return self.rate(self.clicked)

    @property
    def conversion_rate(self) -> float | None:
        return self.rate(self.converted)

    @property
    def unsubscribe_rate(self) -> float | None:
        return self.rate(self.unsubscribed)

    @property
    def suspects(self) -> int:
        return self.suspect_opens + self.suspect_clicks


def by_message_and_month(first: datetime, last: datetime, answered: int) -> list[Figures]:
    """Of the mails sent in [first, last): one entry per message and JST month, newest month first.

    `answered` is the kind code of a form's answer (a conversion).
    """
    rows = SQL.kpis.rows(_codes(answered) | _window(first, last), sent=SQL.sent_facts.text)
    found = {(row["message_id"], row["month"]): Figures(**row) for row in rows}
    for row in SQL.failed_facts.rows({"failed": kinds.MAIL_FAILED.code, "first": first, "last": last}):
        key = (row["message_id"], row["month"])
        found.setdefault(key, Figures(message_id=key[0], month=key[1])).failed = row["failed"]
    return sorted(found.values(), key=lambda one: (one.month or date.min, one.sent), reverse=True)


def of_broadcast(message_id: int, broadcast_id: int, answered: int) -> Figures:
    """Of one broadcast."""
    params = _codes(answered) | {"message_id": message_id, "broadcast_id": broadcast_id}
    rows = SQL.kpis.rows(params, sent=SQL.sent_of_broadcast.text)
    return total([Figures(**row) for row in rows])


def total(parts: list[Figures]) -> Figures:
    """Counts added up (people who got two messages count in each)."""
    names = [name for name in Figures.__dataclass_fields__ if name not in ("message_id", "month")]
    return Figures(**{name: sum(getattr(part, name) for part in parts) for name in names})


def _codes(answered: int) -> dict[str, Any]:
    return {
        "opened": kinds.MAIL_OPENED.code, "clicked": kinds.MAIL_CLICKED.code, "unsubscribed": UNSUBSCRIBED.code,
        "answered": answered, "days": CONVERSION_DAYS,
    }  # fmt: skip


def _window(first: datetime, last: datetime) -> dict[str, Any]:
    return {"sent": kinds.MAIL_SENT.code, "first": first, "last": last}
