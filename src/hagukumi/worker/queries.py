"""Typed doors to the worker's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
