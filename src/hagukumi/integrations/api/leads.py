"""Leads by API: list, one, upsert by address, timeline."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from hagukumi.kit import clock, tokens
from hagukumi.overview.leads import reads as lead_list
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.consent import services as consent
from hagukumi.people.identity import services as identity
from hagukumi.people.leads import services
from hagukumi.people.leads.models import Lead, LeadTag
from hagukumi.people.sources.models import Source

from .auth import guarded
from .once import KEY_HEADER, Key, once, plain
from .problems import Problem, ProblemError
from .types import PROBLEMS, Cursor, Id, Limit, Page, words

router = Router()


class LeadOut(Schema):
    """One person. `missing`: the facts that リード成立 still asks for; `may_mail`: consent and suppression together.

    `mail_stopped`: why mail to this person is stopped (unsubscribe, manual, complaint, hard_bounce), or "". A basis
    sent here never takes a stop back.
    """

    id: int
    last_name: str
    first_name: str
    last_kana: str
    first_kana: str
    company_name: str
    company_id: int | None
    department: str
    title: str
    rank: str
    email: str
    phone: str
    phone_extension: str
    mobile: str
    postal_code: str
    prefecture: str
    address: str
    issue: str
    timeframe: str
    users_expected: int | None
    place: str
    source_id: int | None
    owner_id: int | None
    state: str
    fields: dict[str, Any]
    tags: list[str]
    missing: list[str]
    may_mail: bool
    mail_stopped: str
    known_at: datetime
    updated_at: datetime


class LeadCard(Schema):
    """A person as a list shows them."""

    id: int = Field(validation_alias="lead_id")
    last_name: str
    first_name: str
    company_name: str
    department: str
    title: str
    email: str
    state: str
    score: int | None
    phase: str | None = Field(None, validation_alias="phase_name")
    tags: list[str] | None
    known_at: datetime
    last_at: datetime | None


class Leads(Page):
    items: list[LeadCard]


class LeadIn(Schema):
    """A person by mail address. Left-out and empty facts stay as they are; `replace` lets these beat those on file."""

    email: Annotated[str, words(254)] = Field(min_length=3)
    last_name: Annotated[str, words(60)] = ""
    first_name: Annotated[str, words(60)] = ""
    last_kana: Annotated[str, words(60)] = ""
    first_kana: Annotated[str, words(60)] = ""
    company_name: Annotated[str, words(200)] = ""
    department: Annotated[str, words(120)] = ""
    title: Annotated[str, words(120)] = ""
    phone: Annotated[str, words(30)] = ""
    mobile: Annotated[str, words(30)] = ""
    postal_code: Annotated[str, words(8)] = ""
    address: Annotated[str, words(300)] = ""
    issue: Annotated[str, words(4000)] = ""
    timeframe: Annotated[str, words(60)] = ""
    place: Annotated[str, words(120)] = ""
    tags: list[Annotated[str, words(60)]] = Field(default=[], max_length=20)
    source_id: Id | None = None
    consent_basis: Literal["", "optin", "card", "relation", "published"] = ""
    consent_evidence: Annotated[str, words(200)] = ""
    replace: bool = False


class Fact(Schema):
    """One thing that happened. `kind` is its key, `object` what it was about; `amount` in `unit`."""

    id: int
    at: datetime
    kind: str
    label: str
    object: str
    object_id: int | None
    name: str
    amount: float | None
    unit: str
    details: dict[str, Any]


class Facts(Page):
    items: list[Fact]


class Filter(Schema):
    cursor: Cursor = ""
    limit: Limit = 50
    q: Annotated[str, words(100)] = ""
    tag: Annotated[str, words(60)] = ""
    segment_id: Id | None = None


def known(lead_id: int) -> Lead:
    """The known, unmerged lead with this id; a merged one leads to who they became. 404 problem else."""
    found = Lead.objects.filter(lead_id=lead_id, known_at__isnull=False).first()
    if found and found.merged_into:
        found = Lead.objects.filter(lead_id=found.merged_into).first()
    if not found:
        raise ProblemError(404, "not-found")
    return found


def shown(lead: Lead) -> LeadOut:
    tags = LeadTag.objects.filter(lead_id=lead.lead_id).order_by("tag").values_list("tag", flat=True)
    columns = {name: getattr(lead, name) for name in LeadOut.model_fields if hasattr(lead, name)}
    standing = consent.standing(lead.lead_id, lead.email)
    more = {"id": lead.lead_id, "tags": list(tags), "missing": services.missing(lead)}
    more |= {"may_mail": standing.may_mail, "mail_stopped": standing.stopped}
    return LeadOut(**{**columns, **more})


@router.get("", response={200: Leads, **PROBLEMS}, summary="リードの一覧（新しい順）", **guarded("leads:read"))
def list_leads(request: HttpRequest, filters: Query[Filter]) -> dict[str, Any]:
    chosen = lead_list.Filters(q=filters.q, tag=filters.tag, segment=filters.segment_id)
    try:
        page = lead_list.page(chosen, after=filters.cursor, size=filters.limit)
    except tokens.BadTokenError as error:
        raise ProblemError(400, "invalid-cursor") from error
    return {"items": page.cards, "next": page.next}


@router.get("/{lead_id}", response={200: LeadOut, **PROBLEMS}, summary="一人のリード", **guarded("leads:read"))
def get_lead(request: HttpRequest, lead_id: Path[Id]) -> LeadOut:
    return shown(known(lead_id))


@router.post(
    "", response={200: LeadOut, 201: LeadOut, 409: Problem, **PROBLEMS}, summary="メールアドレスで登録・更新",
    **guarded("leads:write"),
)  # fmt: skip
def upsert_lead(request: HttpRequest, given: LeadIn, idempotency_key: Key | None = KEY_HEADER) -> HttpResponse:
    """201 for a person who is new, 200 for one who was known by this address."""
    return once(request, idempotency_key, lambda: _upsert(request, given, clock.now()))


def _upsert(request: HttpRequest, given: LeadIn, now: datetime) -> tuple[int, Any]:
    if given.source_id and not Source.objects.filter(pk=given.source_id).exists():
        raise ProblemError(422, "invalid", errors=[{"where": "body.source_id", "message": "no such source"}])
    columns = given.model_dump(exclude={"tags", "source_id", "consent_basis", "consent_evidence", "replace"})
    try:
        (lead_id,) = identity.upsert_people(
            [{key: value for key, value in columns.items() if value}], source_id=given.source_id,
            basis=given.consent_basis, evidence=given.consent_evidence or f"API: {request.auth.name}",  # type: ignore[attr-defined]
            now=now, replace=given.replace,
        )  # fmt: skip
    except identity.RowError as error:
        where = f"body.{error.column}" if error.column else "body"
        raise ProblemError(422, "invalid", errors=[{"where": where, "message": error.reason}]) from error
    for tag in given.tags:
        if tag.strip():
            services.tag_from(services.ids_sql([lead_id]), tag, now=now)
    lead = known(lead_id)
    return 201 if lead.known_at == now else 200, plain(shown(lead))


class Stretch(Schema):
    cursor: Cursor = ""
    limit: Limit = 100
    group: Literal["", "web", "mail", "form", "lead", "call", "seminar", "qualify", "deal", "scenario"] = ""


@router.get(
    "/{lead_id}/timeline", response={200: Facts, **PROBLEMS}, summary="行動履歴（新しい順）", **guarded("activity:read")
)
def timeline(request: HttpRequest, lead_id: Path[Id], stretch: Query[Stretch]) -> dict[str, Any]:
    lead = known(lead_id)
    try:
        entries, following = timelines.page(
            lead.lead_id, group=stretch.group, before=stretch.cursor, size=stretch.limit
        )
    except tokens.BadTokenError as error:
        raise ProblemError(400, "invalid-cursor") from error
    items = [
        Fact(
            id=entry.id, at=entry.at, kind=entry.kind.key, label=entry.kind.label_ja, object=entry.kind.object,
            object_id=entry.object_id, name=entry.name, amount=entry.amount, unit=entry.kind.unit,
            details=entry.details,
        )
        for entry in entries
    ]  # fmt: skip
    return {"items": items, "next": following}
