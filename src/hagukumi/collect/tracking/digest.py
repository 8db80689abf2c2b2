"""The first step of a beat: what the collector took in becomes facts about people."""

import json
from datetime import datetime, timedelta
from typing import Any

from hagukumi.kit import tokens
from hagukumi.ledger import definitions
from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger
from hagukumi.people.identity import services as identity

from . import kinds, takers
from .queries import SQL, VERDICTS

BATCH = 20_000
REMEMBER = timedelta(days=4)
"""Longer than `collector.pipeline.PAST_SECONDS`: an event old enough to be forgotten here is not let in there."""


def step(now: datetime, batch: int = BATCH) -> int:
    """Digest the oldest inbox rows; returns how many. The number of statements does not depend on it."""
    SQL.open_digest.run()
    SQL.clear_digest.run()
    VERDICTS.open_verdicts.run()
    taken = SQL.take_inbox.run({"batch": batch})
    if not taken:
        return 0
    taken -= VERDICTS.hold_mail_acts.run({"now": now})
    SQL.mark_repeats.run({"now": now})
    SQL.make_visitors.run()
    with ledger.by_index():  # the digest's own table has no statistics: nested loops over it would be quadratic
        _judge_mail_acts()
        _join_arrivals(now)
    SQL.resolve_people.run()
    SQL.mark_unknown.run()
    _cause_facts()
    _hand_out(now)
    SQL.note_sites.run()
    SQL.count_drops.run()
    SQL.forget_events.run({"before": now - REMEMBER})
    return taken


def _judge_mail_acts() -> None:
    """Tell machines from readers; what this digest says of acts that are in the ledger already is said there."""
    clicked, opened = registry.by_key("mail_clicked").code, registry.by_key("mail_opened").code
    VERDICTS.clear_verdicts.run()
    if VERDICTS.judge_mail_acts.run({"clicked": clicked, "opened": opened, "trap": str(tokens.TRAP_LINK)}):
        VERDICTS.note_verdicts.run()
        ledger.judge(VERDICTS.changed_verdicts.text)


def _join_arrivals(now: datetime) -> None:
    arrived = SQL.arrivals.rows({"now": now, "clicked": registry.by_key("mail_clicked").code})
    if arrived:
        identity.join_visitors([(row["visitor_lead_id"], row["lead_id"]) for row in arrived], now)
        identity.note_arrivals([(row["visitor"], row["visitor_lead_id"]) for row in arrived])


def _cause_facts() -> None:
    SQL.keep_pages.run()
    SQL.cause_web_facts.run(
        {
            "view": kinds.PAGE_VIEW.code,
            "dwell": kinds.DWELL.code,
            "scroll": kinds.SCROLL.code,
            "download": kinds.DOWNLOAD.code,
            "custom": kinds.CUSTOM.code,
        }
    )
    clicked, opened = registry.by_key("mail_clicked"), registry.by_key("mail_opened")
    SQL.cause_mail_facts.run({"clicked": clicked.code, "opened": opened.code})
    ledger.record_pending(ledger.LIVE)  # however many: they have just happened


def _hand_out(now: datetime) -> None:
    present = {row["kind"] for row in SQL.kinds_taken.rows()}
    turn = definitions.turn("digest", now)
    for number, (kind, take) in enumerate(takers.every()):
        if kind not in present:
            continue
        taken = False
        if not turn.skips(number):
            with turn.attempt(number):
                take(_rows(kind), now)
                taken = True
        if not taken:  # nothing that was acknowledged is lost: it waits in the inbox for the next try
            SQL.put_back.run({"kind": kind})


def _rows(kind: str) -> list[dict[str, Any]]:
    rows = SQL.waiting_for_taker.rows({"kind": kind})
    return [{**row, "details": json.loads(row["details"] or "{}")} for row in rows]
