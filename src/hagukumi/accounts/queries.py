"""Typed doors to the accounts room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
