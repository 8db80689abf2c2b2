"""The machine's door: /api/v1, bearer tokens with scopes, problem details (RFC 9457), cursors, idempotency keys."""
