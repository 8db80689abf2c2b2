"""Who works here and what they may do.

Tables: staff, staff_session, workspace, api_token, audit_entry, throttle, idempotency_key. Verbs: `services` (members,
tokens, the workspace), `audit.record` (every room's verbs call it), `throttle` (limits), `attempts` (sign-ins that
fail), `sessions` (where one is signed in).
"""
