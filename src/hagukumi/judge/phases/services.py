"""Verbs of the phases: first placement, moves by rule and by hand, the board. History is in the ledger."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from psycopg import sql

from hagukumi.accounts import audit
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import BIRTH, ConditionError, Moment, codes, literal, words
from hagukumi.ledger import beats, builds, definitions
from hagukumi.ledger import services as ledger
from hagukumi.ledger.causes import Cause, concern
from hagukumi.ledger.uses import Use

from . import kinds, rules
from .models import Phase, PhaseModel, PhaseRule
from .queries import SQL

MOVED = kinds.PHASE_MOVED.code
SCENARIO = rules.SCENARIO
_STANDING = sql.SQL(
    "SELECT a.lead_id, a.rule_id AS object_id FROM asked a JOIN phase_rule r ON r.id = a.rule_id"
    " JOIN (SELECT * FROM lead_phase WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM asked)) OFFSET 0) p"
    " ON p.lead_id = a.lead_id AND p.phase_id = r.source_phase_id"
)
"""Those asked who are where the rule begins."""
# Few people first, by one range of the index, and only then where these stand: as one condition it was a scan of all
# due times, joined to all rules times all people once the tables had statistics (12 s a beat at 1M leads).
_LEFT = sql.SQL(
    "WITH waiting AS MATERIALIZED (SELECT lead_id, object_id FROM condition_due WHERE owner = 'phase'"
    " AND object_id = ANY({rules}) AND due_at <= {now} ORDER BY due_at LIMIT {room}),"
    " stands AS MATERIALIZED (SELECT lead_id, phase_id FROM lead_phase"
    " WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM waiting)))"
    " SELECT w.lead_id, w.object_id FROM waiting w JOIN phase_rule r ON r.id = w.object_id"
    " LEFT JOIN stands s ON s.lead_id = w.lead_id AND s.phase_id = r.source_phase_id WHERE s.lead_id IS NULL"
)
"""Due times that have come of people who have left the phase where the rule begins."""


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


def doubted(lead_id: int, model_key: str = rules.INTEREST.key) -> PhaseRule | None:
    """The rule that moved a lead to where it stands, if by what is known now it would not have; else None.

    That is: its condition does not hold for that moment any more, and acts shortly before it are held for a machine's
    by now. A move is not undone by itself, since much may have followed; a person decides.
    """
    place = standing(lead_id, model_key)
    if place is None or place["cause"] != rules.RULE or not place["rule_id"]:
        return None
    rule = PhaseRule.objects.filter(id=place["rule_id"], target_phase_id=place["id"]).first()
    if rule is None or not SQL.machine_before.value(
        {"lead_id": lead_id, "at": place["since"], "since": place["since"] - rules.EVIDENCE}
    ):
        return None
    try:
        holds = segments.explain(rule.tree, lead_id, place["since"])[0].holds
    except (ConditionError, IndexError):
        return None
    return None if holds else rule


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
    phases = phases_of(model_id)
    counts = {row["phase_id"]: row["leads"] for row in SQL.column_counts.rows({"model_id": model_id})}
    cards: dict[int, list[dict[str, Any]]] = {}
    for row in SQL.cards.rows({"now": now}, latest=latest_of([one.id for one in phases], limit)):
        cards.setdefault(row["phase_id"], []).append(row)
    return [{"phase": one, "leads": counts.get(one.id, 0), "cards": cards.get(one.id, [])} for one in phases]


def latest_of(phase_ids: Sequence[int], limit: int) -> sql.Composable:
    """SELECT of the latest arrivals' lead_phase rows, at most `limit` a phase. Index: lead_phase_phase, a range each.

    One sub-select a phase, because both other ways cost more: LATERAL over the phases is refused by Citus, a rank over
    lead_phase reads everybody in the model.
    """
    if not phase_ids:
        return sql.SQL("SELECT * FROM lead_phase WHERE false")
    return sql.SQL(" UNION ALL ").join(
        sql.SQL("(SELECT * FROM lead_phase WHERE phase_id = {} ORDER BY since DESC LIMIT {})").format(
            literal(phase_id), literal(limit)
        )
        for phase_id in phase_ids
    )


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
        definitions.reinstate("phase_model", model_id)
        segments.forget_dues("phase", rule.id)
        builds.restart("phase_model", [model_id])
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
    builds.restart("phase_model", sorted(stale))
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
    if not todo:
        return 0
    changed = 0
    models, of_rules = definitions.turn("phase_model", now), definitions.turn("phase", now)
    under_way = builds.under_way("phase_model")
    for model in beats.once("phase models", _models):
        if models.skips(model.id) or (model.built_at is None and model.id not in under_way):
            continue
        with models.attempt(model.id):
            rules_ = _sound_rules(model, of_rules)
            if model.built_at is None:
                _note_missed(rules_)
            else:
                changed += _bring_in_line(model, of_rules, rules_, todo, now)
    return changed


def _bring_in_line(
    model: PhaseModel, turn: definitions.Turn, rules_: list[PhaseRule], todo: segments.Work, now: datetime
) -> int:
    with ledger.by_index():
        changed = _place(model, rules_, todo, now) if todo.kinds & codes(BIRTH) or todo.missed else 0
        if asked := _ask(rules_, todo, now):
            rules_asked = [rule for rule in rules_ if rule.id in asked]
            segments.gather(sql.SQL("SELECT lead_id FROM asked"), _causes(rules_asked), now)
            changed += _move(model, turn, rules_asked, now)
        if asked or todo.due:
            _keep_dues([rule for rule in rules_ if not turn.skips(rule.id)], asked, now)
    return changed


def _causes(rules_: list[PhaseRule]) -> Iterator[Cause]:
    for rule in rules_:
        yield from segments.dependencies(rule.tree).causes


def causes() -> Iterator[Cause]:
    """The facts that phase rules read, and arrivals anywhere: what begins there is asked then.

    Of models that are built or being built: what is not, will see everything.
    """
    aside = definitions.broken("phase")
    under_way = builds.under_way("phase_model")
    in_force = beats.once("phase models", _models)
    models = {one.id for one in in_force if one.built_at is not None or one.id in under_way}
    if models:
        yield Cause(codes(BIRTH) | {MOVED})
    for rule in beats.once("phase rules", _rules):
        if rule.model_id not in models or rule.id in aside:
            continue
        with contextlib.suppress(ConditionError):
            yield from segments.dependencies(rule.tree).causes


def _models() -> list[PhaseModel]:
    return list(PhaseModel.objects.order_by("id"))


def _rules() -> list[PhaseRule]:
    return list(PhaseRule.objects.order_by("id"))


def uses(table: str, object_id: int) -> Iterator[Use]:
    """The phase rules that stand on a definition."""
    for rule in PhaseRule.objects.order_by("id"):
        if (table, object_id) in segments.stands_on(rule.tree):
            yield Use("フェーズのルール", "phase rule", rule.reason, "/phases/")


def _place(model: PhaseModel, rules_: list[PhaseRule], todo: segments.Work, now: datetime) -> int:
    """First phases for newcomers; merged people leave the board."""
    scope: sql.Composable = sql.SQL("SELECT lead_id FROM touched")
    if ids := [rule.id for rule in rules_ if rule.id in todo.missed]:
        missed = builds.missed_sql("phase", ids, ledger.room())
        scope = sql.SQL("{} UNION SELECT lead_id FROM ({}) m").format(scope, missed)
    leads = Moment(now, scope, by_index=True).rows("lead", "l")
    return _begin(model, leads, now, quiet=False, told=True)


def _begin(model: PhaseModel, leads: sql.Composable, now: datetime, *, quiet: bool, told: bool) -> int:
    first = Phase.objects.filter(model_id=model.id).order_by("position").first()
    if first is None:
        return 0
    params = {
        "model_id": model.id,
        "phase_id": first.id,
        "now": now,
        "moved": MOVED,
        "start": rules.START,
        "quiet": quiet,
        "told": told,
    }
    SQL.leave.run({"model_id": model.id}, leads=leads)
    return int(SQL.begin.value(params, leads=leads))


def _sound_rules(model: PhaseModel, turn: definitions.Turn, *, closer: bool = False) -> list[PhaseRule]:
    """The model's rules that can be evaluated; a broken one is set aside with its cause. A build looks closer."""
    found = []
    for rule in beats.once("phase rules", _rules):
        if rule.model_id != model.id or turn.skips(rule.id):
            continue
        try:
            (segments.validate if closer else segments.parse)(rule.tree)
            found.append(rule)
        except ConditionError as error:
            turn.set_aside(rule.id, error)
    return found


def _note_missed(rules_: list[PhaseRule]) -> None:
    """The model is being built: whom facts concern is asked by the first beats after it.

    Noted by rule; who merely arrived where a rule begins, by the rule's number with a minus.
    """
    for rule in rules_:
        builds.note_missed("phase", rule.id, segments.dependencies(rule.tree).causes)
        arrival = sql.SQL("object_id = {}").format(literal(rule.source_phase_id))
        builds.note_missed("phase", -rule.id, [Cause(frozenset({MOVED}), arrival)])


def _ask(rules_: list[PhaseRule], todo: segments.Work, now: datetime) -> set[int]:
    """Note in `asked` whom each rule is asked of; returns the ids of the rules that are asked of anybody."""
    ids = [rule.id for rule in rules_]
    heard: list[sql.Composable] = []
    if todo.kinds:
        by_rule = {rule.id: segments.dependencies(rule.tree).causes for rule in rules_}
        concerned = segments.concerned(by_rule, todo)
        heard += [_heard(rule, by_rule[rule.id]) for rule in rules_ if rule.id in concerned]
    arrived = [
        sql.SQL("SELECT lead_id, object_id AS phase_id FROM touched WHERE kind = {}").format(literal(MOVED)),
    ]
    missed = {rule.id: rule for rule in rules_ if {rule.id, -rule.id} & todo.missed}
    for rule_id, rule in missed.items():
        noted = builds.missed_sql("phase", [rule_id], ledger.room())
        heard.append(sql.SQL("SELECT object_id AS rule_id, lead_id FROM ({}) m").format(noted))
        noted = builds.missed_sql("phase", [-rule_id], ledger.room())
        arrived.append(sql.SQL("SELECT lead_id, {}::bigint FROM ({}) m").format(literal(rule.source_phase_id), noted))
    due = sql.SQL(
        "SELECT object_id AS rule_id, lead_id FROM condition_due WHERE owner = 'phase' AND due_at <= {}"
        " AND object_id = ANY({}::bigint[]) ORDER BY due_at LIMIT {}"
    ).format(literal(now), literal(ids), literal(ledger.room()))
    SQL.open_asked.run()
    SQL.clear_asked.run()
    together = sql.SQL(" UNION ALL ")
    asked = SQL.ask.run(
        {"rules": ids, "start": rules.START},
        heard=together.join(heard or [_NOBODY]), due=due, arrived=together.join(arrived),
    )  # fmt: skip
    for rule_id in missed:
        builds.forget_missed("phase", rule_id, ledger.room())
        builds.forget_missed("phase", -rule_id, ledger.room())
    return {row["rule_id"] for row in SQL.asked_rules.rows()} if asked else set()


_NOBODY = sql.SQL("SELECT 0::bigint AS rule_id, 0::bigint AS lead_id WHERE false")


def _heard(rule: PhaseRule, found: Sequence[Cause]) -> sql.Composable:
    """SELECT rule_id, lead_id: whom facts of this beat concern that the rule reads, its own phase's arrivals aside."""
    return sql.SQL(
        "SELECT {}::bigint AS rule_id, lead_id FROM touched WHERE {} AND (kind <> {} OR object_id IS DISTINCT FROM {})"
    ).format(literal(rule.id), concern(found), literal(MOVED), literal(rule.source_phase_id))


def _move(
    model: PhaseModel, turn: definitions.Turn, asked: list[PhaseRule], now: datetime, *, batch: bool = True
) -> int:
    """Ask the rules of those noted in `asked`, all in one statement; one that breaks it is set aside with its cause."""
    asked = [rule for rule in asked if not turn.on_trial(rule.id) or _can_be_asked(turn, rule, now)]
    if not asked:
        return 0
    params = {"model_id": model.id, "now": now, "moved": MOVED, "cause": rules.RULE}
    slots = {} if batch else {"within": sql.SQL("true")}
    try:
        with transaction.atomic(), ledger.by_index() if batch else contextlib.nullcontext():
            candidates = sql.SQL(" UNION ALL ").join(_meeting(rule, now, batch=batch) for rule in asked)
            return SQL.move.run(params, candidates=candidates, **slots)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        sound = [rule for rule in asked if _can_be_asked(turn, rule, now)]
        if len(sound) == len(asked):
            raise
        return _move(model, turn, sound, now, batch=batch)


def _can_be_asked(turn: definitions.Turn, rule: PhaseRule, now: datetime) -> bool:
    with turn.attempt(rule.id):
        SQL.meeting.rows(candidates=_meeting(rule, now, batch=False))
        return True
    return False


def _meeting(rule: PhaseRule, now: datetime, *, batch: bool) -> sql.Composable:
    """SELECT lead_id, rule_id of those noted who meet the rule."""
    noted = sql.SQL("SELECT lead_id FROM asked WHERE rule_id = {} AND moves").format(literal(rule.id))
    members = (segments.batch_sql if batch else segments.members_sql)(rule.tree, now, noted)
    return sql.SQL("SELECT lead_id, {}::bigint AS rule_id FROM ({}) m").format(literal(rule.id), members)


def _keep_dues(rules_: list[PhaseRule], asked: set[int], now: datetime) -> None:
    """After the moves: due times for those asked who stand in the rule's source phase still, none for who left it."""
    ids = sql.SQL("{}::bigint[]").format(literal([rule.id for rule in rules_]))
    left = _LEFT.format(rules=ids, now=literal(now), room=literal(ledger.room()))
    scope = sql.SQL(
        "SELECT lead_id, rule_id AS object_id FROM asked UNION SELECT lead_id, object_id FROM ({}) l"
    ).format(left)
    trees = [(rule.id, rule.tree) for rule in rules_ if rule.id in asked]
    segments.keep_dues("phase", trees, scope, now, among=_STANDING)


# -- the build ------------------------------------------------------------------------------------------------

UNBUILT = sql.SQL("SELECT id FROM phase_model WHERE built_at IS NULL")
_EVERYBODY = sql.SQL("lead l")


def build(operation: builds.Operation) -> int | None:
    """Place everybody in a new model and ask its rules of all; None: it broke and is set aside.

    To be placed is no fact; a move is one each, for it has a reason that the person's history keeps.
    """
    model = PhaseModel.objects.get(id=operation.object_id)
    now = operation.now
    models, turn = definitions.turn("phase_model", now), definitions.turn("phase", now)
    with models.attempt(model.id):
        first = Phase.objects.filter(model_id=model.id).order_by("position").first()
        told = first is not None and bool(ledger.readers_of([(MOVED, first.id)], besides="phases"))
        placed = _begin(model, _EVERYBODY, now, quiet=True, told=told)
        rules_ = _sound_rules(model, turn, closer=True)
        SQL.open_asked.run()
        SQL.clear_asked.run()
        SQL.ask_everybody.run({"rules": [rule.id for rule in rules_], "start": rules.START})
        SQL.analyze_asked.run()
        asked = {row["rule_id"] for row in SQL.asked_rules.rows()}
        moved = _move(model, turn, [rule for rule in rules_ if rule.id in asked], now, batch=False)
        _rebuild_dues([rule for rule in rules_ if not turn.skips(rule.id)], now)
        SQL.built.run({"model_id": model.id, "now": now})
        operation.counts["entered"] = placed
        return placed + moved
    return None


def _rebuild_dues(rules_: list[PhaseRule], now: datetime) -> None:
    """Due times of those who stand where a rule begins; of nobody else."""
    segments.rebuild_dues("phase", [(rule.id, rule.tree) for rule in rules_], now, among=_BEGINNERS)


_BEGINNERS = sql.SQL(
    "SELECT p.lead_id, r.id AS object_id FROM phase_rule r JOIN lead_phase p ON p.phase_id = r.source_phase_id"
)


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
