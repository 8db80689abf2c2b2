"""Taking people in: every door (file, form, API, click) resolves people here, a whole batch per statement.

Who a row is: by the number we gave the person ourselves (our own export); by its personal address; else by its id of
another system; by telephone + name; by company + name where exactly one lead answers. A shared address (info@) counts
only together with the name. Two different personal addresses are two people, whatever else agrees. What two people
answer to is nobody's and is rejected.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.kit import ja
from hagukumi.kit import lazy as modules
from hagukumi.ledger import services as ledger
from hagukumi.people.companies import services as companies
from hagukumi.people.consent import services as consent
from hagukumi.people.fields import mapping
from hagukumi.people.fields.companies import FACTS as COMPANY_FACTS
from hagukumi.people.fields.normalise import Normaliser
from hagukumi.people.leads import kinds
from hagukumi.people.leads import services as leads

from .queries import INTAKE as SQL

if TYPE_CHECKING:
    import polars as pl
else:
    pl = modules.Module("polars")

_TEMPORARY = ("incoming", "settled", "lead_change", "news")
_ROLES = sorted(ja.ROLE_PARTS)
_COMPANIES = sql.SQL(
    "SELECT company_name AS name, legal_form, form_position, company_key AS match_key, company_core AS core"
    " FROM incoming WHERE company_key <> ''"
)
_COMPANY_FACTS = sql.SQL(
    "SELECT i.company_key AS match_key, i.row_no AS place, i.corporate_number, i.industry, i.sales_yen, i.employees"
    " FROM incoming i JOIN settled s ON s.row_no = i.row_no WHERE s.lead_id IS NOT NULL AND i.company_key <> ''"
)
_NOBODYS_COMPANIES = sql.SQL(
    "SELECT DISTINCT i.company_key AS match_key FROM incoming i JOIN settled s ON s.row_no = i.row_no"
    " WHERE s.lead_id IS NULL AND i.company_key <> '' AND NOT EXISTS ("
    "SELECT FROM company c JOIN lead l ON l.company_id = c.id WHERE c.match_key = i.company_key)"
)
_MAILABLE = sql.SQL(
    "SELECT DISTINCT s.lead_id, l.email AS address FROM settled s JOIN incoming i ON i.row_no = s.row_no"
    " JOIN lead l ON l.lead_id = s.lead_id WHERE NOT i.no_mail AND l.email <> ''"
)
OUTCOMES = sql.SQL(
    "SELECT s.row_no, s.lead_id, CASE WHEN s.fresh THEN 1 WHEN c.row_no IS NOT NULL THEN 2 ELSE 3 END AS outcome"
    " FROM settled s LEFT JOIN (SELECT row_no FROM lead_change UNION SELECT row_no FROM news) AS c"
    " ON c.row_no = s.row_no WHERE s.lead_id IS NOT NULL"
)
"""After `merge`: row_no, lead_id and outcome (1 created, 2 updated, 3 unchanged) of each row that is somebody's."""
_SMALL = 200
"""Up to this many rows go in as one JSON parameter; more by COPY."""


@dataclass(frozen=True)
class Terms:
    """How a batch is taken in. `basis` of consent ('' = none given); `replace`: incoming values beat those on file."""

    now: datetime
    source_id: int | None = None
    basis: str = ""
    evidence: str = ""
    replace: bool = False
    import_id: int | None = None
    user_id: int | None = None


@dataclass
class Counts:
    """How rows came out: created + updated + unchanged + rejected = rows; `nobodys`: numbers of the ambiguous ones.

    `stopped`: people whom the basis would have made mailable, had they (or a colleague for them) not stopped mail.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    nobodys: list[int] = field(default_factory=list)
    stopped: int = 0

    def add(self, other: Counts) -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.nobodys += other.nobodys
        self.stopped += other.stopped

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + self.rejected


class RowError(ValueError):
    """Row `index` (from 0) cannot be taken in: `reason` is a key of `rules.REASONS`, `column` what it is about."""

    def __init__(self, index: int, reason: str, column: str = "") -> None:
        super().__init__(f"row {index}: {reason} {column}".strip())
        self.index = index
        self.reason = reason
        self.column = column


def open_tables() -> None:
    """Make this session's temporary tables; cheap when they are there."""
    ledger.open_beat_tables()
    for query in (SQL.open_incoming, SQL.open_settled, SQL.open_lead_change, SQL.open_news):
        query.run()


def clear_tables(*, facts: bool = False) -> None:
    """Empty the batch's tables; with `facts` also `fact`, where nothing of a beat can be waiting in it."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join([*_TEMPORARY, "fact"] if facts else _TEMPORARY))


def stage(rows: pl.DataFrame) -> None:
    """Put normalised rows into `incoming`: few as JSON, many by COPY with fresh statistics."""
    if rows.height <= _SMALL:
        SQL.fill_incoming.run({"rows": json.dumps(rows.to_dicts(), ensure_ascii=False, default=str)})
        return
    copy_in("incoming", rows.select(name for name in rows.columns if not _says_nothing(rows[name])))
    with connection.cursor() as cursor:  # a small sample: the planner needs sizes, not histograms
        cursor.execute("SET LOCAL default_statistics_target = 5")
        cursor.execute("ANALYZE incoming (row_no, tier, leader, email_value, phone_key, mobile_key, company_key, crm)")
        cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")


def _says_nothing(column: pl.Series) -> bool:
    """Whether a text column is empty in every row: then its default does."""
    return column.dtype == pl.String and column.null_count() == 0 and not (column != "").any()


def copy_in(table: str, rows: pl.DataFrame) -> None:
    """COPY a frame into the columns of the same names; nulls stay null, empty texts stay empty."""
    out = io.BytesIO()
    rows.write_csv(out, include_header=False)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(out.getbuffer())


def sound_statistics() -> None:
    """Have the planner look again at tables that it takes for nearly empty; keeps autovacuum off them until commit."""
    for row in SQL.misjudged.rows():
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(row["relname"])))


def merge(rows: pl.DataFrame, terms: Terms) -> Counts:
    """Merge what `stage` has put into `incoming` (given again as `rows`, to know what is in it) into the one database.

    In the caller's transaction. Statements are per batch, not per row.
    """
    has = set(rows.columns)
    if "company_key" in has:
        companies.ensure_from(_COMPANIES, now=terms.now)
        SQL.name_companies.run()
    if "asked_id" in has:
        SQL.match_id.run()
    for tier in sorted(set(rows["tier"]) - {5}):
        _settle(tier, terms, has, doubles=bool((rows["leader"] != rows["row_no"]).any()))
    if "email_also" in has:
        SQL.claim_more_addresses.run()
    found = SQL.counts.row() or {}
    if found["created"] < rows.height:
        _change(terms, has)
    _tell(terms, has)
    stopped = _record_consent(terms, has)
    about_companies = bool(has & COMPANY_FACTS.keys()) and "company_key" in has
    if about_companies:
        SQL.note_company_news.run({"replace": terms.replace})
    found = SQL.counts.row() or {}
    nobodys = [row["row_no"] for row in SQL.nobodys.rows()] if found["rejected"] else []
    if about_companies:
        changed = companies.fill_from(_COMPANY_FACTS, replace=terms.replace, now=terms.now)
        leads.companies_changed(changed, now=terms.now)
    if nobodys and "company_key" in has:
        companies.forget_from(_NOBODYS_COMPANIES, now=terms.now)
    return Counts(found["created"], found["updated"], found["unchanged"], found["rejected"], nobodys, stopped)


def _settle(tier: int, terms: Terms, has: set[str], *, doubles: bool) -> None:
    """Find or make the lead of every row of one tier: the keys are claimed first, then the leads written."""
    params = {"tier": tier, "now": terms.now, "source_id": terms.source_id, "roles": _ROLES}
    if tier == 1:
        SQL.match_email.run()
        if "email_also" in has:
            SQL.match_email_also.run()
    if "crm" in has:
        SQL.match_crm.run(params)
    if has & {"phone", "mobile"}:
        SQL.match_phone.run(params)
    if "company_key" in has and tier != 2:
        (SQL.match_name_unmailed if tier == 1 else SQL.match_name).run(params)
    if doubles:
        SQL.follow_leader.run(params)
    made = SQL.assign.run(params)
    if tier in (1, 2):
        if "crm" in has and terms.import_id:
            SQL.new_ids.run(params)
        claimed = SQL.claim_keys.run(params)
        if claimed < made or "asked_id" in has:  # people found by number claim too, so that the count says less
            SQL.yield_keys.run(params)
    if has & {"phone", "mobile"}:
        SQL.claim_phones.run(params)
    if made:
        SQL.insert_leads.run(params)


def _change(terms: Terms, has: set[str]) -> None:
    params = {"now": terms.now, "replace": terms.replace, "roles": _ROLES, "source_id": terms.source_id}
    SQL.wake_leads.run(params)
    if SQL.find_changes.run(params):
        SQL.apply_changes.run(params)


def _tell(terms: Terms, has: set[str]) -> None:
    """What happened goes to the ledger, each thing once."""
    params = {"now": terms.now, "source_id": terms.source_id, "import_id": terms.import_id, "user_id": terms.user_id}
    if "tags" in has:
        SQL.add_tags.run({**params, "tagged": kinds.TAGGED.code})
    if "booth_talk" in has:
        SQL.tell_booth.run({**params, "kind": kinds.BOOTH_TALK.code})
    if "met_on" in has:
        SQL.tell_card.run({**params, "kind": kinds.CARD_RECEIVED.code})
    if "seminar" in has:
        seminar = {"attended": kinds.SEMINAR_ATTENDED.code, "absent": kinds.SEMINAR_ABSENT.code}
        SQL.tell_seminar.run({**params, **seminar})
    details = json.dumps({"import": terms.import_id}) if terms.import_id else None
    SQL.tell_created.run({**params, "created": kinds.LEAD_CREATED.code, "details": details})
    changed = {"changed": kinds.FIELD_CHANGED.code, "imported": kinds.LEAD_IMPORTED.code}
    SQL.tell_changed.run({**params, **changed})
    ledger.record_pending()


def _record_consent(terms: Terms, has: set[str]) -> int:
    """Refusals and the basis go to the consent room; returns how many people keep their stop against the basis."""
    said: list[tuple[int, int, str]] = []
    if "no_mail" in has:  # people who refuse are few; each refusal is an act of its own
        said += [(row["row_no"], row["lead_id"], row["email"]) for row in SQL.refusals.rows()]
    if "email_also" in has:  # they have refused at another address of theirs: the stricter word
        said += [(row["row_no"], row["lead_id"], row["address"]) for row in SQL.stopped_elsewhere.rows()]
    news = [
        row_no
        for row_no, lead_id, address in said
        if consent.withdraw(lead_id, address=address, reason="manual", evidence=terms.evidence, now=terms.now)
    ]
    if news:
        SQL.note_news.run({"rows": news})
    if not terms.basis:
        return 0
    return consent.grant_from(_MAILABLE, basis=terms.basis, text_id=None, evidence=terms.evidence, now=terms.now).kept


def upsert_people(
    rows: Sequence[Mapping[str, Any]],
    *,
    source_id: int | None,
    basis: str,
    now: datetime,
    evidence: str = "",
    replace: bool = False,
    user_id: int | None = None,
) -> list[int]:
    """Take people in from a form or another system; returns the lead_id of each row, in order.

    Rows hold columns of `lead` (all optional), `crm` and `fields` (own fields by key). Non-empty values fill empty
    ones, and with `replace` beat those on file. RowError names the first bad row; then nothing is written.
    """
    if not rows:
        return []
    frame, columns = _framed(rows)
    staged, rejects, notices = Normaliser(list(columns), columns)(frame)
    if refused := [(one.row_no, one.reason, one.column) for one in rejects] or [
        (one.row_no, one.reason, one.column) for one in notices if one.reason != "second_address"
    ]:  # where a file loses a cell, a form or another system hears of it
        raise RowError(*refused[0])
    with transaction.atomic():
        open_tables()
        clear_tables()
        staged = _with_fields(staged, rows).drop("email_also", strict=False)  # whose they are, staff's files alone say
        stage(staged)
        counts = merge(staged, Terms(now, source_id, basis, evidence, replace, user_id=user_id))
        if counts.nobodys:
            raise RowError(counts.nobodys[0], "ambiguous")
        found = [int(row["lead_id"]) for row in SQL.whose.rows()]
        if audit.by_staff():  # another system's upsert; what a form brings is the answerer's own act
            one = found[0] if len(set(found)) == 1 else ""
            audit.record(
                "lead.upserted", "lead", one, now, count=len(found), created=counts.created, updated=counts.updated,
                basis=basis, replace=replace,
            )  # fmt: skip
        clear_tables()
    return found


def _framed(rows: Sequence[Mapping[str, Any]]) -> tuple[pl.DataFrame, dict[str, str]]:
    keys = sorted({key for row in rows for key in row if key in mapping.TARGETS})
    cells = {
        f"c{place}": pl.Series([str(row.get(key) or "") for row in rows], dtype=pl.String)
        for place, key in enumerate(keys)
    }
    numbers = pl.Series("row_no", range(len(rows)), dtype=pl.Int32)
    return pl.DataFrame({"row_no": numbers, **cells}), {key: key for key in keys}


def _with_fields(staged: pl.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    packed = [json.dumps(row.get("fields") or {}, ensure_ascii=False, default=str) for row in rows]
    return staged.with_columns(pl.Series("fields", packed, dtype=pl.String))
