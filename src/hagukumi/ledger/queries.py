"""Typed doors to the ledger's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
