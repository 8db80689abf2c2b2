"""What a known lead is: somebody with a name or an address, who has not become part of somebody else."""

from psycopg import sql

KNOWN = sql.SQL("l.known_at IS NOT NULL AND l.merged_into IS NULL")
"""A test on `lead l`. Named SQL writes it `{known_lead}`."""
