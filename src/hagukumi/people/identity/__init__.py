"""Who is whom: every door resolves people here; visitors are joined to the person they turn out to be.

Tables: none of its own; writes lead and lead_identity together, as one statement must.
Verbs: upsert_people, join_visitors, note_arrivals, take_browsers.
"""
