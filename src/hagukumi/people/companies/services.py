"""Verbs of companies: one row per company, however its name is spelled."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.forms.models import model_to_dict
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.kit import ja

from .models import Company
from .queries import SQL
from .rules import INDUSTRIES

_SPELLED = sql.SQL(
    "SELECT * FROM unnest({}::text[], {}::text[], {}::text[], {}::text[], {}::text[])"
    " AS t (name, legal_form, form_position, match_key, core)"
)


def correct(company: Company, now: datetime) -> Company:
    """Keep a company's facts as a person has put them right; what differs from before is written down."""
    with transaction.atomic():
        before = Company.objects.get(pk=company.pk)
        company.updated_at = now
        company.save()
        old, new = ({**model_to_dict(one), "updated_at": None} for one in (before, company))
        if changes := audit.changed(old, new):
            audit.record("company.saved", "company", company.pk, now, changes=changes, name=company.name)
    return company


def ensure_from(select: sql.Composable, *, now: datetime) -> int:
    """Make the new ones of `select` (yields name, legal_form, form_position, match_key, core); returns how many.

    A bare name means the one company that has it with a legal form, whichever of the two comes first.
    """
    SQL.adopt.run({"now": now}, found=select)
    return sum(SQL.ensure.run({"now": now, "formed": formed}, found=select) for formed in (True, False))


def forget_from(select: sql.Composable, *, now: datetime) -> int:
    """Take back what `ensure_from` has made at `now` of `select` (yields match_key); returns how many."""
    return SQL.forget.run({"now": now}, found=select)


def fill_from(select: sql.Composable, *, replace: bool, now: datetime) -> list[int]:
    """Put what `select` says of companies into what is not known of them; the ids of those that changed.

    `select` yields match_key, place (its order), corporate_number, industry, sales_yen and employees as text, '' for
    nothing. The first that says something counts; with `replace` the last, and it beats what is known.
    """
    return [row["id"] for row in SQL.fill.rows({"replace": replace, "now": now}, found=select)]


def set_industry(company_id: int, industry: str, *, now: datetime) -> None:
    """Say what a company does: a key of `rules.INDUSTRIES`, '' for unknown. ValueError for another word."""
    if industry and industry not in INDUSTRIES:
        raise ValueError(industry)
    Company.objects.filter(pk=company_id).update(industry=industry, updated_at=now)


def resolve(spelled: Sequence[tuple[str, str]], *, now: datetime) -> list[int | None]:
    """The company of each (name as typed, mail address), in order; made where its name is new.

    Without a name the address's domain decides, where a company is known by it; else None.
    """
    names = [name.strip()[:200] for name, _ in spelled]
    found = [ja.company(name) for name in names]
    keys = [company.key[:200] for company in found]
    if named := [(n, c.form, c.position, k, c.core[:200]) for n, c, k in zip(names, found, keys, strict=True) if k]:
        columns = [sql.Literal(list(column)) for column in zip(*named, strict=True)]
        ensure_from(_SPELLED.format(*columns), now=now)
    ids = {row["match_key"]: int(row["id"]) for row in SQL.by_key.rows({"keys": [key for key in keys if key]})}
    domains = [ja.email(address).rpartition("@")[2] for _, address in spelled]
    by_domain = {
        row["domain"]: int(row["company_id"])
        for row in SQL.by_domain.rows({"domains": [d for d, key in zip(domains, keys, strict=True) if d and not key]})
    }
    return [ids.get(key) if key else by_domain.get(domain) for key, domain in zip(keys, domains, strict=True)]
