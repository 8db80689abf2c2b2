"""Segments by API: the list, and who is in one now."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema

from hagukumi.judge.segments import services
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import keyset

from .auth import guarded
from .problems import ProblemError
from .queries import SQL
from .types import PROBLEMS, Cursor, Id, Limit, Page, opened

router = Router()


class SegmentOut(Schema):
    """A segment: its condition as a Japanese sentence and how many people are in it."""

    id: int
    key: str | None
    name: str
    sentence: str
    members: int
    built_at: datetime | None


class Member(Schema):
    lead_id: int
    since: datetime
    email: str
    last_name: str
    first_name: str
    company_name: str


class Members(Page):
    items: list[Member]


class Stretch(Schema):
    cursor: Cursor = ""
    limit: Limit = 100


@router.get("", response={200: list[SegmentOut], **PROBLEMS}, summary="セグメントの一覧", **guarded("segments:read"))
def list_segments(request: HttpRequest) -> list[dict[str, Any]]:
    counts = {row["segment_id"]: row["members"] for row in SQL.segment_counts.rows()}
    return [
        {
            "id": segment.pk, "key": segment.key, "name": segment.name, "sentence": _sentence(segment),
            "members": counts.get(segment.pk, 0), "built_at": segment.built_at,
        }
        for segment in Segment.objects.filter(archived_at=None).order_by("pk")
    ]  # fmt: skip


def _sentence(segment: Segment) -> str:
    """The condition in words; '' for one that can no longer be read (it is set aside and shown on its screen)."""
    try:
        return services.sentence(segment.tree)
    except services.ConditionError:
        return ""


@router.get(
    "/{segment_id}/members", response={200: Members, **PROBLEMS}, summary="セグメントに入っている人",
    **guarded("segments:read"),
)  # fmt: skip
def list_members(request: HttpRequest, segment_id: Path[Id], stretch: Query[Stretch]) -> dict[str, Any]:
    if not Segment.objects.filter(pk=segment_id).exists():
        raise ProblemError(404, "not-found")
    (after,) = opened(stretch.cursor, int) or (0,)
    rows = SQL.members.rows({"segment_id": segment_id, "after": after, "limit": stretch.limit + 1})
    items, following = keyset.page(rows, "lead_id", size=stretch.limit)
    return {"items": items, "next": following}
