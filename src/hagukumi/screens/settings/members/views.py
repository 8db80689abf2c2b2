"""設定: members and their roles, API tokens, the workspace."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hagukumi.accounts import reads, second_step, services, sessions
from hagukumi.accounts.models import User, Workspace
from hagukumi.accounts.rules import ROLES, SCOPES, TOKEN_DAYS
from hagukumi.collect.forms import rules as form_rules
from hagukumi.screens.shell import words
from hagukumi.screens.shell.access import ADMIN, Request, access, confirmed
from hagukumi.screens.shell.found import or_404

SCOPE_NAMES = {
    "leads:read": lazy("リードを読む"),
    "leads:write": lazy("リードを登録・更新する"),
    "leads:erase": lazy("一人の全記録を読む・消去する"),
    "activity:read": lazy("行動履歴を読む"),
    "activity:write": lazy("行動を記録する"),
    "segments:read": lazy("セグメントと所属者を読む"),
    "deliveries:read": lazy("配信の結果を読む"),
}


class RoleField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=lambda: [(role, words.role(role)) for role in ROLES], **kwargs)


class InviteForm(forms.Form):
    name = forms.CharField(label=lazy("お名前"), max_length=80)
    email = forms.EmailField(label=lazy("メールアドレス"))
    role = RoleField(label=lazy("権限"), initial="marketing")


class TokenForm(forms.Form):
    name = forms.CharField(label=lazy("名前"), max_length=80, help_text=lazy("どのシステムが使うかが分かる名前"))
    scopes = forms.MultipleChoiceField(
        label=lazy("できること"), choices=[(scope, SCOPE_NAMES[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label=lazy("有効期間"), coerce=int, initial=TOKEN_DAYS, required=False, empty_value=str(TOKEN_DAYS),
        choices=[(30, lazy("30日")), (90, lazy("90日")), (365, lazy("1年")), (0, lazy("期限なし"))],
    )  # fmt: skip


class WorkspaceForm(forms.ModelForm):
    class Meta:
        model = Workspace
        fields = (
            "name", "daily_mail_cap", "sla_hours", "fiscal_month", "second_step", "idle_minutes", "double_optin",
        )  # fmt: skip
        labels = {
            "name": lazy("会社名"),
            "daily_mail_cap": lazy("1人に1日に送る上限（通）"),
            "sla_hours": lazy("引き渡しへの回答期限（時間）"),
            "fiscal_month": lazy("会計年度の始まりの月"),
            "second_step": lazy("二段階目の確認を求める権限"),
            "idle_minutes": lazy("操作がないときにサインアウトするまで（分）"),
            "double_optin": lazy("同意を確認メールで確かめるフォームの種類"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, low, high in (("daily_mail_cap", 1, 50), ("sla_hours", 1, 720), ("fiscal_month", 1, 12)):
            field = self.fields[name]
            self.fields[name] = forms.IntegerField(label=field.label, min_value=low, max_value=high)
        self.fields["idle_minutes"] = forms.IntegerField(
            label=self.fields["idle_minutes"].label, min_value=5, max_value=1440, required=False
        )
        several = {
            "second_step": [(role, words.role(role)) for role in ROLES],
            "double_optin": words.labels(form_rules.KINDS),
        }
        for name, choices in several.items():
            self.fields[name] = forms.MultipleChoiceField(
                label=self.fields[name].label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
            )

    def clean_idle_minutes(self) -> int:
        minutes: int | None = self.cleaned_data["idle_minutes"]
        return minutes or self.instance.idle_minutes


@access(ADMIN)
def members(request: Request) -> HttpResponse:
    return _members(request, InviteForm())


@access(ADMIN)
@confirmed
@require_POST
@never_cache
def invite(request: Request) -> HttpResponse:
    """A new member, and the link by which they choose a password, shown this once."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            user = services.invite(**form.cleaned_data, language=words.language(), by=request.user, now=request.now)
            return _members(request, InviteForm(), link_for=user)
        except services.EmailTakenError:
            form.add_error("email", _("このメールアドレスのメンバーがすでにいます。"))
    return _members(request, form, status=422)


@access(ADMIN)
@confirmed
@require_POST
def member_second_step(request: Request, pk: int) -> HttpResponse:
    """Take a member's second step away, where its phone or key is lost; their sessions end with it."""
    user = or_404(reads.member(pk))
    second_step.reset(user, request.now)
    sessions.end_others(user, request.now)
    messages.success(request, _("%(name)s さんの二段階目の確認を外しました。") % {"name": user.name})
    return redirect("members")


@access(ADMIN)
@confirmed
@require_POST
@never_cache
def member_link(request: Request, pk: int) -> HttpResponse:
    """A new link for a member who has lost the password; earlier unused links stay good until one is used."""
    user = or_404(reads.member(pk))
    if not user.is_active:
        raise Http404
    return _members(request, InviteForm(), link_for=user)


@access(ADMIN)
@confirmed
@require_POST
def member_role(request: Request, pk: int) -> HttpResponse:
    user, role = or_404(reads.member(pk)), request.POST.get("role", "")
    if role in ROLES and role != user.role:
        try:
            services.change_role(user, role, by=request.user, now=request.now)
            messages.success(
                request, _("%(name)s さんを%(role)sにしました。") % {"name": user.name, "role": words.role(role)}
            )
        except services.LastAdminError:
            messages.error(request, _("管理者が1人もいなくなるため、変更できません。"))
    return redirect("members")


@access(ADMIN)
@confirmed
@require_POST
def member_active(request: Request, pk: int) -> HttpResponse:
    user, active = or_404(reads.member(pk)), request.POST.get("active") == "1"
    try:
        services.set_active(user, active, by=request.user, now=request.now)
    except services.LastAdminError:
        messages.error(request, _("管理者が1人もいなくなるため、停止できません。"))
        return redirect("members")
    said = _("%(name)s さんの利用を再開しました。") if active else _("%(name)s さんの利用を停止しました。")
    messages.success(request, said % {"name": user.name})
    return redirect("members")


def _members(request: Request, form: InviteForm, link_for: User | None = None, status: int = 200) -> HttpResponse:
    link = ""
    if link_for:
        link = settings.BASE_URL + reverse("welcome", args=services.make_link(link_for, request.now))
    context = {
        "members": reads.everybody(), "form": form, "roles": ROLES, "link": link, "link_for": link_for,
        "guarded": second_step.guarded(),
    }  # fmt: skip
    return render(request, "settings/members/members.html", context, status=status)


@access(ADMIN)
@confirmed
@never_cache
def tokens(request: Request) -> HttpResponse:
    """API tokens; POST issues one, whose plain text this answer alone shows."""
    form, plain = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        _token, plain = services.issue_token(
            given["name"], given["scopes"], request.user, request.now, days=int(given["days"]) or None
        )
        form = TokenForm()
    shown = [(token, [SCOPE_NAMES.get(scope, scope) for scope in token.scopes]) for token in reads.tokens()]
    context = {"tokens": shown, "form": form, "plain": plain}
    return render(request, "settings/members/tokens.html", context, status=422 if form.errors else 200)


@access(ADMIN)
@confirmed
@require_POST
def token_revoke(request: Request, pk: int) -> HttpResponse:
    token = or_404(reads.token(pk))
    services.revoke_token(token, by=request.user, now=request.now)
    messages.success(
        request, _("「%(name)s」を失効させました。このトークンでの接続は、いまから断られます。") % {"name": token.name}
    )
    return redirect("tokens")


def _kept(post: QueryDict) -> QueryDict:
    """A post of the page; what lists several says so by a hidden field, and stays as it is where that is missing."""
    given, now = post.copy(), services.workspace()
    for name in ("second_step", "double_optin"):
        if name not in given and f"{name}_shown" not in given:
            given.setlist(name, getattr(now, name))
    return given


@access(ADMIN)
@confirmed
def workspace(request: Request) -> HttpResponse:
    form = WorkspaceForm(_kept(request.POST) if request.method == "POST" else None, instance=services.workspace())
    if request.method == "POST" and form.is_valid():
        services.change_workspace(form.cleaned_data, request.now)
        messages.success(request, _("設定を保存しました。"))
        return redirect("workspace")
    context = {"form": form, "base_url": settings.BASE_URL, "collector_url": settings.COLLECTOR_URL}
    return render(request, "settings/members/workspace.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("settings/members/", members, name="members"),
    path("settings/members/invite/", invite, name="member_invite"),
    path("settings/members/<int:pk>/link/", member_link, name="member_link"),
    path("settings/members/<int:pk>/second-step/", member_second_step, name="member_second_step"),
    path("settings/members/<int:pk>/role/", member_role, name="member_role"),
    path("settings/members/<int:pk>/active/", member_active, name="member_active"),
    path("settings/tokens/", tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", token_revoke, name="token_revoke"),
    path("settings/workspace/", workspace, name="workspace"),
]
