"""The company list and what one company's page shows, each part in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from hagukumi.kit import ja, keyset
from hagukumi.kit.sql import Queries

SQL = Queries(__file__, "reads.sql")
LAST = 2**63 - 1


@dataclass(frozen=True)
class Filters:
    """`q` is looked for in the name (folded); `industry` is a key of `rules.INDUSTRIES`; '' does not restrict."""

    q: str = ""
    industry: str = ""


def page(filters: Filters, *, before: int = LAST) -> tuple[list[dict[str, Any]], str]:
    """One page, newest first, of companies with smaller ids than `before`, and the mark of the next ('' = the last)."""
    limit = keyset.PAGE_SIZE + 1
    found = SQL.list_companies.rows({"before": before, "limit": limit}, filters=_restrict(filters))
    return keyset.page(found, "id")


def count(filters: Filters) -> int:
    return int(SQL.count_companies.value(filters=_restrict(filters)))


def _restrict(filters: Filters) -> sql.Composable:
    parts: Sequence[sql.Composable] = [
        sql.SQL("strpos(search_fold(c.name), search_fold({})) > 0").format(sql.Literal(word[:60]))
        for word in filters.q.replace("\x00", "").split()[:5]
    ]
    if filters.industry:
        parts = [*parts, sql.SQL("c.industry = {}").format(sql.Literal(filters.industry))]
    return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")


def people(company_id: int, limit: int = 50) -> list[dict[str, Any]]:
    """Known people of a company, the best score first."""
    return SQL.company_people.rows({"company_id": company_id, "limit": limit})


def activity(company_id: int, since: datetime) -> list[dict[str, Any]]:
    """What a company's people did since then: rows of kind, n, people, last_at, the most frequent first."""
    return SQL.company_activity.rows({"company_id": company_id, "since": since})


def deals(company_id: int) -> list[dict[str, Any]]:
    """The company's deals, newest first, at most 50."""
    return SQL.company_deals.rows({"company_id": company_id})


def spelled(name: str) -> dict[str, str]:
    """The columns that follow from a company's name: name, legal_form, form_position, match_key."""
    found = ja.company(name)
    return {"name": name, "legal_form": found.form, "form_position": found.position, "match_key": found.key[:200]}
