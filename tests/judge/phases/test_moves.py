"""Moves: by fact, by time, by hand; forward and back; at most one a beat; no undoing of what a person decided."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from hagukumi.collect.forms.models import Form
from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import LeadPhase, PhaseModel, PhaseRule
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.judge.segments.models import ConditionDue
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity, SetAside
from hagukumi.ledger.services import Fact, record
from hagukumi.people.leads.models import Lead
from hagukumi.sales.deals import services as deals
from hagukumi.sales.deals.conditions import HasDeal
from hagukumi.sales.handovers import services as handovers
from hagukumi.worker.heart import beat, settle

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def lead(db, now, people):
    scoring.ready_made(now)
    phases.ready_made(now)
    deals.ready_made()
    (one,) = people(1)
    settle(now)
    return one


def stands(lead, model="interest"):
    return phases.standing(lead, model)["key"]


def act(lead, kind, now, object_id=None):
    record([Fact(lead, kind, now, object_id)])
    settle(now)


def history(lead, model="interest"):
    ids = {phase.id: phase.key for phase in phases.phases_of(PhaseModel.objects.get(key=model).id)}
    moves = Activity.objects.filter(lead_id=lead, kind=70).order_by("at", "id")
    return [ids[move.object_id] for move in moves if move.object_id in ids]


def test_everybody_begins_in_the_first_phase(lead, people, now):
    assert (stands(lead), stands(lead, "working")) == ("latent", "new")
    (other,) = people(1)
    record([Fact(other, "lead_created", now)])
    beat(now)
    assert stands(other) == "latent"
    assert history(other) == ["latent"]


def test_inquiry_walks_all_the_way_in_single_steps(lead, now):
    form = Form.objects.create(slug="i", name="お問い合わせ", kind="inquiry", created_at=now)
    record([Fact(lead, "form_submitted", now, form.id)])
    seen = []
    for _ in range(4):
        beat(now)
        seen.append(stands(lead))
    assert seen == ["aware", "considering", "deciding", "deciding"]
    assert history(lead) == ["aware", "considering", "deciding"]  # placed by the build: no move


def test_a_lost_deal_goes_back_and_stays_there(lead, now):
    deal = deals.create_deal(
        lead, name="商談", amount_yen=1, stage="approach", owner_id=None, expected_on=None, now=now
    )
    act(lead, "content_downloaded", now)
    assert (stands(lead), stands(lead, "working")) == ("deciding", "convert")
    later = now + HOUR
    deals.close_deal(lead, deal.id, won=False, amount_yen=None, reason="price", now=later, user_id=None)
    settle(later)
    assert (stands(lead), stands(lead, "working")) == ("aware", "connected")
    settle(later + HOUR)
    assert stands(lead) == "aware"
    act(lead, "content_downloaded", later + HOUR)
    assert stands(lead) == "considering"


def test_a_returned_handover_moves_back(lead, marketer, now):
    act(lead, "content_downloaded", now)
    assert stands(lead) == "considering"
    assert handovers.hand_over(lead, cause="x", now=now)
    handover = Activity.objects.get(lead_id=lead, kind=80).object_id
    later = now + HOUR
    handovers.give_back(lead, handover, user_id=marketer.id, reason="not_now", note="", now=later)
    settle(later)
    assert stands(lead) == "aware"


def test_mail_then_reaction_then_acceptance(lead, marketer, now):
    act(lead, "mail_sent", now)
    assert stands(lead, "working") == "untouched"
    act(lead, "mail_clicked", now + HOUR)
    assert stands(lead, "working") == "connected"
    handovers.hand_over(lead, cause="x", now=now + HOUR)
    handover = Activity.objects.get(lead_id=lead, kind=80).object_id
    settle(now + HOUR)
    handovers.accept(lead, handover, user_id=marketer.id, now=now + 2 * HOUR)
    settle(now + 2 * HOUR)
    assert stands(lead, "working") == "convert"


def test_a_move_by_hand_is_not_undone(lead, marketer, now):
    act(lead, "content_downloaded", now)
    latent = phases.phase("interest", "latent")
    phases.move([lead], phase_id=latent.id, reason="担当違い", now=now, user_id=marketer.id)
    settle(now)
    PhaseModel.objects.update(built_at=None)
    settle(now + HOUR)
    assert stands(lead) == "latent"
    deciding = phases.phase("interest", "deciding")
    phases.move([lead], phase_id=deciding.id, reason="電話で決定", now=now + HOUR, user_id=marketer.id)
    settle(now + 59 * DAY)
    assert stands(lead) == "deciding"
    settle(now + 60 * DAY + HOUR)
    assert stands(lead) == "considering"
    with pytest.raises(ConditionError):
        phases.move([lead], phase_id=latent.id, reason=" ", now=now)


def test_move_from_is_set_based_and_idempotent(lead, people, now):
    leads = [lead, *people(4), *people(1, known_at=None)]
    select = sql.SQL("SELECT lead_id FROM lead")
    target = phases.phase("interest", "aware")
    assert phases.move_from(select, phase_id=target.id, reason="一括", now=now) == 5
    ledger.record_pending()
    assert phases.move_from(select, phase_id=target.id, reason="一括", now=now) == 0
    assert LeadPhase.objects.filter(phase_id=target.id).count() == 5
    assert Activity.objects.filter(kind=70, object_id=target.id).count() == 5
    assert len(leads) == 6


def test_a_second_run_changes_nothing(lead, now):
    act(lead, "content_downloaded", now)
    before, count = list(LeadPhase.objects.values_list()), Activity.objects.count()
    PhaseModel.objects.update(built_at=None)
    settle(now)
    assert list(LeadPhase.objects.values_list()) == before
    assert Activity.objects.count() == count


def test_a_visitor_that_nobody_knows_has_no_phase(lead, people, now):
    (visitor,) = people(1, known_at=None)
    record([Fact(visitor, "content_downloaded", now)])
    beat(now)
    assert not LeadPhase.objects.filter(lead_id=visitor).exists()
    settle(now)
    assert history(visitor) == []


def test_a_merged_person_leaves_the_board(lead, now):
    Lead.objects.filter(lead_id=lead).update(merged_into=1, state="merged")
    act(lead, "lead_merged", now)
    assert not LeadPhase.objects.exists()


def test_the_first_rule_by_priority_wins(lead, people, now):
    model = PhaseModel.objects.get(key="interest")
    always = {"type": "all", "items": []}
    first, last = phases.phase("interest", "latent"), phases.phase("interest", "deciding")
    phases.save_rule(model.id, source_id=first.id, target_id=last.id, tree=always, reason="近道", priority=1, now=now)
    middle = phases.phase("interest", "aware")
    phases.save_rule(model.id, source_id=first.id, target_id=middle.id, tree=always, reason="一歩", priority=2, now=now)
    settle(now)
    assert phases.standing(lead)["reason"] == "近道"


def test_a_broken_rule_is_set_aside_while_others_go_on(lead, now):
    rule = PhaseRule.objects.filter(source_phase__key="aware", target_phase__key="latent").get()
    PhaseRule.objects.filter(id=rule.id).update(tree={"type": "field", "field": "own.gone", "op": "filled"})
    PhaseModel.objects.update(built_at=None)
    act(lead, "content_downloaded", now)
    assert stands(lead) == "considering"
    aside = SetAside.objects.get()
    assert (aside.owner, aside.object_id) == ("phase", rule.id)
    phases.save_rule(
        rule.model_id,
        rule_id=rule.id,
        source_id=rule.source_phase_id,
        target_id=rule.target_phase_id,
        tree={"type": "recency", "days": 30},
        reason="30日間動きがない",
        now=now,
    )
    assert not SetAside.objects.exists()


def test_a_rule_whose_sql_breaks_is_found_and_set_aside_while_others_go_on(lead, now, monkeypatch):
    act(lead, "content_downloaded", now)
    broken_sql = sql.SQL("SELECT 1 / 0 AS lead_id, NULL::timestamptz AS due_at")
    monkeypatch.setattr(HasDeal, "matching", lambda leaf, moment: broken_sql)
    monkeypatch.setattr(HasDeal, "due", lambda leaf, moment: broken_sql)
    broken = PhaseRule.objects.filter(tree__items__0__type="deal", source_phase__key="considering")
    broken |= PhaseRule.objects.filter(source_phase__key="connected", target_phase__key="convert")
    act(lead, "deal_lost", now + HOUR)
    assert stands(lead) == "aware"
    assert set(SetAside.objects.values_list("owner", "object_id")) == {("phase", rule.id) for rule in broken}
    assert broken.count() == 2


def test_due_times_are_kept_for_those_who_stand_there_alone(lead, now):
    rules = {
        (rule.source_phase.key, rule.target_phase.key): rule.id
        for rule in PhaseRule.objects.filter(model__key="interest").order_by("priority")
    }

    def dues():
        found = ConditionDue.objects.filter(lead_id=lead, owner="phase", object_id__in=rules.values())
        return dict(found.values_list("object_id", "due_at"))

    act(lead, "mail_clicked", now)
    assert stands(lead) == "aware"
    assert dues()[rules["aware", "latent"]] == now + 30 * DAY
    act(lead, "content_downloaded", now + DAY)
    assert stands(lead) == "considering"
    assert rules["latent", "aware"] not in dues()
    assert dues()[rules["aware", "latent"]] == now + 30 * DAY  # who has left is asked in vain, once
    assert dues()[rules["considering", "aware"]] == now + 60 * DAY  # when the first act leaves the window
    settle(now + 61 * DAY)
    assert stands(lead) == "aware"
    assert rules["considering", "aware"] not in dues()
    assert min(dues().values()) > now + 61 * DAY


def test_rules_read_as_sentences(lead):
    rules = PhaseRule.objects.filter(model__key="interest").order_by("id")
    said = {(rule.source_phase.key, rule.target_phase.key): segments.clause(rule.tree, "ja") for rule in rules[:3]}
    assert said == {
        ("latent", "aware"): "過去30日にページ閲覧が3回以上ある、または過去30日にメールのクリック・フォーム回答・"
        "資料ダウンロード・ファイルのダウンロードが1回以上ある、またはスコアが基準に達している",
        ("aware", "considering"): "過去30日に資料ダウンロード・ファイルのダウンロードが1回以上ある、または過去30日に"
        "「価格」のページ閲覧が1回以上ある、または過去30日に「問い合わせ」のフォーム回答が1回以上ある、"
        "またはスコアが基準に達している",
        ("considering", "deciding"): "進行中の商談がある、または（過去30日に「問い合わせ」のフォーム回答が1回以上ある、"
        "かつ過去30日に失注・引き渡し差し戻しがない）",
    }
    assert all(rule.reason_en for rule in rules)
    assert segments.clause(rules[7].tree, "en") == (
        "there was no activity for 30 days and phase has been “Aware” for 30 days"
    )


def test_statements_do_not_grow_with_the_leads(lead, people, now):
    counts = []
    for many in (10, 1000):
        leads = people(many)
        record([Fact(one, "lead_created", now) for one in leads])
        with CaptureQueriesContext(connection) as queries:
            beat(now)
        counts.append(len(queries))
        settle(now)
    assert counts[0] == counts[1]
    assert LeadPhase.objects.count() == 2 * 1011
