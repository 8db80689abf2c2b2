"""What screens and other rooms read of mails."""

from .models import Message


def choices() -> list[tuple[int, str]]:
    """(id, name) of the mails in use, the last changed first."""
    return list(Message.objects.filter(archived_at=None).order_by("-updated_at").values_list("id", "name"))


def names() -> dict[int, str]:
    """id -> name of every mail, archived ones too: history names them."""
    return dict(Message.objects.values_list("id", "name"))
