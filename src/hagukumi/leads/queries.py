"""Typed doors to the leads room's named SQL: lists and edits (`SQL`), taking people in (`INTAKE`)."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
INTAKE = Queries(__file__, "intake.sql")
