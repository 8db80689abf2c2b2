"""What the content screen reads."""

from typing import Any

from django.db.models import QuerySet

from hagukumi.ledger import kinds

from .models import Content
from .queries import SQL


def contents() -> list[dict[str, Any]]:
    """Every piece, newest first, with how often it was downloaded."""
    return SQL.contents.rows({"kind": kinds.by_key("content_downloaded").code})


def piece(content_id: int) -> Content | None:
    return Content.objects.filter(pk=content_id).first()


def with_file() -> QuerySet[Content]:
    """The pieces that can be handed out, by title."""
    return Content.objects.exclude(path="").order_by("title")
