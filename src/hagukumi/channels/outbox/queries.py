"""Typed doors to the outbox's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
