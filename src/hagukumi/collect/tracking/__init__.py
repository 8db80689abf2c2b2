"""Tracking: from what the collector took in to facts about people; the pages and sites they happened on; rollups.

Tables: inbox, seen_event, dropped, page, site, rollup_due (and activity_day, which the ledger owns).
Verbs: digest.step, rollup.step, services.register_taker, services.put_in_inbox, services.correct.
"""
