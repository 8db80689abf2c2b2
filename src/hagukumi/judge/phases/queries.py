"""Typed doors to the phases' named SQL."""

from psycopg import sql

from hagukumi.kit.sql import Queries, share

share("primary_phase_model", sql.SQL("(SELECT id FROM phase_model ORDER BY is_primary DESC, id LIMIT 1)"))
SQL = Queries(__file__)
