"""What a branch waits for: which kinds of fact can bring it about, and who of some people has done it, as SQL."""

from datetime import datetime

from psycopg import sql

from hagukumi.channels.mail import kinds as message_kinds
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.collect.tracking import kinds as tracking_kinds
from hagukumi.judge.segments import services as segments
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause

from . import rules

_KINDS = {
    "opened": message_kinds.MAIL_OPENED.code,
    "clicked": message_kinds.MAIL_CLICKED.code,
    "visited": tracking_kinds.PAGE_VIEW.code,
    "answered": form_kinds.FORM_SUBMITTED.code,
}


def branch_causes(branch: rules.Branch) -> tuple[Cause, ...]:
    """The facts that can make the branch's test hold."""
    if isinstance(branch.test, rules.Holds):
        return segments.dependencies(branch.test.tree).causes
    return (Cause(frozenset({_KINDS[branch.test.type]}), _object(branch.test)),)


def passing(branch: rules.Branch, who: sql.Composable, now: datetime) -> sql.Composed:
    """SELECT lead_id, visit of those in `who` (SELECT lead_id, visit, entered_at) for whom the branch's test holds.

    Behaviour counts from the moment the person entered the scenario: a visit of last year opens no door today.
    """
    if isinstance(branch.test, rules.Holds):
        scope = sql.SQL("SELECT lead_id FROM ({who}) AS scope").format(who=who)
        members = segments.members_sql(branch.test.tree, now, scope)
        return _HOLDS.format(who=who, members=members)
    return _DONE.format(
        who=who,
        kind=sql.Literal(_KINDS[branch.test.type]),
        object=_object(branch.test),
        now=sql.Literal(now),
        by_a_person=ledger.BY_A_PERSON,
    )


_HOLDS = sql.SQL("SELECT who.lead_id, who.visit FROM ({who}) AS who WHERE who.lead_id IN ({members})")
# LIMIT keeps this a probe of the ledger's primary key per person; flattened, it could read all activity of the kind
_DONE = sql.SQL(
    "SELECT who.lead_id, who.visit FROM ({who}) AS who CROSS JOIN LATERAL ("
    "SELECT 1 FROM activity a WHERE a.lead_id = who.lead_id AND a.at >= who.entered_at AND a.at <= {now}"
    " AND a.kind = {kind} AND {object} AND {by_a_person} LIMIT 1) AS done"
)


def _object(test: rules.Opened | rules.Clicked | rules.Visited | rules.Answered) -> sql.Composable:
    """A boolean over `object_id`."""
    if isinstance(test, rules.Visited):
        if test.page_id is not None:
            return sql.SQL("object_id = {}").format(sql.Literal(test.page_id))
        return sql.SQL("object_id IN (SELECT id FROM page WHERE category = {})").format(sql.Literal(test.category))
    wanted = test.form_id if isinstance(test, rules.Answered) else test.message_id
    return sql.SQL("object_id = {}").format(sql.Literal(wanted or 0))
