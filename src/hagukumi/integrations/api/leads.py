"""Leads by API: list, one, upsert by address, timeline."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field, create_model

from hagukumi.kit import clock
from hagukumi.kit.columns import COLUMNS, MAX_NUMBER, TYPED, Column, ColumnError
from hagukumi.overview.leads import reads as lead_list
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.companies import services as companies
from hagukumi.people.companies.rules import INDUSTRIES
from hagukumi.people.consent import services as consent
from hagukumi.people.fields import profile
from hagukumi.people.identity import services as identity
from hagukumi.people.leads import services
from hagukumi.people.leads.models import Lead, LeadTag
from hagukumi.people.sources.models import Source

from .auth import guarded
from .once import KEY_HEADER, Key, once, plain
from .problems import Problem, ProblemError
from .types import PROBLEMS, Body, Cursor, Id, Limit, Page, opened, words

router = Router()


_STORED: dict[str, Any] = {
    key: (int | None if column.type == "number" else str, Field(title=column.en)) for key, column in COLUMNS.items()
}


class _Out(Schema):
    id: int
    company_id: int | None
    industry: str
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


LeadOut: Any = create_model(
    "LeadOut",
    __base__=_Out,
    __doc__="One person. `missing`: the facts that リード成立 still asks for; `may_mail`: consent and suppression."
    ' `mail_stopped`: why mail to this person is stopped (unsubscribe, manual, complaint, hard_bounce), or "". A basis'
    " sent here never takes a stop back. `industry` is that of the company; `fields` are own fields by key.",
    **_STORED,
)


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


def _given(column: Column) -> Any:
    """A column as a request brings it: at most four times as long as it is stored, for it may hold blanks and marks."""
    if column.type == "number":
        return (int | None, Field(None, ge=0, le=MAX_NUMBER, title=column.en))
    return (Annotated[str, words(column.limit * 4)] | None, Field(None, title=column.en))


Own = str | int | float | bool | None


class _In(Body):
    industry: Literal[tuple(INDUSTRIES)] | None = None  # type: ignore[valid-type]
    fields: dict[str, Own] = Field(default={}, max_length=100)
    tags: list[Annotated[str, words(60)]] = Field(default=[], max_length=20)
    source_id: Id | None = None
    consent_basis: Literal["", "optin", "card", "relation", "published"] = ""
    consent_evidence: Annotated[str, words(200)] = ""
    replace: bool = False


_ADDRESS: Any = (Annotated[str, words(COLUMNS["email"].limit)], Field(min_length=3, title="E-mail"))
LeadIn: Any = create_model(
    "LeadIn",
    __base__=_In,
    __doc__="A person by mail address. What is left out or empty stays as it is, null clears it. Values fill what is"
    " empty on file; `replace` lets them beat it. `fields`: own fields by key. `industry` is the company's. An unknown"
    " key is refused.",
    **{column.key: _ADDRESS if column.key == "email" else _given(column) for column in TYPED},
)


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
    columns["industry"] = lead.company.industry if lead.company else ""
    standing = consent.standing(lead.lead_id, lead.email)
    more = {"id": lead.lead_id, "tags": list(tags), "missing": services.missing(lead)}
    more |= {"may_mail": standing.may_mail, "mail_stopped": standing.stopped}
    return LeadOut(**{**columns, **more})


@router.get("", response={200: Leads, **PROBLEMS}, summary="リードの一覧（新しい順）", **guarded("leads:read"))
def list_leads(request: HttpRequest, filters: Query[Filter]) -> dict[str, Any]:
    chosen = lead_list.Filters(q=filters.q, tag=filters.tag, segment=filters.segment_id)
    page = lead_list.page(chosen, after=opened(filters.cursor, *lead_list.KEYS[chosen.sort]), size=filters.limit)
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


def _upsert(request: HttpRequest, given: Any, now: datetime) -> tuple[int, Any]:
    if given.source_id and not Source.objects.filter(pk=given.source_id).exists():
        raise _invalid([("source_id", "no such source")])
    row, cleared = _cleaned(given)
    try:
        (lead_id,) = identity.upsert_people(
            [row], source_id=given.source_id,
            basis=given.consent_basis, evidence=given.consent_evidence or f"API: {request.auth.name}",  # type: ignore[attr-defined]
            now=now, replace=given.replace,
        )  # fmt: skip
    except identity.RowError as error:
        raise _invalid([(error.column, error.reason)]) from error
    if cleared:
        services.edit(lead_id, dict.fromkeys(cleared, ""), user_id=None, now=now)
    for tag in given.tags:
        if tag.strip():
            services.tag_from(services.ids_sql([lead_id]), tag, now=now)
    lead = known(lead_id)
    if "industry" in given.model_fields_set:
        _set_industry(lead, given.industry or "", replace=given.replace or given.industry is None, now=now)
    return 201 if lead.known_at == now else 200, plain(shown(known(lead_id)))


def _cleaned(given: Any) -> tuple[dict[str, Any], list[str]]:
    """(what the request says, the keys that it clears); every value that its column cannot hold in one 422 problem."""
    row: dict[str, Any] = {}
    cleared: list[str] = []
    wrong: list[tuple[str, str]] = []
    for key in given.model_fields_set & {column.key for column in TYPED}:
        value = getattr(given, key)
        try:
            if value is None:
                cleared.append(key)
            elif COLUMNS[key].clean(str(value)) not in ("", None):
                row[key] = value
        except ColumnError as error:
            wrong.append((key, error.code))
    own, problems = _own(given.fields)
    if wrong + problems:
        raise _invalid(sorted(wrong + problems))
    row["fields"] = {key: value for key, value in own.items() if value is not None}
    return row, sorted(cleared) + [f"fields.{key}" for key, value in own.items() if value is None]


def _own(fields: dict[str, Own]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Own fields as they are stored (None = cleared), and what is wrong with them."""
    readers = profile.readers() if fields else {}
    own: dict[str, Any] = {}
    wrong = []
    for key, value in fields.items():
        try:
            typed = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
            own[key] = readers[key](typed)
        except KeyError:
            wrong.append((f"fields.{key}", "no such field"))
        except ValueError as error:
            wrong.append((f"fields.{key}", str(error)))
    return own, wrong


def _set_industry(lead: Lead, industry: str, *, replace: bool, now: datetime) -> None:
    if not lead.company:
        if industry:
            raise _invalid([("industry", "needs a company_name")])
        return
    if lead.company.industry != industry and (replace or not lead.company.industry):
        companies.set_industry(lead.company.pk, industry, now=now)
        services.company_changed(lead.company.pk, now=now)


def _invalid(wrong: list[tuple[str, str]]) -> ProblemError:
    errors = [{"where": f"body.{key}" if key else "body", "message": message} for key, message in wrong]
    return ProblemError(422, "invalid", errors=errors)


class Stretch(Schema):
    cursor: Cursor = ""
    limit: Limit = 100
    group: Literal["", "web", "mail", "form", "lead", "call", "seminar", "qualify", "deal", "scenario"] = ""


@router.get(
    "/{lead_id}/timeline", response={200: Facts, **PROBLEMS}, summary="行動履歴（新しい順）", **guarded("activity:read")
)
def timeline(request: HttpRequest, lead_id: Path[Id], stretch: Query[Stretch]) -> dict[str, Any]:
    lead = known(lead_id)
    before = opened(stretch.cursor, datetime, int)
    entries, following = timelines.page(lead.lead_id, group=stretch.group, before=before, size=stretch.limit)
    items = [
        Fact(
            id=entry.id, at=entry.at, kind=entry.kind.key, label=entry.kind.label_ja, object=entry.kind.object,
            object_id=entry.object_id, name=entry.name, amount=entry.amount, unit=entry.kind.unit,
            details=entry.details,
        )
        for entry in entries
    ]  # fmt: skip
    return {"items": items, "next": following}
