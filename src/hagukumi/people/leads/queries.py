"""Typed doors to the leads room's named SQL."""

from hagukumi.kit.sql import Queries, share

from .rules import KNOWN

share("known_lead", KNOWN)
SQL = Queries(__file__)
