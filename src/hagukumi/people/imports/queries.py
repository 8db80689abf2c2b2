"""Typed door to the imports room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
