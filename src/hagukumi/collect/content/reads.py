"""What the content screen reads."""

from typing import Any

from hagukumi.ledger import kinds

from .queries import SQL


def contents() -> list[dict[str, Any]]:
    """Every piece, newest first, with how often it was downloaded."""
    return SQL.contents.rows({"kind": kinds.by_key("content_downloaded").code})
