"""The one lead database: people, what identifies them, sources, own fields, tags, files taken in.

Tables: source, field, lead, lead_identity, lead_tag, lead_search, lead_recency, employment, import_file, import_reject.
Verbs: upsert_people, edit, tag_from, join_visitors, timeline, page;
`imports` takes in a file, `command` from the shell.
"""
