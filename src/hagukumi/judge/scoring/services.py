"""Verbs of scoring: versions of a model, points kept in line by the beat, every point explained."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError, Evidence, Moment, language, literal, words
from hagukumi.judge.segments.rules import SAMPLE_SHARE
from hagukumi.ledger import beats, builds, definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause
from hagukumi.ledger.uses import Use

from . import kinds, rules
from .models import ScoreModel, ScoreVersion
from .queries import SQL
from .rules import Rule, rules_of


@dataclass(frozen=True)
class Point:
    """One rule, asked for one lead. `counted`: it gives its points (of a group only the highest does)."""

    rule: Rule
    holds: bool
    counted: bool
    evidence: list[Evidence] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.rule.label(language())

    @property
    def points(self) -> int:
        return self.rule.points


@dataclass(frozen=True)
class Score:
    """One lead's points with the rules behind them; the sums are after the maxima."""

    attribute: int
    behaviour: int
    total: int
    attribute_max: int
    behaviour_max: int
    threshold: int
    points: list[Point]

    def side(self, side: str) -> list[Point]:
        return [point for point in self.points if point.rule.side == side]


def default_model() -> ScoreModel | None:
    """The model that speaks where none is named: the oldest."""
    return ScoreModel.objects.select_related("live").order_by("id").first()


def explain(lead_id: int, now: datetime, model_id: int | None = None) -> list[Point]:
    """Every rule of the live version with its answer for this lead and up to three facts each; [] without a model."""
    model = ScoreModel.objects.select_related("live").filter(id=model_id).first() if model_id else default_model()
    if model is None or model.live is None:
        return []
    found = rules_of(model.live.rules)
    answers = {rule.key: segments.explain(rule.tree, lead_id, now) for rule in found}
    best: dict[tuple[str, str], Rule] = {}
    for rule in sorted(found, key=lambda rule: (-rule.points, rule.key)):
        if answers[rule.key] and answers[rule.key][0].holds:
            best.setdefault((rule.side, rule.band), rule)
    return [
        Point(
            rule,
            holds=bool(answers[rule.key] and answers[rule.key][0].holds),
            counted=best.get((rule.side, rule.band)) is rule,
            evidence=_evidence(answers[rule.key]),
        )
        for rule in found
    ]


def score_of(lead_id: int, now: datetime, model_id: int | None = None) -> Score | None:
    """The lead's stored points in a model (None: the default) with their explanation; None before the first beat."""
    row = SQL.score_of.row({"lead_id": lead_id, "model_id": model_id})
    if row is None:
        return None
    version = ScoreVersion.objects.get(id=row["version_id"])
    return Score(
        row["attribute"],
        row["behaviour"],
        row["total"],
        version.attribute_max,
        version.behaviour_max,
        version.threshold,
        explain(lead_id, now, row["model_id"]),
    )


def _evidence(reasons: Sequence[segments.Reason]) -> list[Evidence]:
    return [fact for reason in reasons if reason.holds for fact in reason.evidence][:3]


# -- versions -------------------------------------------------------------------------------------------------


def draft_of(model_id: int, *, now: datetime, user_id: int | None) -> ScoreVersion:
    """The model's unpublished version; made as a copy of the live one where there is none."""
    model = ScoreModel.objects.select_related("live").get(id=model_id)
    draft = ScoreVersion.objects.filter(model=model, published_at=None).order_by("-number").first()
    if draft is not None:
        return draft
    live = model.live
    last = ScoreVersion.objects.filter(model=model).aggregate(last=Max("number"))["last"] or 0
    return ScoreVersion.objects.create(
        model=model,
        number=last + 1,
        rules=live.rules if live else [],
        attribute_max=live.attribute_max if live else rules.ATTRIBUTE_MAX,
        behaviour_max=live.behaviour_max if live else rules.BEHAVIOUR_MAX,
        threshold=live.threshold if live else rules.THRESHOLD,
        created_by_id=user_id,
        created_at=now,
    )


def change_draft(
    version_id: int,
    *,
    changed: Sequence[Rule] | None = None,
    attribute_max: int | None = None,
    behaviour_max: int | None = None,
    threshold: int | None = None,
) -> ScoreVersion:
    """Edit an unpublished version; ConditionError for a published one or a rule that cannot be evaluated."""
    with transaction.atomic():
        version = ScoreVersion.objects.select_for_update().get(id=version_id)
        if version.published_at is not None:
            raise ConditionError(words("公開済みの版は変えられません", "a published version cannot be changed"))
        if changed is not None:
            version.rules = [_checked(rule).as_json() for rule in changed]
        version.attribute_max = version.attribute_max if attribute_max is None else attribute_max
        version.behaviour_max = version.behaviour_max if behaviour_max is None else behaviour_max
        version.threshold = version.threshold if threshold is None else threshold
        version.save()
    return version


def discard(version_id: int) -> int:
    """Throw an unpublished version away; returns 1, or 0 where it was published meanwhile."""
    return ScoreVersion.objects.filter(id=version_id, published_at=None).delete()[0]


def publish(version_id: int, *, now: datetime) -> ScoreVersion:
    """Put a draft in force; the next beat rescores everybody. ConditionError where it has no rule or is published."""
    with transaction.atomic():
        version = ScoreVersion.objects.select_for_update().select_related("model").get(id=version_id)
        if version.published_at is not None:
            raise ConditionError(words("この版はすでに公開されています", "this version is already published"))
        if not version.rules:
            raise ConditionError(words("ルールを1つ以上入れてください", "give at least one rule"))
        for rule in rules_of(version.rules):
            _checked(rule)
        version.published_at, version.built_at = now, None
        version.save()
        old = version.model.live_id
        ScoreModel.objects.filter(id=version.model_id).update(live=version)
        if old is not None:
            segments.forget_dues("score", old)
            builds.restart("score", [old])
        audit.record("score.published", "score", version.model_id, now, version=version.number)
    return version


def _checked(rule: Rule) -> Rule:
    if not rule.label_ja.strip():
        raise ConditionError(words("ルールの名前を入れてください", "give the rule a name"))
    if rule.side not in rules.SIDES or not -100 <= rule.points <= 100 or rule.points == 0:
        raise ConditionError(words("点数は-100〜100（0以外）で入れてください", "points are -100 to 100 and not 0"))
    segments.validate(rule.tree)
    return rule


@dataclass(frozen=True)
class Preview:
    """What a version would do: leads per total, how many would be at the threshold or above, and how many are now.

    Where the leads are many (not `exact`), all numbers are scaled up from a hash sample.
    """

    distribution: list[tuple[int, int]]
    over: int
    over_now: int
    exact: bool = True


def preview(version: ScoreVersion, now: datetime) -> Preview:
    """The effect of a version without putting it in force."""
    sample = segments.sample()
    share = 1 if sample is None else SAMPLE_SHARE
    among = sql.SQL("true") if sample is None else sql.SQL("l.lead_id IN ({})").format(sample)
    rows = SQL.preview.rows(
        {
            "attribute_max": version.attribute_max,
            "behaviour_max": version.behaviour_max,
            "model_id": version.model_id,
        },
        rules=_rules_sql(version, lambda tree: segments.members_sql(tree, now, sample)),
        among=among,
    )
    return Preview(
        [(row["total"], row["leads"] * share) for row in rows],
        sum(row["leads"] for row in rows if row["total"] >= version.threshold) * share,
        sum(row["over_now"] for row in rows) * share,
        exact=sample is None,
    )


def distribution(model_id: int) -> list[tuple[int, int]]:
    """(total, leads) for every total that somebody has now."""
    return [(row["total"], row["leads"]) for row in SQL.distribution.rows({"model_id": model_id})]


# -- the beat -------------------------------------------------------------------------------------------------


def ask_afresh(version_id: int) -> int:
    """The next beat scores everybody by this version again."""
    return ScoreVersion.objects.filter(id=version_id).update(built_at=None)


def step(now: datetime) -> int:
    """Scoring's part of a beat: rescore those whom the touched facts or the clock may have changed."""
    todo = segments.work("score", now)
    if not todo:
        return 0
    turn = definitions.turn("score", now)
    return segments.ask("score", _in_force(turn), todo, turn, partial(_refresh, now))


def causes() -> Iterator[Cause]:
    """The facts that the versions in force read."""
    for _version, found in _in_force():
        yield from found


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The score models whose rules in force stand on a definition."""
    for version in live_versions():
        if any((table, object_id) in segments.stands_on(rule.tree) for rule in rules_of(version.rules)):
            yield Use("スコアモデル", "score model", version.model.name, "/scoring/")


def _in_force(turn: definitions.Turn | None = None) -> list[tuple[ScoreVersion, tuple[Cause, ...]]]:
    """Live versions that facts may concern, with their causes."""
    return list(segments.in_force("score", beats.once("score versions", live_versions), _causes_of, turn))


def _causes_of(version: ScoreVersion) -> tuple[Cause, ...]:
    return segments.dependencies_of(rule.tree for rule in rules_of(version.rules)).causes


def _refresh(now: datetime, version: ScoreVersion, found: tuple[Cause, ...]) -> int:
    scope = segments.scope_sql("score", version.id, found, now)
    batch = Moment(now, segments.SCOPE, by_index=True)
    segments.gather(scope, found, now)
    changed = SQL.rescore.value(
        {**_params(version, now), "quiet": False, "told": []},
        scope=scope,
        leads=batch.rows("lead", "l"),
        scores=batch.rows("lead_score", "o"),
        rules=_rules_sql(version, lambda tree: segments.batch_sql(tree, now, segments.SCOPE)),
    )
    trees = [(version.id, rule.tree) for rule in rules_of(version.rules)]
    segments.keep_dues("score", trees, segments.of_object(scope, version.id), now)
    return int(changed)


def _params(version: ScoreVersion, now: datetime) -> dict[str, Any]:
    return {
        "model_id": version.model_id,
        "version_id": version.id,
        "attribute_max": version.attribute_max,
        "behaviour_max": version.behaviour_max,
        "threshold": version.threshold,
        "now": now,
        "score_changed": kinds.SCORE_CHANGED.code,
        "score_crossed": kinds.SCORE_CROSSED.code,
    }


UNBUILT = sql.SQL("SELECT v.id FROM score_model m JOIN score_version v ON v.id = m.live_id WHERE v.built_at IS NULL")
_EVER_SCORED = sql.SQL(
    "SELECT lead_id FROM lead WHERE known_at IS NOT NULL UNION SELECT lead_id FROM lead_score WHERE model_id = {}"
)


def build(operation: builds.Operation) -> int | None:
    """Score everybody by a version put in force; None: it broke and is set aside."""
    version = ScoreVersion.objects.get(id=operation.object_id)
    now = operation.now
    with definitions.turn("score", now).attempt(version.id):
        told = ledger.readers_of([(kind.code, version.id) for kind in kinds.KINDS])
        changed = int(
            SQL.rescore.value(
                {**_params(version, now), "quiet": True, "told": [kind for kind, _ in told]},
                scope=_EVER_SCORED.format(literal(version.model_id)),
                rules=_rules_sql(version, lambda tree: segments.members_sql(tree, now)),
            )
        )
        operation.counts["entered"] = changed
        segments.rebuild_dues("score", [(version.id, rule.tree) for rule in rules_of(version.rules)], now)
        SQL.built.run({"version_id": version.id, "now": now})
        return changed
    return None


def live_versions() -> list[ScoreVersion]:
    """The versions in force, one a model."""
    live = ScoreModel.objects.exclude(live=None).values("live_id")
    return list(ScoreVersion.objects.filter(id__in=live).select_related("model").order_by("model_id"))


def _rules_sql(version: ScoreVersion, members: Callable[[segments.Tree], sql.Composable]) -> sql.Composable:
    """SELECT lead_id, key, side, band, points: one row per lead and rule that holds. `members`: SELECT lead_id."""
    if not version.rules:
        return sql.SQL("SELECT 0::bigint AS lead_id, '' AS key, '' AS side, '' AS band, 0 AS points WHERE false")
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(
            "SELECT lead_id, {}::text AS key, {}::text AS side, {}::text AS band, {}::int AS points FROM ({}) m"
        ).format(
            literal(rule.key),
            literal(rule.side),
            literal(rule.band),
            literal(rule.points),
            members(rule.tree),
        )
        for rule in rules_of(version.rules)
    )


def definitions_changed(table: str) -> int:
    """A definition (page, form, source) was edited: rescore everybody where a live version reads it."""
    stale = [
        version.id
        for version in live_versions()
        if table in segments.dependencies_of(rule.tree for rule in rules_of(version.rules)).tables
    ]
    builds.restart("score", stale)
    return ScoreVersion.objects.filter(id__in=stale).update(built_at=None)


def ready_made(now: datetime) -> int:
    """Make the score table of M13 where there is no model yet; returns how many models were made."""
    if ScoreModel.objects.exists():
        return 0
    with transaction.atomic():
        model = ScoreModel.objects.create(name="インサイドセールス標準", created_at=now)
        version: Any = draft_of(model.id, now=now, user_id=None)
        change_draft(version.id, changed=rules.READY_MADE)
        publish(version.id, now=now)
    return 1
