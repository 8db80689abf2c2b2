"""Typed doors to the segments' named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
