"""One person, taken out or erased, over every table, file and spool. Tables: none of its own; it knows all of them.

Verbs: services.export, services.erase. `rules.TABLES` says of each table what becomes of a person's rows, and why.
"""
