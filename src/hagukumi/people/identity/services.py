"""Verbs of identity, by the names other rooms know."""

from .intake import RowError, upsert_people
from .joining import join_visitors

__all__ = ["RowError", "join_visitors", "upsert_people"]
