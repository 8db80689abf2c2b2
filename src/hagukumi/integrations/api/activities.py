"""Activity in, by batch: web events go through the inbox like the tag's; seminars, talks, calls, notes are recorded."""

import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from hagukumi.collect.tracking import services as tracking
from hagukumi.kit import clock, ja
from hagukumi.ledger import services as ledger
from hagukumi.people.sources.models import Source

from .auth import guarded
from .once import KEY_HEADER, Key, once
from .problems import Problem
from .queries import SQL
from .types import PROBLEMS, Body, Id, Instant, words

router = Router()
WEB = ("view", "dwell", "scroll", "download", "custom")
RECORDED = ("seminar_attended", "seminar_absent", "booth_talk", "call", "note")
AHEAD = timedelta(hours=1)
"""How far ahead of our clock an event may claim to be."""


class Event(Body):
    """One event of one person, named by `lead_id` or `email`. An `event_id` counts once, however often it is sent.

    `amount`: seconds (dwell, call) or percent (scroll). `source_id`: the seminar or exhibition. `url`: for web kinds.
    """

    event_id: UUID
    at: Instant
    kind: Literal[
        "view",
        "dwell",
        "scroll",
        "download",
        "custom",
        "seminar_attended",
        "seminar_absent",
        "booth_talk",
        "call",
        "note",
    ]
    lead_id: Id | None = None
    email: Annotated[str, words(254)] = ""
    url: Annotated[str, words(2000)] = ""
    title: Annotated[str, words(300)] = ""
    referrer: Annotated[str, words(2000)] = ""
    amount: float | None = Field(None, ge=0, le=10_000_000, allow_inf_nan=False)
    source_id: Id | None = None
    text: Annotated[str, words(4000)] = ""
    name: Annotated[str, words(80)] = ""


class Batch(Body):
    events: list[Event] = Field(min_length=1, max_length=1000)


class Refused(Schema):
    """An event that was not taken: its place in the batch (from 0) and why."""

    index: int
    event_id: UUID
    reason: Literal["unknown_person", "unknown_source", "url_missing", "in_the_future"]


class Taken(Schema):
    """`accepted` events are kept (repeats among them do nothing); web events show on timelines after the next beat."""

    accepted: int
    refused: list[Refused]


@router.post(
    "", response={202: Taken, 409: Problem, **PROBLEMS}, summary="行動をまとめて送る（1回 1,000 件まで）",
    **guarded("activity:write"),
)  # fmt: skip
def send_activities(request: HttpRequest, batch: Batch, idempotency_key: Key | None = KEY_HEADER) -> HttpResponse:
    """Every event is either accepted or refused with a reason; the others of the batch are not held up."""
    return once(request, idempotency_key, lambda: (202, _take(batch.events, clock.now())))


def _take(events: list[Event], now: datetime) -> dict[str, Any]:
    lead_ids = _people(events)
    sources = set(
        Source.objects.filter(pk__in={e.source_id for e in events if e.source_id}).values_list("pk", flat=True)
    )
    refused: list[dict[str, Any]] = []
    kept: list[tuple[Event, int]] = []
    for index, (event, lead_id) in enumerate(zip(events, lead_ids, strict=True)):
        reason = _refusal(event, lead_id, sources, now)
        if lead_id is None or reason:
            refused.append({"index": index, "event_id": str(event.event_id), "reason": reason})
        else:
            kept.append((event, lead_id))
    _to_inbox([(event, lead_id) for event, lead_id in kept if event.kind in WEB])
    _record([(event, lead_id) for event, lead_id in kept if event.kind in RECORDED], now)
    return {"accepted": len(kept), "refused": refused}


def _people(events: list[Event]) -> list[int | None]:
    params = {"lead_ids": [e.lead_id for e in events], "emails": [ja.email(e.email) for e in events]}
    return [row["lead_id"] for row in SQL.people.rows(params)]


def _refusal(event: Event, lead_id: int | None, sources: set[int], now: datetime) -> str:
    if lead_id is None:
        return "unknown_person"
    if event.source_id and event.source_id not in sources:
        return "unknown_source"
    if event.kind in WEB and not event.url.strip():
        return "url_missing"
    return "in_the_future" if event.at > now + AHEAD else ""


def _to_inbox(kept: list[tuple[Event, int]]) -> None:
    if kept:
        events = [event for event, _lead in kept]
        tracking.put_batch_in_inbox(
            {
                "event_ids": [e.event_id for e in events],
                "ats": [e.at for e in events],
                "kinds": [e.kind for e in events],
                "lead_ids": [lead_id for _event, lead_id in kept],
                "urls": [e.url.strip() for e in events],
                "titles": [e.title for e in events],
                "referrers": [e.referrer for e in events],
                "amounts": [e.amount for e in events],
                "details": [json.dumps({"name": e.name}, ensure_ascii=False) if e.name else None for e in events],
            }
        )


def _record(kept: list[tuple[Event, int]], now: datetime) -> None:
    if not kept:
        return
    new = tracking.remember_events([e.event_id for e, _lead in kept], now)
    facts = []
    for event, lead_id in kept:
        if event.event_id in new:
            new.discard(event.event_id)
            facts.append(_fact(event, lead_id))
    ledger.record(facts)


def _fact(event: Event, lead_id: int) -> ledger.Fact:
    seconds = event.amount if event.kind == "call" else None
    details = {"text": event.text, "via": "api"} if event.text else {"via": "api"}
    if event.kind == "call":
        details["result"] = "talked"
    return ledger.Fact(lead_id, event.kind, event.at, object_id=event.source_id, amount=seconds, details=details)
