"""Verbs of the leads room, by the names other rooms know. Each lives in the module named after what it does."""

from hagukumi.people.fields.profile import COLUMNS, GROUPS, RANKS, STATES, missing

from .editing import (
    CALL_RESULTS,
    add_note,
    addresses_sql,
    change_state,
    companies_changed,
    company_changed,
    edit,
    ids_sql,
    known_sql,
    log_call,
    make_nameless,
    tag_from,
    tag_preview,
    undo_tagging,
    untag_from,
)
from .steps import causes, refresh_recency, refresh_search

__all__ = [
    "CALL_RESULTS",
    "COLUMNS",
    "GROUPS",
    "RANKS",
    "STATES",
    "add_note",
    "addresses_sql",
    "causes",
    "change_state",
    "companies_changed",
    "company_changed",
    "edit",
    "ids_sql",
    "known_sql",
    "log_call",
    "make_nameless",
    "missing",
    "refresh_recency",
    "refresh_search",
    "tag_from",
    "tag_preview",
    "undo_tagging",
    "untag_from",
]
