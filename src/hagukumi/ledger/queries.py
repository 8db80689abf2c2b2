"""Typed doors to the ledger's named SQL."""

from psycopg import sql

from hagukumi.kit.sql import Queries, share

BY_A_PERSON = sql.Composed([sql.SQL("coalesce(a.details ->> 'by', '') NOT IN ('suspect', 'bot')")])
"""A test on `activity a`: not an act that is or looks like a machine's. Facts by people, defined here and nowhere else.

Named SQL writes it `{by_a_person}`. A statement on people's acts that leaves it out says why (`-- every act: …`), or a
test of the house fails.
"""
share("by_a_person", BY_A_PERSON)
SQL = Queries(__file__)
