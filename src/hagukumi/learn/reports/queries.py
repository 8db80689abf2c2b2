"""Typed doors to the reports room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
