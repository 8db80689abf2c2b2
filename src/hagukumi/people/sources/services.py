"""Verbs of sources."""

from datetime import date, datetime

from django.db import transaction
from django.forms.models import model_to_dict

from hagukumi.accounts import audit

from .models import Source


def save(source: Source, now: datetime) -> Source:
    """Keep a source as it stands; what differs from before is written down."""
    with transaction.atomic():
        before = Source.objects.filter(pk=source.pk).first() if source.pk else None
        source.save()
        changes = audit.changed(model_to_dict(before) if before else {}, model_to_dict(source))
        if changes:
            audit.record("source.saved", "source", source.pk, now, changes=changes, name=source.name)
    return source


def find_or_make(
    name: str, *, now: datetime, type: str = "other", day: date | None = None, cost_yen: int = 0, basis: str = ""
) -> Source:
    """The source of this name, made with these facts where it is new."""
    made = {"type": type, "date": day, "cost_yen": cost_yen, "consent_basis": basis, "created_at": now}
    return Source.objects.get_or_create(name=name.strip()[:120], defaults=made)[0]
