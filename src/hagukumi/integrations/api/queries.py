"""Typed doors to the API's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
