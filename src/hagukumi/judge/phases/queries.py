"""Typed doors to the phases' named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
