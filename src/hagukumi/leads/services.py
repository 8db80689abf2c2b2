"""Verbs of the leads room, by the names other rooms know. Each lives in the module named after what it does."""

from .editing import (
    CALL_RESULTS,
    add_note,
    change_state,
    edit,
    ids_sql,
    log_call,
    tag_from,
    undo_tagging,
    untag_from,
)
from .joining import join_visitors, refresh_recency, refresh_search
from .listing import Filters, cards, chosen_sql, count, page
from .timeline import timeline

__all__ = [
    "CALL_RESULTS",
    "Filters",
    "add_note",
    "cards",
    "change_state",
    "chosen_sql",
    "count",
    "edit",
    "ids_sql",
    "join_visitors",
    "log_call",
    "page",
    "refresh_recency",
    "refresh_search",
    "tag_from",
    "timeline",
    "undo_tagging",
    "untag_from",
]
