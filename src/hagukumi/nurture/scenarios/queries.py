"""Typed doors to the scenarios' named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
