"""What screens read of sources."""

from django.db.models import QuerySet

from .models import Source


def latest(limit: int | None = 200) -> list[tuple[int, str]]:
    """(id, name) of the newest sources, for choosing one."""
    return list(Source.objects.order_by("-id").values_list("id", "name")[:limit])


def by_name() -> QuerySet[Source]:
    """All sources by name, for choosing one."""
    return Source.objects.order_by("name")


def by_date() -> list[Source]:
    """All sources, the latest first."""
    return list(Source.objects.order_by("-date", "-id"))


def one(source_id: int) -> Source | None:
    return Source.objects.filter(pk=source_id).first()
