"""Typed doors to the messages room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
