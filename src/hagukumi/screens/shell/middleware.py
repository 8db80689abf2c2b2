"""What every request passes through: the clock, who acts and from where, the reader's language, the content policy."""

import re
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils import translation

from hagukumi.accounts import audit, sessions
from hagukumi.accounts import services as accounts
from hagukumi.kit import callers, clock

from . import errors

log = structlog.get_logger(__name__)
HSTS_SECONDS = 365 * 86_400
Next = Callable[[HttpRequest], HttpResponse]
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)


class ContentSecurityMiddleware:
    """Only our own scripts run, nothing is kept by browsers and proxies, and https stays https.

    What a view says itself is kept: pages that may be framed (embedded forms) have their own policy, files that are the
    same for everybody their own age.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        if settings.SESSION_COOKIE_SECURE:  # our public address is https; the proxy talks to us without
            response.headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
        response.headers.setdefault("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class HygieneMiddleware:
    """What the database cannot hold reaches no view: NUL and half characters go, too large a number is said."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if request.path.startswith("/api/"):  # its operations say themselves what is wrong with a value
            return
        if any(unstorable(str(value)) for value in kwargs.values()):
            raise Http404
        request.GET = _storable(request.GET)  # type: ignore[assignment]
        if request.method == "POST" and request.content_type in FORMS:
            request.POST = _storable(request.POST)  # type: ignore[assignment]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DataError | OverflowError):
            return None
        log.warning("a request held what no column does", path=request.path, error=str(exception).strip())
        return errors.bad_request(request)


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


def unstorable(text: str) -> bool:
    """Whether PostgreSQL could not hold this text: NUL, or half of a surrogate pair."""
    return _UNSTORABLE.search(text) is not None


def _storable(query: QueryDict) -> QueryDict:
    if not any(unstorable(text) for key, values in query.lists() for text in (key, *values)):
        return query
    clean = QueryDict(mutable=True)
    for key, values in query.lists():
        clean.setlist(_UNSTORABLE.sub("", key), [_UNSTORABLE.sub("", value) for value in values])
    clean._mutable = False
    return clean


class LanguageMiddleware:
    """The signed-in person's language, else the cookie's, else Japanese. The browser's wish is not asked."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        wish = user.language if user.is_authenticated else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = wish if wish in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class ClockMiddleware:
    """`request.now`: the one instant of this request."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.now = clock.now()  # type: ignore[attr-defined]
        return self.get_response(request)


class ActorMiddleware:
    """Says to the audit log who acts in this request: the member who is signed in, else somebody from outside."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.acting(actor_of(request)):
            return self.get_response(request)


class StaffSessionMiddleware:
    """Notes about once a minute where a member is signed in, and ends a session that nobody has used for too long."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        at = time.time()
        if request.user.is_authenticated and sessions.due(request.session, at):
            if sessions.rested_too_long(request.session, accounts.workspace().idle_minutes, at):
                audit.record("session.expired", "member", request.user.pk, clock.now())
                logout(request)
                audit.become(actor_of(request))
            else:
                agent = request.META.get("HTTP_USER_AGENT", "")
                sessions.note(request.session, request.user, address=address_of(request), agent=agent, at=at)
        return self.get_response(request)


def actor_of(request: HttpRequest) -> audit.Actor:
    """Who acts, as far as the session says; the API's door says it by its token."""
    user = request.user
    if user.is_authenticated:
        return audit.Actor("screen", user_id=user.pk, origin=address_of(request))
    return audit.Actor("public", origin=address_of(request))


def address_of(request: HttpRequest) -> str:
    """The client's address, through the proxies that are declared; '' where it is unknown."""
    peer, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
    return callers.client_address(peer, forwarded, settings.TRUSTED_PROXIES)
