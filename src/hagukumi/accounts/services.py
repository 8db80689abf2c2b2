"""Verbs over staff, the workspace, tokens and the audit log."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.db import connection, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from . import audit as trail
from .models import ApiToken, AuditEntry, User, Workspace
from .rules import ROLES, SCOPES, TOKEN_DAYS, TOKEN_PREFIX

_SETUP_LOCK = 0x48414753
_USE_NOTED_EVERY = timedelta(minutes=1)


class AlreadySetUpError(Exception):
    """Somebody of the staff exists: the door of the first run is closed."""


class LastAdminError(Exception):
    """The act would leave nobody who may administer."""


class NobodyError(Exception):
    """No member signs in with this address."""


class EmailTakenError(Exception):
    """Another member signs in with this address."""


def is_set_up() -> bool:
    """Whether anybody may sign in yet."""
    return User.objects.exists()


def workspace() -> Workspace:
    """The one workspace; an unsaved blank one before the set-up."""
    return Workspace.objects.order_by("id").first() or Workspace(id=1)


def second_step_roles() -> list[str]:
    """The roles that must sign in with a second step."""
    found = Workspace.objects.order_by("id").values_list("second_step", flat=True).first()
    return list(found or [])


def set_up(*, company: str, name: str, email: str, password: str, language: str, now: datetime) -> User:
    """Make the first administrator and the workspace, once. AlreadySetUpError where staff exists, also in a race."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SETUP_LOCK])
        if is_set_up():
            raise AlreadySetUpError
        user = User.objects.create_user(email, password, name=name, role="admin", language=language, created_at=now)
        Workspace.objects.update_or_create(id=1, defaults={"name": company, "set_up_at": now})
        audit(user, "workspace.set_up", "workspace", 1, now)
    return user


def invite(*, name: str, email: str, role: str, language: str, by: User | None, now: datetime) -> User:
    """A new member who cannot sign in until a password is chosen by `invitation`. EmailTakenError where one exists."""
    _check_role(role)
    with transaction.atomic():
        if User.objects.filter(email=email.lower()).exists():
            raise EmailTakenError(email)
        user = User.objects.create_user(email, None, name=name, role=role, language=language, created_at=now)
        audit(by, "member.invited", "member", user.pk, now, email=user.email, role=role)
    return user


def invitation(user: User) -> tuple[str, str]:
    """(uid, token) of a link that lets `user` choose a password: once, for PASSWORD_RESET_TIMEOUT seconds."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def make_link(user: User, now: datetime) -> tuple[str, str]:
    """`invitation`, for an administrator who hands it on; written down."""
    audit(None, "member.link_made", "member", user.pk, now)
    return invitation(user)


def change_profile(user: User, given: Mapping[str, str], now: datetime) -> User:
    """Change a member's own name or language; what differs is written down."""
    with transaction.atomic():
        found = User.objects.select_for_update().get(pk=user.pk)
        before = {name: getattr(found, name) for name in given}
        for name, value in given.items():
            setattr(found, name, value)
        if changes := trail.changed(before, given):
            found.save(update_fields=list(given))
            trail.record("member.profile_changed", "member", user.pk, now, changes=changes)
    return found


def change_workspace(given: Mapping[str, Any], now: datetime) -> Workspace:
    """Change the workspace's columns to those given; what differs is written down."""
    with transaction.atomic():
        found = workspace()
        before = {name: getattr(found, name) for name in given}
        for name, value in given.items():
            setattr(found, name, value)
        found.save()
        if changes := trail.changed(before, given):
            trail.record("workspace.changed", "workspace", 1, now, changes=changes)
    return found


def open_invitation(uid: str, token: str) -> User | None:
    """The active member whose unused, unexpired link this is."""
    try:
        pk = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None
    return user if user and default_token_generator.check_token(user, token) else None


def choose_password(user: User, password: str, now: datetime) -> None:
    """Set the member's password; ends other sessions and spends the invitation."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit(user, "member.password_chosen", "member", user.pk, now)


def let_in(email: str, password: str, *, admin: bool, name: str, now: datetime) -> User:
    """From the command line: a new password for a member; with `admin`, made or restored as an active administrator.

    NobodyError where nobody has the address and `admin` is not asked for. Other sessions of theirs end.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email__iexact=email).first()
        if user is None:
            if not admin:
                raise NobodyError(email)
            user = User.objects.create_user(email, None, name=name, role="admin", created_at=now)
        if admin:
            user.role, user.is_active = "admin", True
        user.set_password(password)
        user.save(update_fields=["password", "role", "is_active"])
        audit(None, "member.let_in", "member", user.pk, now, email=user.email, role=user.role)
    return user


def change_role(user: User, role: str, *, by: User, now: datetime) -> None:
    """Give a member another role. LastAdminError where it would leave no administrator."""
    _check_role(role)
    with transaction.atomic():
        if role != "admin":
            _keep_an_admin(user)
        before, user.role = user.role, role
        user.save(update_fields=["role"])
        trail.record("member.role_changed", "member", user.pk, now, user=by, changes={"role": (before, role)})


def set_active(user: User, active: bool, *, by: User, now: datetime) -> None:
    """Stop a member's access (their sessions end at the next request) or give it back. LastAdminError as above."""
    with transaction.atomic():
        if not active:
            _keep_an_admin(user)
        user.is_active = active
        user.save(update_fields=["is_active"])
        audit(by, "member.activated" if active else "member.deactivated", "member", user.pk, now)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise ValueError(f"no role {role}")


def _keep_an_admin(leaving: User) -> None:
    admins = list(User.objects.select_for_update().filter(role="admin", is_active=True).values_list("pk", flat=True))
    if admins == [leaving.pk]:
        raise LastAdminError


def issue_token(
    name: str, scopes: Sequence[str], user: User, now: datetime, *, days: int | None = TOKEN_DAYS
) -> tuple[ApiToken, str]:
    """A new bearer token and its plain text, which is kept nowhere. ValueError for an unknown scope.

    It ends after `days`; None = it never does.
    """
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"no scope {', '.join(sorted(unknown))}")
    plain = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            name=name, prefix=plain[:10], digest=_digest(plain), scopes=sorted(scopes), created_by=user, created_at=now,
            expires_at=now + timedelta(days=days) if days else None,
        )  # fmt: skip
        audit(user, "token.issued", "token", token.pk, now, name=name, scopes=token.scopes, days=days)
    return token, plain


def authenticate_token(plain: str, now: datetime) -> ApiToken | None:
    """The live token with this plain text, whose maker is still active; notes its use at most once a minute."""
    token = (
        ApiToken.objects.filter(digest=_digest(plain), revoked_at=None, created_by__is_active=True)
        .exclude(expires_at__lte=now)
        .select_related("created_by")
        .first()
    )
    if token and (token.last_used_at is None or now - token.last_used_at >= _USE_NOTED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke_token(token: ApiToken, *, by: User, now: datetime) -> None:
    """End a token at once; a second time changes nothing."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            audit(by, "token.revoked", "token", token.pk, now, name=token.name)


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()


def audit(
    user: User | None, action: str, object_kind: str, object_id: object, now: datetime, **details: Any
) -> AuditEntry:
    """`audit.record` for callers that hold the member in hand; None = whoever the context names."""
    return trail.record(action, object_kind, object_id, now, user=user, **details)
