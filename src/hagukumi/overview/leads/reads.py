"""The lead list: filters as composed SQL, three orders, keyset pages, a count that says when it is an estimate."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.kit import keyset
from hagukumi.kit.columns import COLUMNS
from hagukumi.kit.sql import Queries, Query

SQL = Queries(__file__, "reads.sql", {"columns_of_l": ", ".join(f"l.{key}" for key in COLUMNS)})
COUNT_CAP = 10_001
"""Counting stops here; more is estimated by the planner."""
SEARCH_COUNT_CAP = 1_001
"""Counting what a search finds reads each person's text, so it stops sooner."""


@dataclass(frozen=True)
class Filters:
    """What the list shows. Empty values do not restrict. `complete`: True = リード成立, False = not, None = both."""

    q: str = ""
    phase: int | None = None
    segment: int | None = None
    source: int | None = None
    tag: str = ""
    owner: int | None = None
    unowned: bool = False
    score_min: int | None = None
    complete: bool | None = None
    state: str = ""
    company: int | None = None
    sort: str = "known"

    @property
    def any(self) -> bool:
        return replace(self, sort="known") != Filters()


Key = type[datetime] | type[int]
KEYS: dict[str, tuple[Key, Key]] = {"known": (datetime, int), "score": (int, int), "active": (datetime, int)}
"""The orders of the list, and the kinds of the keys in which each goes on (rank, lead_id)."""
_JOINS = {
    "known": sql.SQL(""),
    "score": sql.SQL(" JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = {model}"),
    "active": sql.SQL(" JOIN lead_recency r ON r.lead_id = l.lead_id"),
}
_RANKS = {"known": sql.SQL("l.known_at"), "score": sql.SQL("sc.total"), "active": sql.SQL("r.at")}


@dataclass(frozen=True)
class Page:
    """One page of cards (dicts as `queries.cards` gives them) and the mark of the next ('' = the last)."""

    cards: list[dict[str, Any]]
    next: str = ""


@dataclass(frozen=True)
class Count:
    n: int
    exact: bool


@dataclass(frozen=True)
class _Restriction:
    joins: sql.Composable
    filters: sql.Composable


def models() -> dict[str, int]:
    """`score_model` and `phase_model`: the ids that lists show; 0 where there is none."""
    return SQL.models.row() or {"score_model": 0, "phase_model": 0}


def page(
    filters: Filters,
    *,
    after: tuple[Any, ...] | None = None,
    size: int = keyset.PAGE_SIZE,
    shown: dict[str, int] | None = None,
    read: Query = SQL.cards,
) -> Page:
    """One page in the order of `filters.sort`, newest or highest first; `read` says what of each lead.

    `after`: the keys of the last lead shown, one of each of `KEYS[filters.sort]`.
    """
    shown = shown or models()
    restriction = _restrict(filters, shown)
    found = SQL.page.rows(
        joins=restriction.joins,
        filters=restriction.filters,
        after=_after(filters, after),
        rank=_RANKS[filters.sort],
        limit=sql.Literal(size + 1),
    )
    rows, more = keyset.page(found, "rank", "lead_id", size=size)
    ids = [row["lead_id"] for row in rows]
    return Page(read.rows({"ids": ids, **shown}) if ids else [], more)


def cards(ids: list[int], shown: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """What lists show of these leads, in this order, in one statement."""
    return SQL.cards.rows({"ids": ids, **(shown or models())}) if ids else []


def count(filters: Filters, shown: dict[str, int] | None = None) -> Count:
    """How many leads meet the filters: exact up to 10,000 (a search: 1,000), else the planner's estimate, rounded."""
    restriction = _restrict(filters, shown or models(), ordered=False)
    cap = COUNT_CAP if not filters.q else SEARCH_COUNT_CAP
    n = SQL.count_upto.value({"cap": cap}, joins=restriction.joins, filters=restriction.filters)
    if n < cap:
        return Count(n, True)
    estimate = max(_estimate(restriction), cap)
    unit = 10 ** (len(str(estimate)) - 3)
    return Count(round(estimate / unit) * unit, False)


def export_rows(filters: Filters, limit: int, now: datetime) -> list[dict[str, Any]]:
    """All of everybody who meets the filters, in the list's order, at most `limit`; the export is written down."""
    rows = list(islice(exported(filters), limit))
    told_of_export(filters, len(rows), now)
    return rows


def exported(filters: Filters) -> Iterator[dict[str, Any]]:
    """All of everybody who meets the filters, in the list's order, 2,000 at a time; for `told_of_export` to note."""
    shown, after = models(), None
    while True:
        found = page(filters, after=after, size=2000, shown=shown, read=SQL.exported)
        yield from found.cards
        if not (after := keyset.read(found.next, *KEYS[filters.sort])):
            return


def told_of_export(filters: Filters, count: int, now: datetime) -> None:
    """Write down that so many leads were taken out as a file, and by which filters."""
    told = {key: value for key, value in asdict(filters).items() if value not in (None, "", False)}
    audit.record("lead.list_exported", "lead", "", now, count=count, filter=told)


def colleagues(company_id: int, lead_id: int) -> list[dict[str, Any]]:
    """Other known people of a company, the most recently active first, at most eight."""
    return SQL.colleagues.rows({"company_id": company_id, "lead_id": lead_id})


def chosen_sql(filters: Filters) -> sql.Composable:
    """A SELECT of lead_id of everybody who meets the filters, for the verbs that take a `select`."""
    return sql.SQL(_chosen(_restrict(filters, models(), ordered=False)))  # type: ignore[arg-type]


def _chosen(restriction: _Restriction) -> str:
    return SQL.chosen.compose(joins=restriction.joins, filters=restriction.filters)


def _restrict(filters: Filters, shown: dict[str, int], *, ordered: bool = True) -> _Restriction:
    needs_score = filters.score_min is not None or (ordered and filters.sort == "score")
    joins: list[sql.Composable] = (
        [_JOINS["score"].format(model=sql.Literal(shown["score_model"]))] if needs_score else []
    )
    if ordered and filters.sort == "active":
        joins.append(_JOINS["active"])
    parts: list[sql.Composable] = []
    for name, clause in _CLAUSES.items():
        value = getattr(filters, name)
        if value not in (None, "", False):
            parts.append(clause.format(sql.Literal(value)))
    if filters.unowned:
        parts.append(sql.SQL("l.owner_id IS NULL"))
    if filters.complete is not None:
        parts.append(sql.SQL("l.missing = 0" if filters.complete else "l.missing > 0"))
    for term in _terms(filters.q):
        asked = sql.Literal(term[:60])
        parts.append(_HOLDS.format(term=asked))
        if len(term) > 2:
            parts.append(_READS.format(term=asked))
    return _Restriction(sql.SQL("").join(joins), sql.SQL(" AND ").join(parts) if parts else sql.SQL("true"))


def _terms(q: str) -> list[str]:
    """The words that must all be found, at most five; a telephone number typed with blanks is one word."""
    plain = unicodedata.normalize("NFKC", q.replace("\x00", ""))
    return ["".join(plain.split())] if _NUMBER.fullmatch(plain) else plain.split()[:5]


_NUMBER = re.compile(r"[\d\s+()‐−-]*\d[\d\s+()‐−-]*")
_CLAUSES = {
    "phase": sql.SQL("EXISTS (SELECT 1 FROM lead_phase x WHERE x.lead_id = l.lead_id AND x.phase_id = {})"),
    "segment": sql.SQL("EXISTS (SELECT 1 FROM segment_member x WHERE x.lead_id = l.lead_id AND x.segment_id = {})"),
    "source": sql.SQL("l.source_id = {}"),
    "tag": sql.SQL("EXISTS (SELECT 1 FROM lead_tag x WHERE x.lead_id = l.lead_id AND x.tag = {})"),
    "owner": sql.SQL("l.owner_id = {}"),
    "score_min": sql.SQL("sc.total >= {}"),
    "state": sql.SQL("l.state = {}"),
    "company": sql.SQL("l.company_id = {}"),
}
# the index finds leads that hold every gram of the term; where that is more than one, the text itself then decides
_HOLDS = sql.SQL("l.lead_id IN (SELECT g.lead_id FROM lead_search g WHERE g.grams @> search_asks({term}))")
_READS = sql.SQL(
    "strpos(search_fold(concat_ws(chr(1), l.last_name || l.first_name, l.last_kana || l.first_kana, l.company_name,"
    " l.email, l.phone, regexp_replace(l.phone, '^[+]81', '0'), regexp_replace(l.mobile, '^[+]81', '0'))),"
    " search_fold({term})) > 0"
)


def _after(filters: Filters, after: tuple[Any, ...] | None) -> sql.Composable:
    if not after:
        return sql.SQL("true")
    rank, lead_id = after
    return sql.SQL("({rank}, l.lead_id) < ({value}, {lead_id})").format(
        rank=_RANKS[filters.sort], value=sql.Literal(rank), lead_id=sql.Literal(lead_id)
    )


def _estimate(restriction: _Restriction) -> int:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + _chosen(restriction), {})
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
