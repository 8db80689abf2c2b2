"""The words the API's schemas are made of: bounded numbers, text that a database can hold, instants, pages."""

from datetime import UTC, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from hagukumi.kit import keyset

from .problems import Problem, ProblemError

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[str, StringConstraints(max_length=200)]
_PLAIN = r"^[^\x00]*$"


def words(size: int) -> StringConstraints:
    """For `Annotated[str, words(60)]`: text of at most `size` characters without NUL, which PostgreSQL cannot hold."""
    return StringConstraints(max_length=size, pattern=_PLAIN)


def _within(at: datetime) -> datetime:
    if not 2000 <= at.year < 2100:
        raise ValueError("must lie in 2000-2099")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_within)]
"""An instant with its zone, 2000 to 2099; kept as UTC."""

PROBLEMS = dict.fromkeys((400, 401, 403, 404, 415, 422, 429), Problem)
"""What an operation may answer besides success, for its description."""


class Body(Schema):
    """What a request may bring. A key that nobody knows is a mistake that must be heard of: a 422 that names it."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema):
    """The end of a page: the cursor of the next, '' on the last."""

    next: str = ""


def opened(cursor: str, *kinds: type[datetime] | type[int]) -> tuple[Any, ...] | None:
    """The keys in a cursor, one of each kind; None for the first page, a 400 problem where it is no cursor."""
    found = keyset.read(cursor, *kinds)
    if cursor and found is None:
        raise ProblemError(400, "invalid-cursor")
    return found
