"""What screens read of segments."""

from .models import Segment


def one(segment_id: int) -> Segment | None:
    """A segment in use; None where there is none, or it was put away."""
    return Segment.objects.filter(id=segment_id, archived_at=None).first()


def choices() -> list[tuple[int, str]]:
    """(id, name) of the segments in use, by name."""
    return list(Segment.objects.filter(archived_at=None).order_by("name").values_list("id", "name"))
