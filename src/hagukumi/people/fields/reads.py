"""What screens and other rooms read of one's own fields."""

from .models import Field


def own() -> list[Field]:
    """The customer's own fields, in the order in which they were made."""
    return list(Field.objects.order_by("id"))


def by_key(key: str) -> Field | None:
    """One own field; None where there is none of this key."""
    return Field.objects.filter(key=key).first()
