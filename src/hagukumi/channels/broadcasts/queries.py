"""Typed doors to the broadcasts' named SQL; and how the outbox's gate sees a broadcast."""

from datetime import timedelta

from psycopg import sql

from hagukumi.kit.sql import Queries, share

from .rules import CARRY_DAYS

BATCHES = sql.SQL(
    "SELECT id AS broadcast_id, message_id, state,"
    " coalesce(carry_until, coalesce(started_at, scheduled_at, %(now)s::timestamptz) + {days}) AS carry_until"
    " FROM broadcast"
).format(days=sql.Literal(timedelta(days=CARRY_DAYS)))
"""What was sent as one: whether it is held or cancelled, and until when its share over the daily cap is carried over.

Named SQL of the outbox writes it `{batches}`: the outbox stands below and knows no broadcast.
"""
share("batches", BATCHES)
SQL = Queries(__file__)
