"""The one lead database: people, their tags, what they are looked up by.

Tables: lead, lead_identity, lead_tag, lead_search, lead_recency, employment.
Verbs: edit, add_note, log_call, change_state, tag_from, untag_from.
"""
