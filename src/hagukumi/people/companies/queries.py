"""Typed doors to the companies room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
