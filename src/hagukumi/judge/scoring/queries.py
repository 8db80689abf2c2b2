"""Typed doors to the scores' named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
