"""Typed doors to the privacy room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
