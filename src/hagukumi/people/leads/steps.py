"""The heart's steps that keep lists of leads current: what they are searched by, when they last did something."""

from datetime import datetime

from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause

from . import kinds
from .queries import SQL

SEARCHED = (kinds.LEAD_CREATED, kinds.LEAD_IMPORTED, kinds.FIELD_CHANGED, kinds.LEAD_MERGED)


def refresh_search(now: datetime) -> int:
    """Step of the beat: recompute the search grams of touched leads whose facts changed."""
    codes = [kind.code for kind in SEARCHED]
    if not ledger.touched_kinds() & set(codes):
        return 0
    with ledger.by_index():
        return SQL.search_touched.run({"kinds": codes})


def refresh_recency(now: datetime) -> int:
    """Step of the beat: move touched leads' last own act forward, or back where that proved to be a machine's."""
    codes = [kind.code for kind in registry.own()]
    doubtful = [kind.code for kind in registry.own() if kind.doubtful]
    left = registry.by_key("visitor_left").code
    touched = ledger.touched_kinds()
    moved = 0
    if not touched.isdisjoint(codes):
        with ledger.by_index():
            moved = SQL.recency_touched.run({"kinds": codes, "doubtful": doubtful})
    if touched.isdisjoint([*doubtful, left]):
        return moved
    SQL.open_unsure.run()
    if SQL.fill_unsure.run({"doubtful": doubtful, "left": left}):
        moved += SQL.recency_back.run({"kinds": codes}) + SQL.recency_gone.run({"kinds": codes})
        SQL.clear_unsure.run()
    return moved


def causes() -> list[Cause]:
    """The facts that the lists stand on."""
    return [Cause(frozenset(kind.code for kind in (*SEARCHED, *registry.own(), registry.by_key("visitor_left"))))]
