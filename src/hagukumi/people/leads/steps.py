"""The heart's steps that keep lists of leads current: what they are searched by, when they last did something."""

from datetime import datetime

from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger

from . import kinds
from .queries import SQL

SEARCHED = (kinds.LEAD_CREATED, kinds.LEAD_IMPORTED, kinds.FIELD_CHANGED, kinds.LEAD_MERGED)


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
