"""Joining an anonymous visitor to the person it turned out to be; and the heart's steps that keep lists current."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger

from . import kinds
from .queries import SQL

SEARCHED = (kinds.LEAD_CREATED, kinds.LEAD_IMPORTED, kinds.FIELD_CHANGED, kinds.LEAD_MERGED)


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


def refresh_search(now: datetime) -> int:
    """Step of the beat: recompute the search grams of touched leads whose facts changed."""
    codes = [kind.code for kind in SEARCHED]
    if not ledger.touched_kinds() & set(codes):
        return 0
    return SQL.search_touched.run({"kinds": codes})


def refresh_recency(now: datetime) -> int:
    """Step of the beat: move touched leads' last own act forward, or back where that proved to be a machine's."""
    codes = [kind.code for kind in registry.own()]
    touched = ledger.touched_kinds() & set(codes)
    if not touched:
        return 0
    doubtful = [kind.code for kind in registry.own() if kind.doubtful]
    params = {"kinds": codes, "doubtful": doubtful}
    moved = SQL.recency_touched.run(params)
    if not touched.isdisjoint(doubtful):
        moved += SQL.recency_back.run(params) + SQL.recency_gone.run(params)
    return moved
