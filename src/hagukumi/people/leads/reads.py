"""What screens and other rooms read of one lead."""

from django.db.models import Count

from .models import Lead, LeadTag

BIGGEST = 2**63 - 1


def one(lead_id: int) -> Lead | None:
    """One person, known or not, with company, owner and source at hand; None where there is none."""
    if lead_id > BIGGEST:
        return None
    return Lead.objects.select_related("company", "owner", "source").filter(lead_id=lead_id).first()


def tags(limit: int = 200) -> list[str]:
    """Tags in use, by name."""
    return list(LeadTag.objects.order_by("tag").values_list("tag", flat=True).distinct()[:limit])


def tags_of(lead_id: int) -> list[str]:
    """The person's tags, by name."""
    return list(LeadTag.objects.filter(lead_id=lead_id).order_by("tag").values_list("tag", flat=True))


def per_source() -> dict[int, int]:
    """How many known people each source has brought, by its id; a source without any is absent."""
    known = Lead.objects.filter(known_at__isnull=False, merged_into__isnull=True, source__isnull=False)
    return dict(known.values_list("source_id").annotate(n=Count("lead_id")))
