"""The roles of staff and the scopes of tokens."""

ROLES = ("admin", "marketing", "sales")

SCOPES = (
    "leads:read",
    "leads:write",
    "leads:erase",
    "activity:read",
    "activity:write",
    "segments:read",
    "deliveries:read",
)
"""What a token may do; an API operation asks for exactly one of these."""

TOKEN_PREFIX = "hgk_"  # noqa: S105 (how a token of ours is recognised, not a secret)
TOKEN_DAYS = 365
"""How long a token lives where nothing else is said."""
INVITATION_DAYS = 3
"""How long a link to choose a password holds (settings.PASSWORD_RESET_TIMEOUT)."""
