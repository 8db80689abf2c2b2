"""Verbs of the phases: first placement, moves by rule and by hand, the board. History is in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from hagukumi.ledger import services as ledger
from hagukumi.segments import services as segments
from hagukumi.segments.compiler import Dependencies
from hagukumi.segments.conditions import ConditionError, literal, words

from . import kinds, rules
from .models import Phase, PhaseModel, PhaseRule
from .queries import SQL

MOVED = kinds.PHASE_MOVED.code


def primary() -> PhaseModel | None:
    """The model that lists, the lead page and the board show first."""
    return PhaseModel.objects.order_by("-is_primary", "id").first()


def phases_of(model_id: int) -> list[Phase]:
    """A model's phases in order."""
    return list(Phase.objects.filter(model_id=model_id).order_by("position"))


def phase(model_key: str, phase_key: str) -> Phase:
    """One phase by keys; Phase.DoesNotExist."""
    return Phase.objects.get(model__key=model_key, key=phase_key)


def standing(lead_id: int, model_key: str = rules.INTEREST.key) -> dict[str, Any] | None:
    """Where a lead stands: id, key, name, name_en, position, hue, since, reason, rule_id, user_id.

    None before it is placed.
    """
    return SQL.standing.row({"lead_id": lead_id, "model": model_key})


def move_from(
    select: sql.Composable,
    *,
    phase_id: int,
    reason: str,
    now: datetime,
    user_id: int | None = None,
    rule_id: int | None = None,
    hop: int = 0,
) -> int:
    """Move the leads of `select` (yields lead_id) to a phase; those already there stay. Returns how many moved.

    Puts a fact for each into the temporary table `fact`: in a beat the heart writes them; else call
    `ledger.record_pending()` before the transaction ends (`move` does). Phase.DoesNotExist for an unknown phase.
    """
    model_id = Phase.objects.values_list("model_id", flat=True).get(id=phase_id)
    ledger.open_beat_tables()
    return SQL.move_from.run(
        {
            "model_id": model_id,
            "phase_id": phase_id,
            "reason": reason[:200],
            "now": now,
            "user_id": user_id,
            "rule_id": rule_id,
            "hop": hop,
            "moved": MOVED,
        },
        chosen=select,
    )


def move(lead_ids: Sequence[int], *, phase_id: int, reason: str, now: datetime, user_id: int | None = None) -> int:
    """Move leads by hand. ConditionError without a reason; returns how many moved."""
    if not reason.strip():
        raise ConditionError(words("理由を入れてください", "give a reason"))
    with transaction.atomic():
        moved = move_from(
            sql.SQL("SELECT unnest({}::bigint[]) AS lead_id").format(literal(list(lead_ids))),
            phase_id=phase_id,
            reason=reason.strip(),
            now=now,
            user_id=user_id,
        )
        ledger.record_pending()
    return moved


def board(model_id: int, now: datetime, limit: int = 12) -> list[dict[str, Any]]:
    """Columns in order: {phase, leads (how many stand there), cards (the latest arrivals)}."""
    counts = {row["phase_id"]: row["leads"] for row in SQL.column_counts.rows({"model_id": model_id})}
    cards: dict[int, list[dict[str, Any]]] = {}
    for row in SQL.cards.rows({"model_id": model_id, "now": now, "limit": limit}):
        cards.setdefault(row["phase_id"], []).append(row)
    return [
        {"phase": one, "leads": counts.get(one.id, 0), "cards": cards.get(one.id, [])} for one in phases_of(model_id)
    ]


# -- rules ----------------------------------------------------------------------------------------------------


def save_rule(
    model_id: int,
    *,
    source_id: int,
    target_id: int,
    tree: segments.Tree,
    reason: str,
    reason_en: str = "",
    priority: int = 10,
    rule_id: int | None = None,
) -> PhaseRule:
    """Create or change a rule; the next beat asks it of everybody. ConditionError where something is wrong."""
    if not reason.strip():
        raise ConditionError(words("理由を入れてください", "give a reason"))
    if source_id == target_id:
        raise ConditionError(words("移動元と移動先は別のフェーズにしてください", "source and target must differ"))
    if Phase.objects.filter(model_id=model_id, id__in=(source_id, target_id)).count() != 2:
        raise ConditionError(words("フェーズを選んでください", "choose the phases"))
    values = {
        "model_id": model_id,
        "source_phase_id": source_id,
        "target_phase_id": target_id,
        "tree": segments.document(tree),
        "reason": reason.strip()[:120],
        "reason_en": reason_en.strip()[:120],
        "priority": priority,
    }
    with transaction.atomic():
        rule, _ = PhaseRule.objects.update_or_create(id=rule_id, model_id=model_id, defaults=values)  # type: ignore[misc]
        ledger.mend("phase", rule.id)
        segments.forget_dues("phase", rule.id)
        PhaseModel.objects.filter(id=model_id).update(built_at=None)
    return rule


def delete_rule(rule_id: int) -> int:
    """Remove a rule; people stay where they are, and history keeps its reason."""
    segments.forget_dues("phase", rule_id)
    ledger.mend("phase", rule_id)
    return PhaseRule.objects.filter(id=rule_id).delete()[0]


def definitions_changed(table: str) -> int:
    """A definition (page, company, form) was edited: ask the rules of every model that reads it again."""
    stale = set()
    for rule in PhaseRule.objects.all():
        try:
            if table in segments.dependencies(rule.tree).tables:
                stale.add(rule.model_id)
        except ConditionError:
            continue
    return PhaseModel.objects.filter(id__in=stale).update(built_at=None)


# -- the beat -------------------------------------------------------------------------------------------------


def step(now: datetime) -> int:
    """The phases' part of a beat: place newcomers, then move each lead at most once per model."""
    todo = segments.work("phase", now)
    if not todo.kinds and not todo.due and not SQL.unbuilt.value():
        return 0
    changed = 0
    for model in PhaseModel.objects.order_by("id"):
        with ledger.set_aside_on_error("phase_model", model.id, now):
            changed += _bring_in_line(model, todo, now)
    return changed


def _bring_in_line(model: PhaseModel, todo: segments.Work, now: datetime) -> int:
    whole = model.built_at is None
    changed = 0
    if whole or todo.kinds:
        changed += _place(model, now, whole=whole)
    asked = [
        (rule, depends)
        for rule, depends in _sound_rules(model, now)
        if whole or rule.id in todo.due or MOVED in todo.kinds or depends.kinds & todo.kinds
    ]
    if asked:
        candidates = [_candidates(rule, depends, now, whole=whole) for rule, depends in asked]
        changed += SQL.move.run(
            {"model_id": model.id, "now": now, "moved": MOVED}, candidates=sql.SQL(" UNION ALL ").join(candidates)
        )
        _keep_dues(asked, now, whole=whole)
    if whole:
        SQL.built.run({"model_id": model.id, "now": now})
    return changed


def _place(model: PhaseModel, now: datetime, *, whole: bool) -> int:
    """First phases for newcomers; merged people leave the board."""
    scope = segments.EVERYBODY if whole else sql.SQL("SELECT lead_id FROM touched")
    first = Phase.objects.filter(model_id=model.id).order_by("position").first()
    if first is None:
        return 0
    params = {
        "model_id": model.id,
        "phase_id": first.id,
        "now": now,
        "moved": MOVED,
        "reason": rules.INITIAL_REASON,
    }
    SQL.leave.run({"model_id": model.id}, scope=scope)
    return SQL.begin.run(params, scope=scope)


def _sound_rules(model: PhaseModel, now: datetime) -> list[tuple[PhaseRule, Dependencies]]:
    """The model's rules that can be evaluated, with what they hang on; a broken one is set aside with its cause."""
    aside = ledger.set_aside_ids("phase")
    found = []
    for rule in PhaseRule.objects.filter(model=model).select_related("source_phase", "target_phase").order_by("id"):
        if rule.id in aside:
            continue
        with ledger.set_aside_on_error("phase", rule.id, now):
            tree = segments.validate(rule.tree)
            found.append((rule, segments.dependencies(tree)))
    return found


def _scope(rule: PhaseRule, depends: Dependencies, now: datetime, *, whole: bool) -> sql.Composable:
    """Whom a rule is asked of: people in its source phase whom a fact, the clock or their arrival there concerns.

    Somebody who was moved back, or moved by a person, goes forward again only by a fresh fact: neither the arrival
    nor a rebuild counts, else old points would undo the move at once.
    """
    here = sql.SQL("SELECT lead_id FROM lead_phase p WHERE p.phase_id = {}").format(literal(rule.source_phase_id))
    if is_forward(rule):
        free = sql.SQL(
            " AND (p.rule_id IN (SELECT r.id FROM phase_rule r JOIN phase s ON s.id = r.source_phase_id"
            " JOIN phase t ON t.id = r.target_phase_id WHERE t.position > s.position)"
            " OR (p.rule_id IS NULL AND p.user_id IS NULL AND p.reason = {}))"
        ).format(literal(rules.INITIAL_REASON))
    else:
        free = sql.Composed([])
    if whole:
        return here + free
    facts = sql.SQL(
        " AND p.lead_id IN (SELECT lead_id FROM touched WHERE kind = ANY({}::smallint[])"
        " AND NOT (kind = {} AND object_id = {}) UNION ALL SELECT lead_id FROM condition_due"
        " WHERE owner = 'phase' AND object_id = {} AND due_at <= {})"
    ).format(
        literal(sorted(depends.kinds)), literal(MOVED), literal(rule.source_phase_id), literal(rule.id), literal(now)
    )
    born = sql.SQL("SELECT lead_id FROM touched WHERE kind = {} AND object_id = {}").format(
        literal(MOVED), literal(rule.source_phase_id)
    )
    return sql.SQL("{here}{facts} UNION {here}{free} AND p.lead_id IN ({born})").format(
        here=here, facts=facts, free=free, born=born
    )


def is_forward(rule: PhaseRule) -> bool:
    return bool(rule.target_phase.position > rule.source_phase.position)


def _candidates(rule: PhaseRule, depends: Dependencies, now: datetime, *, whole: bool) -> sql.Composable:
    """SELECT lead_id, rule_id of those of the rule's scope who meet it."""
    return sql.SQL("SELECT lead_id, {}::bigint AS rule_id FROM ({}) m").format(
        literal(rule.id), segments.members_sql(rule.tree, now, _scope(rule, depends, now, whole=whole))
    )


def _keep_dues(asked: list[tuple[PhaseRule, Dependencies]], now: datetime, *, whole: bool) -> None:
    """After the moves: due times for those who now stand in a rule's source phase, none for those who left it."""
    kinds_ = frozenset({MOVED}).union(*(depends.kinds for _, depends in asked))
    ids = [rule.id for rule, _ in asked]
    scope = segments.EVERYBODY if whole else segments.scope_sql("phase", ids, kinds_, now)
    parts = [(rule.id, rule.tree, _standing_in(rule.source_phase_id)) for rule, _ in asked]
    segments.keep_dues_within("phase", parts, scope, now)


def _standing_in(phase_id: int) -> sql.Composable:
    return sql.SQL("SELECT p.lead_id FROM lead_phase p JOIN scope USING (lead_id) WHERE p.phase_id = {}").format(
        literal(phase_id)
    )


# -- ready-made -----------------------------------------------------------------------------------------------


def ready_made(now: datetime) -> int:
    """Make the models (a) and (b) of M10 with their rules where they are missing; returns how many were made."""
    made = 0
    for model in rules.MODELS:
        if not PhaseModel.objects.filter(key=model.key).exists():
            with transaction.atomic():
                _make(model)
            made += 1
    return made


def _make(ready: rules.ReadyModel) -> None:
    model = PhaseModel.objects.create(
        key=ready.key, name=ready.name, name_en=ready.name_en, is_primary=ready.is_primary
    )
    by_key = {
        one.key: Phase.objects.create(
            model=model, key=one.key, name=one.name, name_en=one.name_en, position=position, hue=one.hue
        )
        for position, one in enumerate(ready.phases)
    }
    for rule in ready.rules:
        save_rule(
            model.id,
            source_id=by_key[rule.source].id,
            target_id=by_key[rule.target].id,
            tree=rule.tree,
            reason=rule.reason,
            reason_en=rule.reason_en,
            priority=rule.priority,
        )
