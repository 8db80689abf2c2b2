"""Typed doors to the tracking room's named SQL."""

from hagukumi.kit.sql import Queries

SQL = Queries(__file__)
READS = Queries(__file__, "reads.sql")
VERDICTS = Queries(__file__, "verdicts.sql")
