"""What leaves share: bounded values, and the names of definitions."""

from typing import Annotated

from pydantic import Field, StringConstraints

from hagukumi.judge.segments.conditions import words
from hagukumi.ledger import objects

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Days = Annotated[int, Field(ge=1, le=3660)]
Id = Annotated[int, Field(ge=1, le=2**62)]


def names(table: str, ids: list[int]) -> list[str]:
    """The names of definitions in the reader's order of ids; 「削除済み」 for those that are gone."""
    found = objects.names({table: ids})
    return [found.get((table, i), ("",))[0] or words("削除済み", "deleted") for i in ids]


def quoted(texts: list[str], lang: str) -> str:
    if lang == "ja":
        return "・".join(f"「{text}」" for text in texts)
    return " or ".join(f"“{text}”" for text in texts)
