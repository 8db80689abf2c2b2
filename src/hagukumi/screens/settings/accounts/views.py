"""The door: sign-in, the first run, an invitation, one's own settings, the language."""

from hmac import compare_digest
from typing import Any

from allauth.account.views import LoginView, LogoutView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, password_validation, update_session_auth_hash
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from hagukumi.accounts import services
from hagukumi.accounts.models import User
from hagukumi.channels.mail import services as mail
from hagukumi.channels.mail.models import Sender
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.kit import tokens
from hagukumi.sales.deals import services as deals
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import EVERYONE, Request, access, public

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
PasswordInput = forms.PasswordInput({"autocomplete": "new-password"})


class PasswordMixin(forms.Form):
    """A new password, held to the validators and to the person it is for (`self.person`)."""

    person: User | None = None

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.person)
        return password


class SetUpForm(PasswordMixin):
    key = forms.CharField(
        label=lazy("準備の鍵"),
        max_length=60,
        help_text=lazy("起動したときの画面（または hagukumi setup-key）に表示されます。"),
    )
    company = forms.CharField(label=lazy("会社名"), max_length=120)
    name = forms.CharField(label=lazy("お名前"), max_length=80)
    email = forms.EmailField(label=lazy("メールアドレス"))
    password = forms.CharField(label=lazy("パスワード"), widget=PasswordInput, help_text=lazy("8文字以上"))
    sender_email = forms.EmailField(label=lazy("配信元メールアドレス"), required=False)
    postal_address = forms.CharField(label=lazy("住所"), max_length=200, required=False)
    contact = forms.CharField(
        label=lazy("苦情・問い合わせ先"),
        max_length=200,
        required=False,
        help_text=lazy("電話番号、メールアドレスまたはURL"),
    )

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not compare_digest(key.encode(), tokens.setup_key().encode()):
            raise ValidationError(_("鍵が違います。起動したときに表示された住所から開いてください。"))
        return key


class ChoosePasswordForm(PasswordMixin):
    password = forms.CharField(label=lazy("新しいパスワード"), widget=PasswordInput, help_text=lazy("8文字以上"))


class ChangePasswordForm(ChoosePasswordForm):
    current = forms.CharField(
        label=lazy("現在のパスワード"), widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    field_order = ("current", "password")

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if self.person and not self.person.check_password(current):
            raise ValidationError(_("現在のパスワードが違います。"))
        return current


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("name", "language")
        labels = {"name": lazy("お名前"), "language": lazy("表示する言語")}
        widgets = {"language": forms.Select(choices=settings.LANGUAGES)}


class SignIn(LoginView):
    template_name = "settings/accounts/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = context["form"]
        form.fields["login"].label = _("メールアドレス")
        form.fields["login"].widget.attrs.update(placeholder="", autofocus=True, autocomplete="username")
        form.fields["password"].label = _("パスワード")
        form.fields["password"].widget.attrs.update(placeholder="", autocomplete="current-password")
        form.fields["password"].help_text = ""
        return context


_sign_in = sensitive_post_parameters("password")(SignIn.as_view())


@public
@never_cache
def sign_in(request: Request) -> HttpResponse:
    """The sign-in; before the first run, the way to the set-up."""
    return _sign_in(request) if services.is_set_up() else redirect("setup")


@public
def sign_out(request: Request) -> HttpResponse:
    """POST ends the session. GET only asks."""
    return LogoutView.as_view(template_name="settings/accounts/logout.html")(request)


@public
def inactive(request: Request) -> HttpResponse:
    return render(request, "settings/accounts/inactive.html", status=403)


@public
@never_cache
@sensitive_post_parameters("password")
def setup(request: Request) -> HttpResponse:
    """The first run: the administrator and the company. Closed for good once anybody exists."""
    if services.is_set_up():
        return redirect("home")
    form = SetUpForm(request.POST or None, initial={"key": request.GET.get("key", "")})
    if request.method == "POST" and form.is_valid():
        try:
            user = _set_up(form.cleaned_data, request)
        except services.AlreadySetUpError:
            return redirect("home")
        login(request, user, backend=BACKEND)
        messages.success(request, _("準備ができました。まずは名刺やリストを取り込みましょう。"))
        return redirect("home")
    return render(request, "settings/accounts/setup.html", {"form": form}, status=422 if form.errors else 200)


def _set_up(given: dict[str, Any], request: Request) -> User:
    with transaction.atomic():
        user = services.set_up(
            company=given["company"],
            name=given["name"],
            email=given["email"],
            password=given["password"],
            language=words.language(),
            now=request.now,
        )
        deals.ready_made()
        for room in (segments, scoring, phases):
            room.ready_made(request.now)
        if given["sender_email"]:
            sender = Sender(
                name=given["company"],
                email=given["sender_email"],
                legal_name=given["company"],
                postal_address=given["postal_address"],
                contact=given["contact"],
            )
            mail.save_sender(sender, request.now)
    return user


@public
@never_cache
@sensitive_post_parameters("password")
def welcome(request: Request, uid: str, token: str) -> HttpResponse:
    """An invitation: choose a password, once, and be inside."""
    user = services.open_invitation(uid, token)
    if user is None:
        return render(request, "settings/accounts/welcome_over.html", status=410)
    form = ChoosePasswordForm(request.POST or None)
    form.person = user
    if request.method == "POST" and form.is_valid():
        services.choose_password(user, form.cleaned_data["password"], request.now)
        login(request, user, backend=BACKEND)
        return redirect("home")
    return render(
        request, "settings/accounts/welcome.html", {"form": form, "person": user}, status=422 if form.errors else 200
    )


@access(EVERYONE)
@sensitive_post_parameters("password", "current")
def profile(request: Request) -> HttpResponse:
    """One's own name, language and password: two forms, told apart by the button's name."""
    asked = "password" if "change_password" in request.POST else "profile"
    data = request.POST or None
    about = ProfileForm(data if asked == "profile" else None, instance=request.user)
    secret = ChangePasswordForm(data if asked == "password" else None)
    secret.person = request.user
    if request.method == "POST" and asked == "profile" and about.is_valid():
        services.change_profile(request.user, about.cleaned_data, request.now)
        return _keep_language(redirect("profile"), about.cleaned_data["language"])
    if request.method == "POST" and asked == "password" and secret.is_valid():
        services.choose_password(request.user, secret.cleaned_data["password"], request.now)
        update_session_auth_hash(request, request.user)
        messages.success(request, _("パスワードを変えました。ほかの端末ではサインインし直してください。"))
        return redirect("profile")
    wrong = about.errors or secret.errors
    return render(
        request, "settings/accounts/profile.html", {"about": about, "secret": secret}, status=422 if wrong else 200
    )


@public
@require_POST
def language(request: Request) -> HttpResponse:
    """Switch to ja or en and go back to where one was."""
    target = request.POST.get("next", "/")
    if (
        not target.isprintable()
        or not target.startswith("/")
        or not url_has_allowed_host_and_scheme(
            target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
    ):
        target = "/"
    wish = request.POST.get("language", "")
    if wish not in dict(settings.LANGUAGES):
        return HttpResponseRedirect(target)
    if request.user.is_authenticated:
        services.change_profile(request.user, {"language": wish}, request.now)
    return _keep_language(HttpResponseRedirect(target), wish)


def _keep_language(response: HttpResponse, wish: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, wish, max_age=365 * 86400, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


urlpatterns = [
    path("login/", sign_in, name="account_login"),
    path("login/inactive/", inactive, name="account_inactive"),
    path("logout/", sign_out, name="logout"),
    path("setup/", setup, name="setup"),
    path("welcome/<str:uid>/<str:token>/", welcome, name="welcome"),
    path("profile/", profile, name="profile"),
    path("language/", language, name="language"),
]
