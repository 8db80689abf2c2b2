"""Deliveries by API: what was sent to whom, and what became of it."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from psycopg import sql

from hagukumi.kit import keyset

from .auth import guarded
from .queries import SQL
from .types import PROBLEMS, Cursor, Id, Limit, Page, opened

router = Router()
LAST = 2**63 - 1


class DeliveryOut(Schema):
    """One mail to one person. `reason` is a code where it did not go; `receipt` is what the mail server answered."""

    id: int
    lead_id: int
    message_id: int
    message: str
    occurrence: str
    broadcast_id: int | None
    scenario_id: int | None
    state: str
    reason: str
    attempts: int
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    address: str
    receipt: str


class Deliveries(Page):
    items: list[DeliveryOut]


class Filter(Schema):
    cursor: Cursor = ""
    limit: Limit = 50
    lead_id: Id | None = None
    message_id: Id | None = None
    state: Literal["", "queued", "sending", "sent", "failed", "skipped", "unknown"] = ""


@router.get("", response={200: Deliveries, **PROBLEMS}, summary="配信の一覧（新しい順）", **guarded("deliveries:read"))
def list_deliveries(request: HttpRequest, filters: Query[Filter]) -> dict[str, Any]:
    (before,) = opened(filters.cursor, int) or (LAST,)
    parts = [
        sql.SQL("d.{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name in ("lead_id", "message_id", "state")
        if (value := getattr(filters, name))
    ]
    restriction = sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")
    rows = SQL.deliveries.rows({"before": before, "limit": filters.limit + 1}, filters=restriction)
    items, following = keyset.page(rows, "id", size=filters.limit)
    return {"items": items, "next": following}
