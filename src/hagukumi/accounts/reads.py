"""What screens read of the staff."""

from .models import User


def member(user_id: int | None) -> User | None:
    """One of the staff, whether active or not; None for nobody."""
    return User.objects.filter(id=user_id).first() if user_id else None


def active() -> list[User]:
    """Everybody who may sign in, by name."""
    return list(User.objects.filter(is_active=True).order_by("name"))


def names() -> dict[int, str]:
    """id -> name of all staff, also of those who have left: history names them."""
    return dict(User.objects.values_list("id", "name"))
