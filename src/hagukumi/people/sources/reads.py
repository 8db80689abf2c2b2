"""What screens read of sources."""

from .models import Source


def latest(limit: int = 200) -> list[tuple[int, str]]:
    """(id, name) of the newest sources, for choosing one."""
    return list(Source.objects.order_by("-id").values_list("id", "name")[:limit])
