"""Joining an anonymous visitor to the person it turned out to be."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger

from .queries import SQL


def join_visitors(pairs: Sequence[tuple[int, int]], now: datetime) -> int:
    """Join each (anonymous lead_id, known lead_id); returns how many were joined.

    What was done moves over with `origin_lead_id`, the visitor's identities point to the person, the anonymous row is
    closed as merged. Pairs that are joined already, or whose left side is known, are left alone.
    """
    if not pairs:
        return 0
    with transaction.atomic():
        ledger.open_beat_tables()
        joined = SQL.join_visitors.run(
            {
                "anons": [anon for anon, _ in pairs],
                "persons": [person for _, person in pairs],
                "now": now,
                "kind": registry.by_key("visitor_joined").code,
            }
        )
        ledger.record_pending()
    return joined


def note_arrivals(browsers: Sequence[tuple[str, int]]) -> None:
    """Remember that a mail alone has tied each (visitor, the anonymous lead it was): mail is passed on."""
    SQL.note_arrivals.run({"visitors": [visitor for visitor, _ in browsers], "leads": [lead for _, lead in browsers]})


def take_browsers(pairs: Sequence[tuple[str, int]], now: datetime) -> int:
    """Each (visitor, lead_id) has named itself in a form: the browser is theirs from now on, whoever's it was.

    Where a mail alone had tied it to somebody else, what was done there may be anybody's: it goes back to a visitor
    without a name, and counts for neither. Returns how many browsers changed hands.
    """
    if not pairs:
        return 0
    params = {"visitors": [visitor for visitor, _ in pairs], "persons": [person for _, person in pairs], "now": now}
    with transaction.atomic():
        ledger.open_beat_tables()
        ledger.record_pending()
        left = registry.by_key("visitor_left").code
        SQL.leave_doubtful.run({**params, "kind": left})
        taken = SQL.take_browsers.run(params)
        SQL.forget_arrivals.run(params)
        ledger.record_pending()
    return taken
