"""Verbs of identity, by the names other rooms know."""

from .intake import RowError, upsert_people
from .joining import join_visitors, note_arrivals, take_browsers

__all__ = ["RowError", "join_visitors", "note_arrivals", "take_browsers", "upsert_people"]
