"""People: every list in, one person once, consent that holds.

Rooms, lowest first: consent, companies, fields, sources, leads, identity, imports."""
