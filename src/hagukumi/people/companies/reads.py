"""What screens read of companies."""

from .models import Company


def one(company_id: int) -> Company | None:
    return Company.objects.filter(pk=company_id).first()


def is_taken(match_key: str, *, by_other_than: int) -> bool:
    """Whether another company is known by this key."""
    return Company.objects.filter(match_key=match_key).exclude(pk=by_other_than).exists()
