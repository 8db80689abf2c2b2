"""Scores: the ready-made table to the point, incremental, versions, the crossing of the line, the explanation."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hagukumi.collect.forms.models import Form
from hagukumi.judge.scoring import rules, services
from hagukumi.judge.scoring.models import LeadScore, ScoreModel, ScoreVersion
from hagukumi.judge.scoring.rules import Rule
from hagukumi.judge.segments import rules as segment_rules
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.ledger.models import Activity, SetAside
from hagukumi.ledger.services import Fact, open_beat_tables, record
from hagukumi.people.companies.models import Company
from hagukumi.people.leads.models import Lead
from hagukumi.worker.heart import beat, settle

OKU = 10**8


@pytest.fixture
def model(db, now):
    services.ready_made(now)
    settle(now)
    return ScoreModel.objects.get()


def company(now, name="A", **facts):
    return Company.objects.create(name=name, match_key=name, created_at=now, updated_at=now, **facts)


def points(lead):
    row = LeadScore.objects.get(lead_id=lead)
    return row.attribute, row.behaviour, row.total


def facts(kind):
    return list(Activity.objects.filter(kind=kind).order_by("at", "id").values_list("lead_id", "amount", "details"))


def test_the_table_of_the_article(db):
    table = {rule.key: (rule.side, rule.points, rule.group) for rule in rules.READY_MADE}
    assert table == {
        "sales_1000": ("attribute", 10, "sales"),
        "sales_500": ("attribute", 5, "sales"),
        "sales_100": ("attribute", 1, "sales"),
        "industry_it": ("attribute", 5, "industry"),
        "industry_maker": ("attribute", 3, "industry"),
        "industry_retail": ("attribute", 1, "industry"),
        "rank_exec": ("attribute", 10, "rank"),
        "rank_manager": ("attribute", 5, "rank"),
        "rank_staff": ("attribute", 1, "rank"),
        "download": ("behaviour", 5, ""),
        "inquiry": ("behaviour", 3, ""),
        "visits": ("behaviour", 2, ""),
    }
    assert (rules.ATTRIBUTE_MAX, rules.BEHAVIOUR_MAX) == (25, 10)


@pytest.mark.parametrize(
    ("sales", "given"),
    [(None, 0), (99, 0), (100, 1), (499, 1), (500, 5), (999, 5), (1000, 10), (9999, 10)],
)
def test_bands_of_sales(model, people, now, sales, given):
    (lead,) = people(1, rank="", company=company(now, sales_yen=sales * OKU if sales else None))
    record([Fact(lead, "lead_created", now)])
    settle(now)
    assert points(lead) == (given, 0, given)


def test_everything_reaches_the_maxima(model, people, now):
    (lead,) = people(1, rank="exec", company=company(now, industry="it", sales_yen=1000 * OKU))
    form = Form.objects.create(slug="i", name="お問い合わせ", kind="inquiry", created_at=now)
    acts = [Fact(lead, "page_view", now)] * 3 + [Fact(lead, "form_submitted", now, form.id)]
    record([Fact(lead, "lead_created", now), *acts, Fact(lead, "content_downloaded", now)])
    settle(now)
    assert points(lead) == (25, 10, 35)
    row = LeadScore.objects.get()
    assert row.matched == ["download", "industry_it", "inquiry", "rank_exec", "sales_1000", "visits"]


def test_crossing_the_line_is_told_once(model, people, now):
    (lead,) = people(1, rank="exec", company=company(now, industry="it"))
    record([Fact(lead, "lead_created", now)])
    settle(now)
    assert points(lead) == (15, 0, 15)
    assert facts(61) == []
    later = now + timedelta(hours=1)
    record([Fact(lead, "content_downloaded", later)])
    settle(later)
    details = '{"from": 15, "attribute": 15, "behaviour": 5}'
    assert [(who, amount) for who, amount, _details in facts(61)] == [(lead, 20.0)]
    assert facts(60)[-1][1:] in ((20.0, details), (20.0, {"from": 15, "attribute": 15, "behaviour": 5}))
    record([Fact(lead, "content_downloaded", later)])
    settle(later)
    assert len(facts(61)) == 1


def test_a_second_run_changes_nothing(model, people, now):
    leads = people(5)
    record([Fact(lead, "lead_created", now) for lead in leads])
    settle(now)
    before, count = list(LeadScore.objects.values_list()), Activity.objects.count()
    ScoreVersion.objects.update(built_at=None)
    settle(now + timedelta(days=1))
    assert list(LeadScore.objects.values_list()) == before
    assert Activity.objects.count() == count


def test_a_merged_person_has_no_score(model, people, now):
    a, b = people(2)
    record([Fact(lead, "lead_created", now) for lead in (a, b)])
    settle(now)
    Lead.objects.filter(lead_id=b).update(merged_into=a, state="merged")
    record([Fact(b, "lead_merged", now)])
    settle(now)
    assert [row.lead_id for row in LeadScore.objects.all()] == [a]


def test_publishing_makes_a_new_version_and_rescores(model, people, now):
    (lead,) = people(1, rank="staff")
    record([Fact(lead, "lead_created", now)])
    settle(now)
    first = model.live_id
    draft = services.draft_of(model.id, now=now, user_id=None)
    assert services.draft_of(model.id, now=now, user_id=None).id == draft.id
    changed = [*rules.READY_MADE, Rule("maker", "attribute", "製造部", "", 7, "", _department("製造部"))]
    services.change_draft(draft.id, changed=changed, threshold=8)
    effect = services.preview(ScoreVersion.objects.get(id=draft.id), now)
    assert (effect.over, effect.over_now, effect.distribution) == (1, 0, [(8, 1)])
    assert points(lead) == (1, 0, 1)
    services.publish(draft.id, now=now)
    settle(now)
    assert points(lead) == (8, 0, 8)
    assert [amount for _lead, amount, _details in facts(61)] == [8.0]
    assert ScoreVersion.objects.get(id=first).rules == [rule.as_json() for rule in rules.READY_MADE]
    with pytest.raises(ConditionError):
        services.change_draft(draft.id, threshold=1)
    with pytest.raises(ConditionError):
        services.publish(draft.id, now=now)


def _department(name):
    return {"type": "field", "field": "department", "op": "is", "value": name}


def test_a_lower_line_is_a_crossing(model, people, now):
    (lead,) = people(1, rank="exec")
    record([Fact(lead, "lead_created", now)])
    settle(now)
    draft = services.draft_of(model.id, now=now, user_id=None)
    services.change_draft(draft.id, threshold=10)
    services.publish(draft.id, now=now)
    settle(now)
    assert [(who, amount) for who, amount, _details in facts(61)] == [(lead, 10.0)]


def test_time_alone_takes_points_away(model, people, now):
    (lead,) = people(1, rank="")
    draft = services.draft_of(model.id, now=now, user_id=None)
    fresh = {"type": "activity", "kinds": ["page_view"], "days": 7}
    services.change_draft(draft.id, changed=[Rule("fresh", "behaviour", "最近の訪問", "", 4, "", fresh)])
    services.publish(draft.id, now=now)
    record([Fact(lead, "page_view", now), Fact(lead, "lead_created", now)])
    settle(now)
    assert points(lead) == (0, 4, 4)
    settle(now + timedelta(days=7))
    assert points(lead) == (0, 0, 0)


def test_explanation_adds_up(model, people, now):
    (lead,) = people(1, rank="manager", company=company(now, industry="manufacturing", sales_yen=600 * OKU))
    record([Fact(lead, "lead_created", now)] + [Fact(lead, "page_view", now)] * 4)
    settle(now)
    score = services.score_of(lead, now)
    assert (score.attribute, score.behaviour, score.total, score.threshold) == (13, 2, 15, 20)
    assert sum(point.points for point in score.points if point.counted) == 15
    assert {point.rule.key for point in score.points if point.holds} == {
        "sales_500",
        "industry_maker",
        "rank_manager",
        "visits",
    }
    visits = next(point for point in score.points if point.rule.key == "visits")
    assert [fact.text for fact in visits.evidence] == ["ページ閲覧"] * 3
    rank = next(point for point in score.points if point.rule.key == "rank_manager")
    assert (rank.label, rank.evidence[0].text) == ("部課長", "職位: 部課長")
    assert services.score_of(10**9, now) is None


def test_of_a_group_only_the_highest_counts(model, people, now):
    (lead,) = people(1, rank="exec")
    draft = services.draft_of(model.id, now=now, user_id=None)
    always = {"type": "all", "items": []}
    both = [Rule("low", "attribute", "低", "", 2, "g", always), Rule("high", "attribute", "高", "", 6, "g", always)]
    minus = Rule("minus", "behaviour", "減点", "", -5, "", always)
    services.change_draft(draft.id, changed=[*both, minus])
    services.publish(draft.id, now=now)
    settle(now)
    assert points(lead) == (6, 0, 6)
    counted = {point.rule.key: point.counted for point in services.explain(lead, now)}
    assert counted == {"low": False, "high": True, "minus": True}


def test_a_broken_version_is_set_aside(model, people, now):
    broken = {"type": "field", "field": "own.gone", "op": "filled"}
    ScoreVersion.objects.update(rules=[Rule("x", "attribute", "x", "", 1, "", broken).as_json()], built_at=None)
    people(1)
    settle(now)
    aside = SetAside.objects.get()
    assert (aside.owner, aside.object_id) == ("score", model.live_id)


def test_statements_do_not_grow_with_the_leads(model, people, now):
    counts = []
    for many in (10, 1000):
        leads = people(many)
        record([Fact(lead, "lead_created", now) for lead in leads])
        open_beat_tables()
        with CaptureQueriesContext(connection) as queries:
            beat(now)
        counts.append(len(queries))
        settle(now)
    assert counts[0] == counts[1]
    assert LeadScore.objects.count() == 1010


def test_the_effect_from_a_sample(model, people, now, monkeypatch):
    leads = people(320, rank="exec")
    record([Fact(lead, "lead_created", now) for lead in leads])
    settle(now)
    draft = services.draft_of(model.id, now=now, user_id=None)
    services.change_draft(draft.id, threshold=10)
    version = ScoreVersion.objects.get(id=draft.id)
    assert services.preview(version, now).over == 320
    monkeypatch.setattr(segment_rules, "SAMPLE_ABOVE", -1)
    effect = services.preview(version, now)
    assert not effect.exact
    assert effect.over % 32 == 0 and 0 < effect.over < 1000
    assert effect.distribution == [(10, effect.over)]


def test_who_stands_exactly_on_the_line_has_reached_it(model, people, now):
    """20 points are the line: 19 are below, 20 and 21 have reached it, wherever the product says so."""
    big, small = (
        company(now, "big", sales_yen=1000 * OKU),
        company(now, "small", sales_yen=100 * OKU, industry="manufacturing"),
    )
    below, on, above = (
        people(1, rank="exec", company=small)[0], people(1, rank="exec", company=big)[0],
        people(1, rank="exec", company=company(now, "it", sales_yen=1000 * OKU, industry="retail"))[0],
    )  # fmt: skip
    acts = [Fact(below, "content_downloaded", now)]
    record([Fact(lead, "lead_created", now) for lead in (below, on, above)] + acts)
    settle(now)
    assert [points(lead)[2] for lead in (below, on, above)] == [19, 20, 21]
    assert model.live.threshold == 20

    crossed = Activity.objects.filter(kind=61).values_list("lead_id", "amount")
    assert sorted(crossed) == [(on, 20), (above, 21)]
    reached = segments.members_sql({"type": "score", "reached": True}, now)
    with connection.cursor() as cursor:
        cursor.execute(reached.as_string(None))
        assert sorted(row[0] for row in cursor.fetchall()) == [on, above]
    shown = services.preview(services.draft_of(model.id, now=now, user_id=None), now)
    assert (shown.over, shown.over_now) == (2, 2)


def test_the_line_is_crossed_upward_once_and_again_after_falling_below(model, people, now):
    (lead,) = people(1, rank="exec", company=company(now, "big", sales_yen=1000 * OKU))
    record([Fact(lead, "lead_created", now)])
    settle(now)
    record([Fact(lead, "content_downloaded", now)])  # 25: over the line it stood on already
    settle(now)
    assert Activity.objects.filter(kind=61).count() == 1
    for rank in ("manager", "exec"):  # 20, then 25 again
        Lead.objects.filter(lead_id=lead).update(rank=rank)
        record([Fact(lead, "field_changed", now, details={"field": "rank"})])
        settle(now)
    assert points(lead)[2] == 25
    assert Activity.objects.filter(kind=61).count() == 1, "from 25 to 20 and back: the line was never left"
    for rank in ("staff", "exec"):  # 16, then 25 again
        Lead.objects.filter(lead_id=lead).update(rank=rank)
        record([Fact(lead, "field_changed", now, details={"field": "rank"})])
        settle(now)
    assert Activity.objects.filter(kind=61).count() == 2
