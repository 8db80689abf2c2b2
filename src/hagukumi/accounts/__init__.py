"""Who works here and what they may do. Tables: staff, workspace, api_token, audit_entry, idempotency_key.

Verbs: set_up, invite, open_invitation, choose_password, change_role, set_active, issue_token, authenticate_token,
revoke_token, audit.
"""
