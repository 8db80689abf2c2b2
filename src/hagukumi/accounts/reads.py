"""What screens read of the staff, of API tokens and of the audit log."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from hagukumi.kit import clock

from .models import ApiToken, AuditEntry, User


def member(user_id: int | None) -> User | None:
    """One of the staff, whether active or not; None for nobody."""
    return User.objects.filter(id=user_id).first() if user_id else None


def active() -> list[User]:
    """Everybody who may sign in, by name."""
    return list(User.objects.filter(is_active=True).order_by("name"))


def names() -> dict[int, str]:
    """id -> name of all staff, also of those who have left: history names them."""
    return dict(User.objects.values_list("id", "name"))


def everybody() -> QuerySet[User]:
    """All staff: who may sign in first, by role and name."""
    return User.objects.order_by("-is_active", "role", "name", "pk")


def by_name() -> QuerySet[User]:
    """All staff by name, for choosing one."""
    return User.objects.order_by("name", "pk")


def tokens(limit: int = 200) -> list[ApiToken]:
    """API tokens with who made them: those in use first, the newest first."""
    return list(ApiToken.objects.select_related("created_by").order_by("revoked_at", "-created_at")[:limit])


def token(token_id: int) -> ApiToken | None:
    return ApiToken.objects.filter(pk=token_id).first()


@dataclass(frozen=True)
class Asked:
    """What the audit log is searched for; empty values do not restrict. `first` and `last` are days in Japan.

    `q` stands in the details, or is the origin or the object's id.
    """

    who: User | None = None
    action: str = ""
    door: str = ""
    first: date | None = None
    last: date | None = None
    q: str = ""


def entries(asked: Asked, *, before: tuple[datetime, int] | None, limit: int) -> list[AuditEntry]:
    """Entries of the audit log, newest first; `before` is (at, id) of the last one shown."""
    found = _entries(asked).select_related("user", "token").order_by("-at", "-id")
    if before:
        found = found.filter(Q(at__lt=before[0]) | Q(at=before[0], id__lt=before[1]))
    return list(found[:limit])


def count_entries(asked: Asked) -> int:
    return _entries(asked).count()


def _entries(asked: Asked) -> QuerySet[AuditEntry]:
    exact = {"user": asked.who, "action": asked.action, "door": asked.door}
    found = AuditEntry.objects.filter(**{column: value for column, value in exact.items() if value})
    if asked.first:
        found = found.filter(at__gte=clock.jst_midnight(asked.first))
    if asked.last:
        found = found.filter(at__lt=clock.jst_midnight(asked.last + timedelta(days=1)))
    if asked.q:
        found = found.annotate(told=Cast("details", TextField())).filter(
            Q(told__icontains=asked.q) | Q(origin=asked.q) | Q(object_id=asked.q)
        )
    return found
