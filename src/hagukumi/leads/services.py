"""Verbs of the leads room, by the names other rooms know. Each lives in the module named after what it does."""

from .editing import (
    CALL_RESULTS,
    add_note,
    addresses_sql,
    change_state,
    company_changed,
    edit,
    ids_sql,
    known_sql,
    log_call,
    tag_from,
    tag_preview,
    undo_tagging,
    untag_from,
)
from .imports import ask_cancel, find_or_make_source
from .intake import RowError, upsert_people
from .joining import join_visitors, refresh_recency, refresh_search
from .listing import Filters, cards, chosen_sql, colleagues, count, export_rows, page, tags
from .profile import COLUMNS, GROUPS, RANKS, STATES, missing
from .timeline import Entry, Timeline, Visit, timeline
from .timeline import groups as timeline_groups
from .timeline import named as name_facts
from .timeline import page as timeline_page

__all__ = [
    "CALL_RESULTS",
    "COLUMNS",
    "GROUPS",
    "RANKS",
    "STATES",
    "Entry",
    "Filters",
    "RowError",
    "Timeline",
    "Visit",
    "add_note",
    "addresses_sql",
    "ask_cancel",
    "cards",
    "change_state",
    "chosen_sql",
    "colleagues",
    "company_changed",
    "count",
    "edit",
    "export_rows",
    "find_or_make_source",
    "ids_sql",
    "join_visitors",
    "known_sql",
    "log_call",
    "missing",
    "name_facts",
    "page",
    "refresh_recency",
    "refresh_search",
    "tag_from",
    "tag_preview",
    "tags",
    "timeline",
    "timeline_groups",
    "timeline_page",
    "undo_tagging",
    "untag_from",
    "upsert_people",
]
