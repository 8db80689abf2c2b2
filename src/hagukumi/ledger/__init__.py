"""The ledger: what happened (activity), what is not yet thought about (pulse), and the order of the heart's steps.

Tables: activity (partitioned by month), pulse, activity_day, heart_step, set_aside.
Verbs: services.record, record_pending. `causes`: who reads which facts.
"""
