"""サインインの安全: one's own second step (app, passkeys, codes), where one is signed in, and confirming oneself."""

from allauth.account.views import ReauthenticateView
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hagukumi.accounts import second_step, services, sessions
from hagukumi.screens.shell.access import EVERYONE, Request, access, public

mine = access(EVERYONE, without_second_step=True)


@mine
def security(request: Request) -> HttpResponse:
    """One's own keys and sessions."""
    keys = second_step.keys_of(request.user)
    context = {
        "totp": next((key for key in keys if key.type == Authenticator.Type.TOTP), None),
        "passkeys": [key.wrap() for key in keys if key.type == Authenticator.Type.WEBAUTHN],
        "codes": any(key.type == Authenticator.Type.RECOVERY_CODES for key in keys),
        "wanted": request.user.role in services.second_step_roles() and not keys,
        "sessions": sessions.of(request.user),
        "here": request.session.session_key,
    }
    return render(request, "settings/security/security.html", context)


@mine
@require_POST
def end_session(request: Request) -> HttpResponse:
    """End one session of one's own (`key`), or all but this one."""
    key = request.POST.get("key", "")
    if key:
        sessions.end(key, request.user, request.now)
    else:
        sessions.end_others(request.user, request.now, but=request.session.session_key or "")
    messages.success(request, _("サインインを終わらせました。"))
    return redirect("security")


urlpatterns = [
    path("profile/security/", security, name="security"),
    path("profile/security/", security, name="mfa_index"),
    path("profile/security/sessions/", end_session, name="session_end"),
    path("profile/security/confirm/", mine(ReauthenticateView.as_view()), name="account_reauthenticate"),
    path("profile/security/confirm/code/", mine(base.reauthenticate), name="mfa_reauthenticate"),
    path(
        "profile/security/confirm/passkey/", mine(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"
    ),
    path("profile/security/app/", mine(totp.activate_totp), name="mfa_activate_totp"),
    path("profile/security/app/remove/", mine(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("profile/security/codes/", mine(recovery.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("profile/security/codes/new/", mine(recovery.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("profile/security/codes/file/", mine(recovery.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("profile/security/passkeys/", security, name="mfa_list_webauthn"),
    path("profile/security/passkeys/new/", mine(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("profile/security/passkeys/<int:pk>/remove/", mine(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("login/second-step/", public(base.authenticate), name="mfa_authenticate"),
    path("login/passkey/", public(passkeys.login_webauthn), name="mfa_login_webauthn"),
]
