"""Verbs of the segments: read conditions, keep membership in line with the facts, say why somebody is in."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.kit import keyset
from hagukumi.ledger import beats, builds, definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause
from hagukumi.ledger.uses import Use
from hagukumi.ledger.uses import of as users_of
from hagukumi.people.leads.rules import KNOWN

from . import compiler, kinds, leaves, rules
from .asking import SCOPE as SCOPE
from .asking import Work as Work
from .asking import ask as ask
from .asking import concerned as concerned
from .asking import forget_dues as forget_dues
from .asking import gather as gather
from .asking import in_force as in_force
from .asking import keep_dues as keep_dues
from .asking import of_object as of_object
from .asking import rebuild_dues as rebuild_dues
from .asking import scope_sql as scope_sql
from .asking import work as work
from .compiler import Dependencies
from .conditions import (
    MAX_DEPTH,
    Condition,
    ConditionError,
    Evidence,
    Moment,
    Tree,
    depth_of,
    dump,
    language,
    literal,
    parse,
    register,
    words,
)
from .conditions import leaves as known_leaves
from .models import Segment
from .queries import SQL

__all__ = ["Condition", "ConditionError", "Evidence", "Tree", "parse"]  # read by the rooms above
register_condition = register


def leaf_types() -> list[type[Condition]]:
    """Every type of condition, of this room and those above."""
    return list(known_leaves().values())


for _leaf in leaves.LEAVES:
    register(_leaf)
BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def validate(tree: Tree) -> Condition:
    """The tree, typed, with every name in it known to the house; ConditionError says what is wrong."""
    node = parse(tree)
    for part in _walk(node):
        part.check()
    return node


def document(tree: Tree) -> dict[str, Any]:
    """The JSON document to store; ConditionError as `validate`."""
    return dump(validate(tree))


def members_sql(tree: Tree, now: datetime, scope: sql.Composable | None = None) -> sql.Composed:
    """SELECT lead_id of the known leads that satisfy the tree at `now`, each once, within `scope` (SELECT of lead_id).

    Fit for a slot of a named query. ConditionError where the tree is not evaluable.
    """
    return compiler.members(parse(tree), Moment(now, scope))


def batch_sql(tree: Tree, now: datetime, scope: sql.Composable) -> sql.Composed:
    """As `members_sql`, of a batch of the beat: every table is read by its leads. To be run in `ledger.by_index`."""
    return compiler.members(parse(tree), Moment(now, scope, by_index=True))


def dependencies(tree: Tree) -> Dependencies:
    """What may change the tree's answer: kinds of activity, time, definition tables, other segments."""
    if isinstance(tree, Mapping) and depth_of(tree) <= MAX_DEPTH:
        return _dependencies_of(json.dumps(tree, sort_keys=True))
    return compiler.dependencies(parse(tree), Moment(BEGINNING))


@lru_cache(maxsize=4096)
def _dependencies_of(document: str) -> Dependencies:
    """By the tree's text: every beat asks it of every definition."""
    return compiler.dependencies(parse(json.loads(document)), Moment(BEGINNING))


def dependencies_of(trees: Iterable[Tree]) -> Dependencies:
    """What may change any of the trees' answers."""
    found = [dependencies(tree) for tree in trees]
    return Dependencies(
        kinds=frozenset().union(*(one.kinds for one in found)),
        timed=any(one.timed for one in found),
        tables=frozenset().union(*(one.tables for one in found)),
        segments=frozenset().union(*(one.segments for one in found)),
        causes=tuple(cause for one in found for cause in one.causes),
    )


def sentence(tree: Tree, lang: str = "ja") -> str:
    """The tree in words: 「90日以上行動がないリード」, "Leads where ..."."""
    return f"{clause(tree, lang)}リード" if lang == "ja" else f"Leads where {clause(tree, lang)}"


def clause(tree: Tree, lang: str = "ja") -> str:
    """The tree as a proposition, for sentences of one's own (「…とき」, "when ...")."""
    return parse(tree).clause(lang)


@dataclass(frozen=True)
class Count:
    """How many leads; `error` is half the width of the 95 % interval, 0 where the count is exact."""

    n: int
    exact: bool
    error: int = 0


def count(tree: Tree, now: datetime) -> Count:
    """How many leads satisfy the tree: exact, or from a hash sample of one in 32 where the leads are many."""
    node = validate(tree)
    among = sample()
    found = int(SQL.count_members.value(members=compiler.members(node, Moment(now, among))))
    if among is None:
        return Count(found, exact=True)
    return Count(found * rules.SAMPLE_SHARE, exact=False, error=round(1.96 * found**0.5 * rules.SAMPLE_SHARE))


def sample() -> sql.Composed | None:
    """SELECT lead_id of the hash sample that stands for everybody where the leads are many; None where they are few."""
    if int(SQL.lead_estimate.value()) <= rules.SAMPLE_ABOVE:
        return None
    return sql.SQL("SELECT l.lead_id FROM lead l WHERE hashint8(l.lead_id) & {} = 0 AND {}").format(
        literal(rules.SAMPLE_SHARE - 1), KNOWN
    )


@dataclass(frozen=True)
class Reason:
    """One part of a tree, asked for one lead. `depth` 0 is the tree itself; groups have no evidence of their own."""

    sentence: str
    holds: bool
    depth: int
    group: bool
    evidence: list[Evidence] = field(default_factory=list)


def explain(tree: Tree, lead_id: int, now: datetime) -> list[Reason]:
    """Every part of the tree, parents first, with its answer for this lead and at most three facts behind each leaf."""
    parts = list(_with_depth(parse(tree)))
    moment = Moment(now, sql.SQL("SELECT {}::bigint AS lead_id").format(literal(lead_id)))
    tests = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(compiler.where(part, moment), sql.Identifier(f"c{number}"))
        for number, (part, _) in enumerate(parts)
    )
    row = SQL.answers.row({"lead_id": lead_id}, tests=tests)
    if row is None:
        return []
    lang = language()
    return [
        Reason(
            part.clause(lang),
            bool(row[f"c{number}"]),
            depth,
            bool(part.children()),
            [] if part.children() else part.evidence(lead_id, now),
        )
        for number, (part, depth) in enumerate(parts)
    ]


# -- definitions ----------------------------------------------------------------------------------------------


def save(
    name: str,
    tree: Tree,
    *,
    now: datetime,
    segment_id: int | None = None,
    key: str | None = None,
    next_action: str = "",
) -> Segment:
    """Create or change a segment; the next beat builds it. ConditionError for a bad tree, an empty name or a cycle."""
    if not name.strip():
        raise ConditionError(words("名前を入れてください", "give it a name"))
    node = validate(tree)
    with transaction.atomic():
        if segment_id is not None:
            _refuse_cycle(segment_id, compiler.dependencies(node, Moment(BEGINNING)).segments)
        values: dict[str, Any] = {
            "name": name.strip()[:80],
            "tree": dump(node),
            "next_action": next_action.strip()[:200],
            "built_at": None,
            "updated_at": now,
        }
        if segment_id is None:
            saved = Segment.objects.create(**values, key=key, created_at=now)
            audit.record("segment.saved", "segment", saved.id, now, name=saved.name)
            return saved
        before = Segment.objects.get(id=segment_id)
        Segment.objects.filter(id=segment_id).update(**values)
        builds.restart("segment", [segment_id])
        definitions.reinstate("segment", segment_id)
        saved = Segment.objects.get(id=segment_id)
        changes = {"name": (before.name, saved.name), "sentence": (_told(before.tree), _told(saved.tree))}
        audit.record("segment.saved", "segment", saved.id, now, name=saved.name, changes=changes)
        return saved


def _told(tree: Tree) -> str:
    """A stored condition in words, for the audit log; '' where it can no longer be read."""
    try:
        return clause(tree)
    except ConditionError:
        return ""


def stands_on(tree: Tree) -> frozenset[tuple[str, int]]:
    """(table, id) of the definitions that a condition names; none where it can no longer be read."""
    try:
        return frozenset(ref for part in _walk(parse(tree)) for ref in part.points_to())
    except ConditionError:
        return frozenset()


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The segments that stand on a definition."""
    for segment in active():
        if (table, object_id) in stands_on(segment.tree):
            yield Use("セグメント", "segment", segment.name, f"/segments/{segment.id}/")


def archive(segment_id: int, *, now: datetime) -> int:
    """Put a segment away: its members leave. ConditionError while something stands on it. Returns how many left."""
    if users := users_of("segment", segment_id):
        told = "、".join(f"{use.ja}「{use.name}」" for use in users)
        raise ConditionError(
            words(f"{told}で使われています", "it is used by " + ", ".join(f'{use.en} "{use.name}"' for use in users))
        )
    with transaction.atomic():
        ledger.open_beat_tables()
        Segment.objects.filter(id=segment_id).update(archived_at=now, updated_at=now)
        builds.restart("segment", [segment_id])
        left = SQL.forget.run({"segment_id": segment_id, "now": now, "left": kinds.SEGMENT_LEFT.code})
        ledger.record_pending()
        forget_dues("segment", segment_id)
        definitions.reinstate("segment", segment_id)
        name = Segment.objects.values_list("name", flat=True).get(id=segment_id)
        audit.record("segment.archived", "segment", segment_id, now, name=name, count=left)
    return left


def active() -> list[Segment]:
    """Segments in use, in name order."""
    return list(Segment.objects.filter(archived_at=None).order_by("name", "id"))


def definitions_changed(table: str) -> int:
    """A definition (`page`, `form`, `source`) was edited: rebuild the segments that read it."""
    stale = [segment.id for segment in active() if table in _tables_of(segment)]
    builds.restart("segment", stale)
    return Segment.objects.filter(id__in=stale).update(built_at=None)


def member_counts() -> dict[int, int]:
    """Members by segment id; segments with none are absent."""
    return {row["segment_id"]: row["members"] for row in SQL.member_counts.rows()}


def member_page(
    segment_id: int, after: tuple[datetime, int] | None = None, limit: int = keyset.PAGE_SIZE
) -> tuple[list[dict[str, Any]], str]:
    """Members newest first, and the mark of the next page ('' at the end); `after` is (since, lead_id)."""
    since, lead_id = after or (None, None)
    rows = SQL.member_page.rows({"segment_id": segment_id, "since": since, "after": lead_id, "limit": limit + 1})
    return keyset.page(rows, "since", "lead_id", size=limit)


# -- the beat -------------------------------------------------------------------------------------------------


def ask_afresh(segment_id: int) -> int:
    """The next beat asks the segment of everybody."""
    return Segment.objects.filter(id=segment_id).update(built_at=None)


def causes() -> Iterator[Cause]:
    """The facts that segments read: those built and those being built (what is not, will see everything)."""
    for _segment, found in _in_force():
        yield from found


def _in_force(turn: definitions.Turn | None = None) -> list[tuple[Segment, tuple[Cause, ...]]]:
    """Segments that facts may concern, each after those it stands on, with their causes."""
    segments = in_order(beats.once("segments", active))
    return list(in_force("segment", segments, lambda segment: dependencies(segment.tree).causes, turn))


def step(now: datetime) -> int:
    """The segments' part of a beat: re-ask whom touched facts and the clock may have moved in or out."""
    todo = work("segment", now)
    if not todo:
        return 0
    turn = definitions.turn("segment", now)
    return ask("segment", _in_force(turn), todo, turn, partial(_refresh, now))


def _refresh(now: datetime, segment: Segment, found: tuple[Cause, ...]) -> int:
    node = parse(segment.tree)
    scope = scope_sql("segment", segment.id, found, now)
    gather(scope, found, now)
    changed = SQL.refresh.run(
        {
            "segment_id": segment.id,
            "now": now,
            "entered": kinds.SEGMENT_ENTERED.code,
            "left": kinds.SEGMENT_LEFT.code,
        },
        scope=scope,
        members=batch_sql(node, now, SCOPE),
    )
    keep_dues("segment", [(segment.id, node)], of_object(scope, segment.id), now)
    return changed


UNBUILT = sql.SQL("SELECT id FROM segment WHERE built_at IS NULL AND archived_at IS NULL")


def build(operation: builds.Operation) -> int | None:
    """Make those the members of an unbuilt segment for whom it holds now; None: it broke and is set aside."""
    segment = Segment.objects.get(id=operation.object_id)
    with definitions.turn("segment", operation.now).attempt(segment.id):
        node = validate(segment.tree)
        told = ledger.readers_of([(kind.code, segment.id) for kind in kinds.KINDS])
        row = SQL.build.row(
            {
                "segment_id": segment.id,
                "now": operation.now,
                "operation_id": operation.id,
                "entered": kinds.SEGMENT_ENTERED.code,
                "left": kinds.SEGMENT_LEFT.code,
                "told": [kind for kind, _ in told],
            },
            members=compiler.members(node, Moment(operation.now)),
        )
        assert row is not None
        operation.counts.update(row)
        rebuild_dues("segment", [(segment.id, node)], operation.now)
        SQL.built.run({"segment_id": segment.id, "now": operation.now})
        return int(row["entered"] + row["left"])
    return None


def build_order(ids: list[int]) -> list[int]:
    """The segments so that each comes after those it stands on."""
    return [segment.id for segment in in_order([one for one in active() if one.id in ids])]


def segments_at(lead_id: int, at: datetime) -> list[int]:
    """The ids of the segments that a lead was a member of at an instant."""
    params = {"lead_id": lead_id, "at": at, "entered": kinds.SEGMENT_ENTERED.code, "left": kinds.SEGMENT_LEFT.code}
    return [row["segment_id"] for row in SQL.members_at.rows(params)]


def in_order(segments: list[Segment]) -> list[Segment]:
    """Segments so that each comes after those it stands on."""
    by_id = {segment.id: segment for segment in segments}
    done: dict[int, Segment] = {}

    def place(segment: Segment, path: frozenset[int]) -> None:
        if segment.id in done or segment.id in path:
            return
        for below in sorted(_segments_of(segment)):
            if below in by_id:
                place(by_id[below], path | {segment.id})
        done[segment.id] = segment

    for segment in segments:
        place(segment, frozenset())
    return list(done.values())


def _refuse_cycle(segment_id: int, below: frozenset[int]) -> None:
    stands_on = {segment.id: _segments_of(segment) for segment in active()}
    seen, todo = set(), list(below)
    while todo:
        current = todo.pop()
        if current == segment_id:
            raise ConditionError(words("セグメントが自分自身を参照しています", "the segment would stand on itself"))
        if current not in seen:
            seen.add(current)
            todo += stands_on.get(current, frozenset())


def _segments_of(segment: Segment) -> frozenset[int]:
    """Ids of the segments that this one's tree reads; none where the tree is broken (the step sets it aside)."""
    try:
        return frozenset(part.segment for part in _walk(parse(segment.tree)) if hasattr(part, "segment"))
    except ConditionError:
        return frozenset()


def _tables_of(segment: Segment) -> frozenset[str]:
    try:
        return dependencies(segment.tree).tables
    except ConditionError:
        return frozenset()


def _walk(node: Condition) -> list[Condition]:
    return [part for part, _ in _with_depth(node)]


def _with_depth(node: Condition, depth: int = 0) -> list[tuple[Condition, int]]:
    return [(node, depth), *(found for child in node.children() for found in _with_depth(child, depth + 1))]


# -- ready-made -----------------------------------------------------------------------------------------------

READY_MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "dormant": (
        "休眠",
        "興味を引く事例メールで、もう一度接点をつくる",
        {"type": "recency", "group": "any", "days": 90, "idle": True},
    ),
    "considering": (
        "検討中",
        "導入事例と料金の資料を案内する",
        {
            "type": "any",
            "items": [
                {
                    "type": "activity",
                    "kinds": ["page_view"],
                    "page_categories": ["price", "case"],
                    "at_least": 3,
                    "days": 30,
                },
                {"type": "activity", "kinds": ["content_downloaded", "download"], "at_least": 1, "days": 30},
            ],
        },
    ),
    "new": ("新規", "ウェルカムメールを送る", {"type": "known_since", "days": 30, "within": True}),
}


def ready_made(now: datetime) -> int:
    """Make 休眠, 検討中 and 新規 where they were never made; returns how many."""
    there = set(Segment.objects.exclude(key=None).values_list("key", flat=True))
    missing = {key: made for key, made in READY_MADE.items() if key not in there}
    for key, (name, action, tree) in missing.items():
        save(name, tree, now=now, key=key, next_action=action)
    return len(missing)
