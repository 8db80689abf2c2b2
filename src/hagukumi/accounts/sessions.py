"""Where members are signed in: kept up about once a minute, listed for them, ended one by one or by resting too long.

Time here is the machine's own (`time.time`), as that of Django's sessions is, and not the house's clock.
"""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from . import audit
from .models import StaffSession, User

NOTED_SECONDS = 60.0
SEEN = "seen_at"


def rested_too_long(session: Any, idle_minutes: int, at: float) -> bool:
    """Whether nobody has used this session for longer than the workspace allows."""
    seen = session.get(SEEN)
    return seen is not None and at - float(seen) > idle_minutes * 60


def due(session: Any, at: float) -> bool:
    """Whether the session's use is to be noted again."""
    seen = session.get(SEEN)
    return seen is None or at - float(seen) >= NOTED_SECONDS


def note(session: Any, user: User, *, address: str, agent: str, at: float) -> None:
    """Write down that `user` uses this session from there."""
    session[SEEN] = at
    if not session.session_key:
        session.save()
    now = datetime.fromtimestamp(at, UTC)
    told = {"user": user, "seen_at": now, "address": address[:45], "agent": agent.replace("\x00", "")[:200]}
    StaffSession.objects.update_or_create(
        session_key=session.session_key, defaults=told, create_defaults={**told, "opened_at": now}
    )


def of(user: User) -> list[StaffSession]:
    """Where this member is signed in, the latest use first. What has ended since is forgotten."""
    found = list(StaffSession.objects.filter(user=user).order_by("-seen_at", "session_key")[:100])
    keys = [one.session_key for one in found]
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=datetime.now(UTC)).values_list(
            "session_key", flat=True
        )
    )
    StaffSession.objects.filter(session_key__in=set(keys) - alive).delete()
    return [one for one in found if one.session_key in alive]


def end(session_key: str, user: User, now: datetime) -> bool:
    """End one session of this member; False where they have no such session."""
    with transaction.atomic():
        if not StaffSession.objects.filter(session_key=session_key, user=user).delete()[0]:
            return False
        _store().delete(session_key)
        audit.record("session.ended", "member", user.pk, now)
    return True


def end_others(user: User, now: datetime, *, but: str = "") -> int:
    """End every session of this member, `but` one; how many."""
    with transaction.atomic():
        keys = list(StaffSession.objects.filter(user=user).exclude(session_key=but).values_list("pk", flat=True))
        for key in keys:
            _store().delete(key)
        StaffSession.objects.filter(pk__in=keys).delete()
        if keys:
            audit.record("session.ended", "member", user.pk, now, count=len(keys))
    return len(keys)


def clean(at: float) -> None:
    """Forget what nobody has used for as long as a session may live."""
    before = datetime.fromtimestamp(at, UTC) - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    StaffSession.objects.filter(seen_at__lt=before).delete()


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore()
