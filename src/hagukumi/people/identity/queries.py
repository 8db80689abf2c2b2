"""Typed doors to the identity room's named SQL: taking people in (`INTAKE`), joining visitors (`SQL`)."""

from hagukumi.kit.columns import sql_lists
from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
INTAKE = Queries(__file__, "intake.sql", sql_lists())
