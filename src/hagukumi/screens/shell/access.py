"""Who may open which screen. Every view wears exactly one of these, and a test walks all addresses to hold that."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from hagukumi.accounts.models import User

ADMIN = ("admin",)
MARKETING = ("admin", "marketing")
SALES = ("admin", "sales")
EVERYONE = ("admin", "marketing", "sales")


class Request(HttpRequest):
    """What a guarded view gets, for the type checker: a member of staff, the instant (UTC), htmx's wishes."""

    user: User  # type: ignore[assignment]
    now: datetime
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def access(roles: tuple[str, ...]) -> Callable[[View], View]:
    """Let only signed-in staff of these roles in: others get 403, strangers the sign-in page."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.user.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return wrap


def public(view: View) -> View:
    """Anybody may open this: what comes in is hostile."""
    view.roles = ("public",)  # type: ignore[attr-defined]
    return view
