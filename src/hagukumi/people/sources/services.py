"""Verbs of sources."""

from datetime import date, datetime

from .models import Source


def find_or_make(
    name: str, *, now: datetime, type: str = "other", day: date | None = None, cost_yen: int = 0, basis: str = ""
) -> Source:
    """The source of this name, made with these facts where it is new."""
    made = {"type": type, "date": day, "cost_yen": cost_yen, "consent_basis": basis, "created_at": now}
    return Source.objects.get_or_create(name=name.strip()[:120], defaults=made)[0]
