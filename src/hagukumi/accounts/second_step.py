"""The second step of a sign-in (allauth's, with our keys): who must have one, how secrets are kept, what is logged."""

import base64
import hashlib
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver

from hagukumi.kit import clock

from . import audit
from .models import User

PASSED = "second_step"
"""In the session of whoever has one: not to be asked for at every request."""


class SecondStepAdapter(DefaultMFAAdapter):
    """Secrets lie in the database under a key of the installation's own, so that a copy of it opens no account."""

    def encrypt(self, text: str) -> str:
        return _safe().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _safe().decrypt(encrypted_text.encode()).decode()

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: members have no mailbox of ours; the audit log and the page say it."""


def lacking(request: Any, wanted: list[str]) -> bool:
    """Whether this member's role (one of `wanted`) asks for a second step that they do not have yet."""
    if request.user.role not in wanted or request.session.get(PASSED):
        return False
    if is_mfa_enabled(request.user):
        request.session[PASSED] = True
        return False
    return True


def keys_of(user: User) -> list[Authenticator]:
    """The member's second steps, the oldest first: an app, passkeys, codes (`Authenticator.Type`)."""
    return list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))


def guarded() -> set[int]:
    """The members (their ids) who have a second step."""
    return set(Authenticator.objects.values_list("user_id", flat=True))


def reset(user: User, now: Any) -> int:
    """Take a member's second step away (a lost phone), so that they set up a new one; how many keys went."""
    with transaction.atomic():
        count, _each = Authenticator.objects.filter(user=user).delete()
        if count:
            audit.record("second_step.reset", "member", user.pk, now, count=count)
    return count


@receiver(signals.authenticator_added)
def _added(request: Any, user: User, authenticator: Authenticator, **more: Any) -> None:
    audit.record("second_step.added", "member", user.pk, clock.now(), way=authenticator.type)


@receiver(signals.authenticator_removed)
def _removed(request: Any, user: User, authenticator: Authenticator, **more: Any) -> None:
    request.session.pop(PASSED, None)
    audit.record("second_step.removed", "member", user.pk, clock.now(), way=authenticator.type)


@receiver(signals.authentication_failed)
def _refused(request: Any, user: User, authenticator: Authenticator, **more: Any) -> None:
    audit.record("session.refused", "member", user.pk, clock.now(), reason="code")


def _safe() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"second step {settings.SECRET_KEY}".encode()).digest()))
