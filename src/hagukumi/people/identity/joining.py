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
