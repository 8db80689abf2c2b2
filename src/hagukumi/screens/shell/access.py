"""Who may open which screen. Every view wears exactly one of these, and a test walks all addresses to hold that."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.internal.flows.login import get_authentication_records
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.middleware import HtmxDetails

from hagukumi.accounts import second_step
from hagukumi.accounts import services as accounts
from hagukumi.accounts.models import User, Workspace

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


def access(roles: tuple[str, ...], *, without_second_step: bool = False) -> Callable[[View], View]:
    """Let only signed-in staff of these roles in: others get 403, strangers the sign-in page.

    Who must have a second step and has none is sent to set one up; `without_second_step`: this is where they do.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.user.role not in roles:
                raise PermissionDenied
            if not without_second_step and second_step.lacking(request, workspace_of(request).second_step):
                return redirect("security")
            return view(request, *args, **kwargs)

        guarded.roles = roles  # type: ignore[attr-defined]
        return guarded

    return wrap


def workspace_of(request: HttpRequest) -> Workspace:
    """The workspace, read once a request however often it is asked for."""
    if not hasattr(request, "house_workspace"):
        request.house_workspace = accounts.workspace()  # type: ignore[attr-defined]
    found: Workspace = request.house_workspace  # type: ignore[attr-defined]
    return found


def confirmed(view: View) -> View:
    """Let a change through only from who has given their password (or second step) a quarter of an hour ago or less.

    Reading is free. Who is asked comes back to the page they were on, and does it again. Stands below `access`.
    """

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and not _lately(request):
            page = urlsplit(request.headers.get("Referer", "")).path or "/"
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}")
        return view(request, *args, **kwargs)

    return asked


CONFIRMED_SECONDS = 900.0


def _lately(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    return any(time.time() - float(record.get("at", 0)) < CONFIRMED_SECONDS for record in records)


def public(view: View) -> View:
    """Anybody may open this: what comes in is hostile."""
    view.roles = ("public",)  # type: ignore[attr-defined]
    return view


def uploads(megabytes: int) -> Callable[[View], View]:
    """This view takes files up to so many megabytes; the front reads them only from whoever is signed in."""

    def wrap(view: View) -> View:
        view.uploads_mb = megabytes  # type: ignore[attr-defined]
        return view

    return wrap
