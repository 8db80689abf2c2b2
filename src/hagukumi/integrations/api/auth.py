"""Who calls: a bearer token, what it may do, and how often."""

from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.security import HttpBearer

from hagukumi.accounts import audit
from hagukumi.accounts import services as accounts
from hagukumi.accounts.models import ApiToken
from hagukumi.kit import clock

from .problems import ProblemError

REQUESTS_PER_MINUTE = 1200
"""Per token and clock minute; more is answered with 429."""


class Bearer(HttpBearer):
    """Lets tokens with `scope` in; '' asks for a token that may do anything at all."""

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        """The caller's token. AuthenticationError (401), AuthorizationError (403), ProblemError 429."""
        now = clock.now()
        found = accounts.authenticate_token(token, now) if token.isascii() else None
        if not found:
            raise AuthenticationError
        if not found.scopes or (self.scope and self.scope not in found.scopes):
            raise AuthorizationError
        _count(found.pk, int(now.timestamp() // 60))
        audit.become(audit.Actor("api", user_id=found.created_by_id, token_id=found.pk, origin=audit.present().origin))
        return found


def _count(token_id: int, minute: int) -> None:
    key = f"api:{token_id}:{minute}"
    if not cache.add(key, 1, 120) and cache.incr(key) > REQUESTS_PER_MINUTE:
        raise ProblemError(429, "too-many-requests")


def guarded(scope: str = "") -> dict[str, Any]:
    """What an operation says of itself: its guard, and the scope where programs can read it."""
    return {"auth": Bearer(scope), "openapi_extra": {"x-scope": scope}}
