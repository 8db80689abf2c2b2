"""How allauth's sign-in works here: nobody signs up, failures are limited and written down, as is every way in."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from hagukumi.accounts import attempts, audit, sessions, throttle
from hagukumi.accounts.models import User
from hagukumi.kit import clock

from .middleware import actor_of, address_of


class ClosedAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: an administrator invites."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or "0.0.0.0"  # noqa: S104 (an address for the record where there is none)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not attempts.allowed(*self._try(request, credentials), clock.now()):
            self._failed(request, credentials, "limit")
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user:
            attempts.succeeded(*self._try(request, credentials), clock.now())
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        self._failed(request, credentials, "password")

    def login(self, request: HttpRequest, user: User) -> None:  # type: ignore[override]
        super().login(request, user)
        audit.become(actor_of(request))
        audit.record("session.opened", "member", user.pk, clock.now())
        throttle.clean(clock.now())
        sessions.clean(time.time())

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:  # type: ignore[override]
        response = super().post_login(request, user, **more)
        response.set_cookie(
            attempts.DEVICE_COOKIE, attempts.device_mark(user), max_age=attempts.DEVICE_SECONDS, httponly=True,
            samesite="Lax", secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
        return response

    def logout(self, request: HttpRequest) -> None:
        if request.user.is_authenticated:
            audit.record("session.closed", "member", request.user.pk, clock.now())
        super().logout(request)

    def reauthenticate(self, user: User, password: str) -> bool:  # type: ignore[override]
        return self.authenticate(self.request, email=user.email, password=password) == user

    def _try(self, request: HttpRequest, credentials: dict[str, Any]) -> tuple[str, str, str]:
        typed = str(credentials.get("email", "") or credentials.get("username", ""))
        return typed, address_of(request), request.COOKIES.get(attempts.DEVICE_COOKIE, "")

    def _failed(self, request: HttpRequest, credentials: dict[str, Any], reason: str) -> None:
        member = attempts.member_of(self._try(request, credentials)[0])
        audit.record("session.refused", "member", member.pk if member else "", clock.now(), reason=reason)
