"""Verbs of tracking for other rooms: take rows of the inbox in, put one in, register a site."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.ledger import kinds as registry
from hagukumi.ledger import services as ledger

from . import rules, takers
from .models import Page, Site
from .queries import SQL, VERDICTS

register_taker = takers.register


def put_in_inbox(
    kind: str,
    *,
    now: datetime,
    event_id: uuid.UUID | None = None,
    visitor: str = "",
    object_id: int | None = None,
    details: dict[str, Any] | None = None,
    drop_reason: str = "",
) -> uuid.UUID:
    """Write what a web page has taken in the way the collector does, for the next digest; returns its event id."""
    event_id = event_id or uuid.uuid4()
    SQL.put_in_inbox.run(
        {
            "event_id": event_id,
            "now": now,
            "kind": kind,
            "visitor": visitor,
            "object_id": object_id,
            "amount": 1 if drop_reason else None,
            "drop_reason": drop_reason,
            "details": json.dumps(details, ensure_ascii=False) if details else None,
        }
    )
    return event_id


def add_site(address: str, *, name: str, now: datetime) -> tuple[Site, bool]:
    """Let a website send events; (the site, whether it is new). ValueError where the address is not one."""
    origin = rules.origin(address)
    with transaction.atomic():
        site, new = Site.objects.get_or_create(
            origin=origin, defaults={"name": name.strip() or origin, "created_at": now}
        )
        if new:
            audit.record("site.added", "site", site.pk, now, name=origin)
    return site, new


def remove_site(site: Site, now: datetime) -> None:
    """A website may send events no more; what it sent stays."""
    with transaction.atomic():
        audit.record("site.removed", "site", site.pk, now, name=site.origin)
        site.delete()


def set_category(page_id: int, category: str) -> bool:
    """Say what a page means; '' takes the mark away. ValueError for an unknown category."""
    if category and category not in rules.CATEGORIES:
        raise ValueError(category)
    return Page.objects.filter(id=page_id).update(category=category) > 0


def correct(lead_id: int, at: datetime, act_id: int, by: str, now: datetime) -> bool:
    """A member of staff says who did an open or a click: "human" or "bot". Whether there is such an act.

    Their word stays until they say otherwise; the next beat thinks again about what stood on the act. ValueError for
    another verdict.
    """
    if by not in ("human", "bot"):
        raise ValueError(by)
    codes = [kind.code for kind in registry.doubtful()]
    with transaction.atomic():
        act = VERDICTS.doubtful_act.row({"lead_id": lead_id, "at": at, "id": act_id, "kinds": codes})
        if act is None:
            return False
        said = sql.SQL(
            "SELECT {}::bigint AS lead_id, {}::timestamptz AS at, {}::bigint AS id, {}::text AS by, {} AS why"
        )
        if ledger.judge(said.format(*map(sql.Literal, (lead_id, at, act_id, by, "staff")))):
            changes, kind = {"verdict": (act["by"], by)}, registry.by_code(act["kind"]).key
            audit.record("act.judged", "lead", lead_id, now, changes=changes, act=kind, happened=at)
    return True


def put_batch_in_inbox(columns: dict[str, list[Any]]) -> int:
    """Put events of another system into the inbox, as the collector does; arrays of equal length by column.

    Columns: event_ids, ats, kinds, lead_ids, urls, titles, referrers, amounts, details. The digest drops repeats.
    """
    return SQL.put_batch_in_inbox.run(columns)


def remember_events(event_ids: Sequence[uuid.UUID], now: datetime) -> set[uuid.UUID]:
    """Remember the ids of events that do not go through the inbox; returns those that were not seen before."""
    return {row["event_id"] for row in SQL.remember_events.rows({"event_ids": list(event_ids), "now": now})}
