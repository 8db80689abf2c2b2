"""Verbs of the phases: first placement, moves by rule and by hand, the board. History is in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError, literal, words
from hagukumi.ledger import definitions
from hagukumi.ledger import services as ledger

from . import kinds, rules
from .models import Phase, PhaseModel, PhaseRule
from .queries import SQL

MOVED = kinds.PHASE_MOVED.code
SCENARIO = rules.SCENARIO
_STANDING = sql.SQL(
    "SELECT a.lead_id, a.rule_id AS object_id FROM asked a JOIN phase_rule r ON r.id = a.rule_id"
    " JOIN lead_phase p ON p.lead_id = a.lead_id AND p.phase_id = r.source_phase_id"
)
"""Those asked who are where the rule begins."""
_ALL_DUES = sql.SQL("SELECT lead_id, object_id FROM condition_due WHERE {own}")
# Few people first, by one range of each index, and only then where these stand. As one condition with OR it was a scan
# of all due times, joined to all rules times all people once the tables had statistics (12 s a beat at 1M leads).
_LEFT = sql.SQL(
    "WITH waiting AS MATERIALIZED ("
    "SELECT lead_id, object_id FROM condition_due WHERE {own} AND due_at <= {now}"
    " UNION SELECT lead_id, object_id FROM condition_due WHERE {own}"
    " AND lead_id = ANY(ARRAY(SELECT lead_id FROM touched WHERE kind = {moved}))),"
    " stands AS MATERIALIZED (SELECT lead_id, phase_id FROM lead_phase"
    " WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM waiting)))"
    " SELECT w.lead_id, w.object_id FROM waiting w JOIN phase_rule r ON r.id = w.object_id"
    " LEFT JOIN stands s ON s.lead_id = w.lead_id AND s.phase_id = r.source_phase_id WHERE s.lead_id IS NULL"
)
"""Due times of people who have left the phase where the rule begins."""


def primary() -> PhaseModel | None:
    """The model that lists, the lead page and the board show first."""
    return PhaseModel.objects.order_by("-is_primary", "id").first()


def phases_of(model_id: int) -> list[Phase]:
    """A model's phases in order."""
    return list(Phase.objects.filter(model_id=model_id).order_by("position"))


def phases_in(model_id: int) -> QuerySet[Phase]:
    """A model's phases in order, for a form to choose from."""
    return Phase.objects.filter(model_id=model_id).order_by("position")


def phase(model_key: str, phase_key: str) -> Phase:
    """One phase by keys; Phase.DoesNotExist."""
    return Phase.objects.get(model__key=model_key, key=phase_key)


def by_id(phase_id: int | None) -> Phase | None:
    """One phase of any model; None for none."""
    return Phase.objects.filter(id=phase_id).first() if phase_id else None


def standing(lead_id: int, model_key: str = rules.INTEREST.key) -> dict[str, Any] | None:
    """Where a lead stands: id, key, name, name_en, position, hue, since, cause, reason, reason_en, rule_id, user_id.

    None before it is placed.
    """
    return SQL.standing.row({"lead_id": lead_id, "model": model_key})


def move_from(
    select: sql.Composable,
    *,
    phase_id: int,
    reason: str,
    now: datetime,
    cause: str = rules.PERSON,
    user_id: int | None = None,
    hop: int = 0,
) -> int:
    """Move the leads of `select` (yields lead_id) to a phase; those already there stay. Returns how many moved.

    `cause` says who is moving them (`LeadPhase`), `reason` why.

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
            "cause": cause,
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
    now: datetime,
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
        definitions.reinstate("phase", rule.id)
        segments.forget_dues("phase", rule.id)
        PhaseModel.objects.filter(id=model_id).update(built_at=None)
        audit.record("phase_rule.saved", "phase_rule", rule.id, now, name=rule.reason)
    return rule


def delete_rule(rule_id: int, now: datetime) -> int:
    """Remove a rule; people stay where they are, and history keeps its reason."""
    with transaction.atomic():
        segments.forget_dues("phase", rule_id)
        definitions.reinstate("phase", rule_id)
        name = PhaseRule.objects.filter(id=rule_id).values_list("reason", flat=True).first()
        audit.record("phase_rule.deleted", "phase_rule", rule_id, now, name=name)
        return PhaseRule.objects.filter(id=rule_id).delete()[0]


def definitions_changed(table: str) -> int:
    """A definition (page, form, source) was edited: ask the rules of every model that reads it again."""
    stale = set()
    for rule in PhaseRule.objects.all():
        try:
            if table in segments.dependencies(rule.tree).tables:
                stale.add(rule.model_id)
        except ConditionError:
            continue
    return PhaseModel.objects.filter(id__in=stale).update(built_at=None)


# -- the beat -------------------------------------------------------------------------------------------------


def ask_afresh(model_id: int) -> int:
    """The next beat asks the model's rules of everybody."""
    return PhaseModel.objects.filter(id=model_id).update(built_at=None)


def ask_rule_afresh(rule_id: int) -> int:
    """The next beat asks the rules of this rule's model of everybody."""
    return PhaseModel.objects.filter(phaserule__id=rule_id).update(built_at=None)


def step(now: datetime) -> int:
    """The phases' part of a beat: place newcomers, then move each lead at most once per model."""
    todo = segments.work("phase", now)
    if not todo.kinds and not todo.due and not SQL.unbuilt.value():
        return 0
    changed = 0
    models, of_rules = definitions.turn("phase_model", now), definitions.turn("phase", now)
    for model in PhaseModel.objects.order_by("id"):
        if not models.skips(model.id):
            with models.attempt(model.id):
                changed += _bring_in_line(model, of_rules, todo, now)
    return changed


def _bring_in_line(model: PhaseModel, turn: definitions.Turn, todo: segments.Work, now: datetime) -> int:
    whole = model.built_at is None
    changed = 0
    if whole or todo.kinds:
        changed += _place(model, now, whole=whole)
    rules_ = _sound_rules(model, turn, whole=whole)
    asked = _ask(model, rules_, now, whole=whole)
    changed += _move(model, turn, [rule for rule in rules_ if rule.id in asked], now)
    if asked or todo.due or MOVED in todo.kinds:
        _keep_dues([rule for rule in rules_ if not turn.skips(rule.id)], asked, now, whole=whole)
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
        "start": rules.START,
    }
    SQL.leave.run({"model_id": model.id}, scope=scope)
    return SQL.begin.run(params, scope=scope)


def _sound_rules(model: PhaseModel, turn: definitions.Turn, *, whole: bool) -> list[PhaseRule]:
    """The model's rules that can be evaluated; a broken one is set aside with its cause. A rebuild looks closer."""
    found = []
    for rule in PhaseRule.objects.filter(model=model).order_by("id"):
        if turn.skips(rule.id):
            continue
        try:
            (segments.validate if whole else segments.parse)(rule.tree)
            found.append(rule)
        except ConditionError as error:
            turn.set_aside(rule.id, error)
    return found


def _ask(model: PhaseModel, rules_: list[PhaseRule], now: datetime, *, whole: bool) -> set[int]:
    """Note in `asked` whom each rule is asked of; returns the ids of the rules that are asked of anybody."""
    watched = [(rule.id, kind) for rule in rules_ for kind in segments.dependencies(rule.tree).kinds]
    params = {
        "model_id": model.id,
        "rules": [rule.id for rule in rules_],
        "watching": [rule_id for rule_id, _ in watched],
        "kinds": [kind for _, kind in watched],
        "moved": MOVED,
        "start": rules.START,
        "whole": whole,
        "now": now,
    }
    SQL.open_asked.run()
    SQL.clear_asked.run()
    if not SQL.ask.run(params):
        return set()
    SQL.analyze_asked.run()
    return {row["rule_id"] for row in SQL.asked_rules.rows()}


def _move(model: PhaseModel, turn: definitions.Turn, asked: list[PhaseRule], now: datetime) -> int:
    """Ask the rules of those noted in `asked`, all in one statement; one that breaks it is set aside with its cause."""
    asked = [rule for rule in asked if not turn.on_trial(rule.id) or _can_be_asked(turn, rule, now)]
    if not asked:
        return 0
    params = {"model_id": model.id, "now": now, "moved": MOVED, "cause": rules.RULE}
    try:
        with transaction.atomic():
            return SQL.move.run(params, candidates=sql.SQL(" UNION ALL ").join(_meeting(rule, now) for rule in asked))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        sound = [rule for rule in asked if _can_be_asked(turn, rule, now)]
        if len(sound) == len(asked):
            raise
        return _move(model, turn, sound, now)


def _can_be_asked(turn: definitions.Turn, rule: PhaseRule, now: datetime) -> bool:
    with turn.attempt(rule.id):
        SQL.meeting.rows(candidates=_meeting(rule, now))
        return True
    return False


def _meeting(rule: PhaseRule, now: datetime) -> sql.Composable:
    """SELECT lead_id, rule_id of those noted who meet the rule."""
    noted = sql.SQL("SELECT lead_id FROM asked WHERE rule_id = {} AND moves").format(literal(rule.id))
    return sql.SQL("SELECT lead_id, {}::bigint AS rule_id FROM ({}) m").format(
        literal(rule.id), segments.members_sql(rule.tree, now, noted)
    )


def _keep_dues(rules_: list[PhaseRule], asked: set[int], now: datetime, *, whole: bool) -> None:
    """After the moves: due times for those asked who stand in the rule's source phase still, none for who left it."""
    own = sql.SQL("owner = 'phase' AND object_id = ANY({}::bigint[])").format(literal([rule.id for rule in rules_]))
    left = _ALL_DUES.format(own=own) if whole else _LEFT.format(own=own, now=literal(now), moved=literal(MOVED))
    scope = sql.SQL(
        "SELECT lead_id, rule_id AS object_id FROM asked UNION SELECT lead_id, object_id FROM ({}) l"
    ).format(left)
    trees = [(rule.id, rule.tree) for rule in rules_ if rule.id in asked]
    segments.keep_dues("phase", trees, scope, now, among=_STANDING)


# -- ready-made -----------------------------------------------------------------------------------------------


def ready_made(now: datetime) -> int:
    """Make the models (a) and (b) of M10 with their rules where they are missing; returns how many were made."""
    made = 0
    for model in rules.MODELS:
        if not PhaseModel.objects.filter(key=model.key).exists():
            with transaction.atomic():
                _make(model, now)
            made += 1
    return made


def _make(ready: rules.ReadyModel, now: datetime) -> None:
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
            now=now,
        )
