"""Where sending stands still because a server has something against us: kept for the screens and the next sender."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import reads, rules
from .queries import SQL


@dataclass(frozen=True)
class LineTrouble:
    """`sender` '' = every mail of the route. `reason`: a code of `rules.LINE_REASONS`; `reply`: the server's words."""

    sender: str
    reason: str
    reply: str
    since: datetime
    tries: int
    retry_at: datetime
    tried_at: datetime | None = None


def known(route: str) -> list[LineTrouble]:
    """What was written down of this route (host:port)."""
    return [LineTrouble(**row) for row in SQL.lines_of_route.rows({"route": route})]


def keep(route: str, changed: dict[str, LineTrouble | None]) -> None:
    """Write down what changed, by sender; None for a line that works again."""
    for sender, trouble in changed.items():
        if trouble is None:
            SQL.drop_line.run({"route": route, "sender": sender})
            continue
        SQL.keep_line.run(
            {
                "route": route,
                "sender": sender,
                "reason": trouble.reason,
                "reply": trouble.reply.replace("\x00", ""),
                "since": trouble.since,
                "tries": trouble.tries,
                "retry_at": trouble.retry_at,
            }
        )


def standing_still() -> list[dict[str, Any]]:
    """Lines that stand still, for a banner: the columns of `mail_line`, with `waiting` mails and `text`."""
    return [row | {"text": rules.line_text(row["reason"])} for row in reads.standing_lines()]
