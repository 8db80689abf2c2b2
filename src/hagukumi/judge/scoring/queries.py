"""Typed doors to the scores' named SQL."""

from psycopg import sql

from hagukumi.kit.sql import Queries, share

PRIMARY = sql.SQL("(SELECT min(id) FROM score_model)")
"""The score model that is meant where none is named: `{primary_score_model}` in named SQL."""
share("primary_score_model", PRIMARY)
SQL = Queries(__file__)
