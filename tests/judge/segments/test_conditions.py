"""Every leaf type: the exact set it yields, its words, what is refused, and hostile values."""

import unicodedata
from datetime import datetime, timedelta

import pytest
from django.db import connection

from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking.models import Page
from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.conditions import ConditionError
from hagukumi.kit.clock import JST
from hagukumi.ledger.services import Fact, record
from hagukumi.people.companies.models import Company
from hagukumi.people.consent.models import ConsentNow
from hagukumi.people.fields.models import Field
from hagukumi.people.leads.models import Lead, LeadTag
from hagukumi.people.sources.models import Source
from hagukumi.sales.deals.models import Deal
from hagukumi.worker.heart import settle

DAY = timedelta(days=1)


def members(tree, now):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT lead_id FROM ({segments.members_sql(tree, now).as_string(None)}) m ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def visit(lead, at, page=None, kind="page_view"):
    record([Fact(lead, kind, at, object_id=page)])


def test_field(people, now):
    a, b, c = people(1, rank="exec")[0], people(1, rank="staff")[0], people(1, rank="", users_expected=50)[0]

    def field(name, op, **more):
        return members({"type": "field", "field": name, "op": op, **more}, now)

    assert field("rank", "is", value="exec") == [a]
    assert field("rank", "is_not", value="exec") == [b, c]
    assert field("rank", "in", values=["exec", "staff"]) == [a, b]
    assert field("rank", "empty") == [c]
    assert field("rank", "filled") == [a, b]
    assert field("department", "contains", value="製造") == [a, b, c]
    assert field("users_expected", "gte", value=50) == [c]
    assert field("users_expected", "lte", value=49) == []
    assert field("users_expected", "empty") == [a, b]


def test_texts_match_in_any_width_case_and_composition(people, now):
    a = people(1, company_name="ﾃﾞｼﾞﾀﾙ ＡＢＣ㈱", department="営業・ＤＸ推進部", email="a-b@example.jp")[0]
    b = people(1, company_name="デジタルabc(株)", department="営業DX推進部", email="ab@example.jp")[0]

    def field(name, op, **more):
        return members({"type": "field", "field": name, "op": op, **more}, now)

    composed = "デジタルＡＢＣ（株）"
    for asked in (composed, composed.lower(), unicodedata.normalize("NFD", composed), "ﾃﾞｼﾞﾀﾙabc(株)"):
        assert field("company_name", "is", value=asked) == [a, b], asked
        assert field("company_name", "in", values=["x", asked]) == [a, b]
        assert field("company_name", "is_not", value=asked) == []
    assert field("department", "contains", value="dx推進") == [a, b]
    assert field("email", "is", value="ＡＢ@EXAMPLE.jp") == [b]
    assert field("department", "contains", value="・") == [a]


def test_field_of_ones_own(people, now):
    Field.objects.create(key="budget", type="number", label_ja="予算", label_en="budget", created_at=now)
    Field.objects.create(key="trial", type="bool", label_ja="試用", label_en="trial", created_at=now)
    a, b, c = people(1, fields={"budget": 300})[0], people(1, fields={"budget": "なし"})[0], people(1)[0]
    assert members({"type": "field", "field": "own.budget", "op": "gte", "value": 300}, now) == [a]
    assert members({"type": "field", "field": "own.budget", "op": "empty"}, now) == [c]
    assert members({"type": "field", "field": "own.budget", "op": "filled"}, now) == [a, b]
    Lead.objects.filter(lead_id=c).update(fields={"trial": True})
    assert members({"type": "field", "field": "own.trial", "op": "is", "value": "true"}, now) == [c]


def test_registration_day_is_japanese(people, now):
    midnight = datetime(2026, 11, 20, tzinfo=JST)
    a, b = people(1, known_at=midnight)[0], people(1, known_at=midnight - timedelta(seconds=1))[0]
    assert members({"type": "field", "field": "known_at", "op": "gte", "value": "2026-11-20"}, now) == [a]
    assert members({"type": "field", "field": "known_at", "op": "lte", "value": "2026-11-19"}, now) == [b]


def test_company(people, now):
    def company(name, **facts):
        return Company.objects.create(name=name, match_key=name, created_at=now, updated_at=now, **facts)

    oku = 10**8
    a = people(1, company=company("A", industry="it", sales_yen=1000 * oku, employees=900, prefecture="東京都"))[0]
    b = people(1, company=company("B", industry="retail", sales_yen=999 * oku, employees=20, prefecture="大阪府"))[0]
    people(1)
    assert members({"type": "company", "industries": ["it", "manufacturing"]}, now) == [a]
    assert members({"type": "company", "sales_from": 1000 * oku}, now) == [a]
    assert members({"type": "company", "sales_from": 500 * oku, "sales_below": 1000 * oku}, now) == [b]
    assert members({"type": "company", "employees_lte": 20}, now) == [b]
    assert members({"type": "company", "prefectures": ["東京都"], "employees_gte": 901}, now) == []


def test_source_tag_consent(people, now):
    fair = Source.objects.create(name="展示会", type="exhibition", created_at=now)
    a, b, c = people(1, source=fair)[0], people(1)[0], people(1)[0]
    LeadTag.objects.create(lead_id=b, tag="重点")
    ConsentNow.objects.create(lead_id=a, channel="email", granted=True, basis="card", at=now)
    ConsentNow.objects.create(lead_id=b, channel="email", granted=False, basis="optout", at=now)
    assert members({"type": "source", "types": ["exhibition"]}, now) == [a]
    assert members({"type": "source", "ids": [fair.id]}, now) == [a]
    assert members({"type": "tag", "tags": ["重点", "他"]}, now) == [b]
    assert members({"type": "not", "item": {"type": "tag", "tags": ["重点"]}}, now) == [a, c]
    assert members({"type": "consent", "granted": True}, now) == [a]
    assert members({"type": "consent", "granted": False}, now) == [b, c]


def test_activity_window_count_and_object(people, now):
    price = Page.objects.create(url="https://x/price", category="price", first_seen_at=now)
    blog = Page.objects.create(url="https://x/blog", category="blog", first_seen_at=now)
    a, b = people(2, known_at=now - 400 * DAY)
    visit(a, now - 30 * DAY, price.id)
    visit(a, now - 30 * DAY + timedelta(seconds=1), price.id)
    visit(b, now - timedelta(seconds=1), blog.id)
    visit(b, now - 200 * DAY, blog.id)

    def acted(**more):
        return members({"type": "activity", "kinds": ["page_view"], **more}, now)

    assert acted(days=30) == [a, b]
    assert acted(days=30, at_least=2) == []
    assert acted(days=None, at_least=2) == [a, b]
    assert acted(page_categories=["price"]) == [a]
    assert acted(objects=[blog.id]) == [b]
    assert members({"type": "activity", "kinds": ["page_view"], "days": 30}, now - 40 * DAY) == []


def test_activity_by_form_kind(people, now):
    inquiry = Form.objects.create(slug="i", name="お問い合わせ", kind="inquiry", created_at=now)
    survey = Form.objects.create(slug="s", name="アンケート", kind="survey", created_at=now)
    a, b = people(2)
    visit(a, now, inquiry.id, "form_submitted")
    visit(b, now, survey.id, "form_submitted")
    assert members({"type": "activity", "kinds": ["form_submitted"], "form_kinds": ["inquiry"]}, now) == [a]


def test_recency_and_known_since(people, now):
    a, b = people(1, known_at=now - 90 * DAY)[0], people(1, known_at=now - 90 * DAY + timedelta(seconds=1))[0]
    c = people(1, known_at=now - 200 * DAY)[0]
    visit(c, now - 89 * DAY, kind="mail_clicked")
    visit(a, now - timedelta(days=1), kind="mail_sent")
    assert members({"type": "recency", "days": 90}, now) == [a]
    assert members({"type": "recency", "days": 90, "idle": False}, now) == [c]
    assert members({"type": "recency", "days": 89}, now) == [a, b, c]
    assert members({"type": "recency", "group": "web", "days": 90}, now) == [a, c]
    assert members({"type": "known_since", "days": 90}, now) == [b]
    assert members({"type": "known_since", "days": 90, "within": False}, now) == [a, c]


def test_score_phase_deal_segment(people, now):
    scoring.ready_made(now)
    phases.ready_made(now)
    a, b = people(1, rank="exec")[0], people(1, rank="staff")[0]
    settle(now)
    assert members({"type": "score", "side": "attribute", "gte": 10}, now) == [a]
    assert members({"type": "score", "lte": 9}, now) == [b]
    assert members({"type": "score", "reached": True}, now) == []
    assert members({"type": "phase", "model": "interest", "phases": ["latent"]}, now) == [a, b]
    assert members({"type": "phase", "model": "interest", "phases": ["latent"], "days": 3}, now + 3 * DAY) == [a, b]
    assert members({"type": "phase", "model": "interest", "phases": ["latent"], "days": 3}, now + 2 * DAY) == []
    Deal.objects.create(lead_id=b, id=1, name="商談", stage="approach", created_at=now)
    assert members({"type": "deal", "outcome": "open"}, now) == [b]
    assert members({"type": "deal", "outcome": "won"}, now) == []
    made = segments.save("経営層", {"type": "field", "field": "rank", "op": "is", "value": "exec"}, now=now)
    settle(now)
    assert members({"type": "segment", "segment": made.id}, now) == [a]
    assert members({"type": "not", "item": {"type": "segment", "segment": made.id}}, now) == [b]


def test_groups_compose(people, now):
    a, b = people(1, rank="exec")[0], people(1, rank="staff")[0]
    c = people(1, rank="staff")[0]
    LeadTag.objects.create(lead_id=c, tag="重点")
    exec_, tagged = {"type": "field", "field": "rank", "op": "is", "value": "exec"}, {"type": "tag", "tags": ["重点"]}
    assert members({"type": "any", "items": [exec_, tagged]}, now) == [a, c]
    assert members({"type": "all", "items": [exec_, tagged]}, now) == []
    assert members({"type": "not", "item": {"type": "any", "items": [exec_, tagged]}}, now) == [b]
    assert members({"type": "any", "items": [{"type": "not", "item": tagged}, exec_]}, now) == [a, b]
    assert members({"type": "all", "items": []}, now) == [a, b, c]
    assert members({"type": "not", "item": {"type": "all", "items": []}}, now) == []


def test_only_known_people_of_their_own(people, now):
    a = people(1)[0]
    people(1, known_at=None)
    people(1, merged_into=a)
    assert members({"type": "all", "items": []}, now) == [a]


@pytest.mark.parametrize("value", ["100%", "%s %(now)s", "{members} {scope}", "'; DROP TABLE lead; --", "\\", "a'b\"c"])
def test_values_are_only_values(people, now, value):
    a, _b = people(1, issue=value)[0], people(1)[0]
    tree = {"type": "field", "field": "issue", "op": "is", "value": value}
    assert members(tree, now) == [a]
    assert segments.count(tree, now).n == 1
    made = segments.save("値", tree, now=now)
    settle(now)
    assert segments.member_counts() == {made.id: 1}
    assert segments.explain(tree, a, now)[0].holds


@pytest.mark.parametrize(
    "tree",
    [
        None,
        [],
        {},
        {"type": "gone"},
        {"type": "any", "items": []},
        {"type": "field", "field": "password", "op": "is", "value": "x"},
        {"type": "field", "field": "own.gone", "op": "empty"},
        {"type": "field", "field": "users_expected", "op": "gte", "value": "many"},
        {"type": "field", "field": "known_at", "op": "gte", "value": "2026-02-30"},
        {"type": "field", "field": "rank", "op": "is", "value": "a\x00b"},
        {"type": "activity", "kinds": ["gone"]},
        {"type": "activity", "kinds": []},
        {"type": "segment", "segment": 999},
        {"type": "phase", "model": "interest", "phases": ["gone"]},
        {"type": "company", "industries": ["gone"]},
        {"type": "tag", "tags": ["x"], "extra": 1},
        {"schema": 2, "type": "all", "items": []},
    ],
)
def test_what_cannot_be_evaluated_is_refused(db, now, tree):
    with pytest.raises(ConditionError) as refused:
        segments.save("x", tree, now=now)
    assert str(refused.value)


def test_deep_nesting_is_refused(db, now):
    tree = {"type": "all", "items": []}
    for _ in range(5000):
        tree = {"type": "not", "item": tree}
    with pytest.raises(ConditionError):
        segments.validate(tree)


def test_round_trip(db, now):
    for _name, _action, tree in segments.READY_MADE.values():
        assert segments.validate(segments.document(tree)) == segments.validate(tree)


def test_sentences(db, now):
    said = [segments.sentence(tree, "ja") for _name, _action, tree in segments.READY_MADE.values()]
    assert said == [
        "90日以上行動がないリード",
        "過去30日に「価格」・「事例」のページ閲覧が3回以上ある、または過去30日に資料ダウンロード・"
        "ファイルのダウンロードが1回以上あるリード",
        "登録から30日以内であるリード",
    ]
    said = [segments.sentence(tree, "en") for _name, _action, tree in segments.READY_MADE.values()]
    assert said == [
        "Leads where there was no activity for 90 days",
        "Leads where page view of “Price” or “Case study” happened 3 times or more in the last 30 days"
        " or content downloaded or file download happened at least once in the last 30 days",
        "Leads where registration was within the last 30 days",
    ]


def test_count_from_a_sample(people, now, monkeypatch):
    people(300)
    tree = {"type": "field", "field": "rank", "op": "is", "value": "manager"}
    assert segments.count(tree, now) == segments.Count(300, exact=True)
    monkeypatch.setattr(segments.rules, "SAMPLE_ABOVE", -1)
    found = segments.count(tree, now)
    assert not found.exact
    assert found.n % 32 == 0
    assert abs(found.n - 300) <= 2 * found.error


def test_explain_names_the_facts(people, now):
    (a,) = people(1)
    page = Page.objects.create(url="https://x/price", title="料金プラン", category="price", first_seen_at=now)
    for hour in range(5):
        visit(a, now - timedelta(hours=hour), page.id)
    tree = {
        "type": "all",
        "items": [
            {"type": "activity", "kinds": ["page_view"], "at_least": 3, "days": 30},
            {"type": "field", "field": "rank", "op": "is", "value": "exec"},
        ],
    }
    whole, visits, rank = segments.explain(tree, a, now)
    assert (whole.holds, visits.holds, rank.holds) == (False, True, False)
    assert [fact.text for fact in visits.evidence] == ["ページ閲覧: 料金プラン"] * 3
    assert visits.evidence[0].at == now
    assert [fact.text for fact in rank.evidence] == ["職位: 部課長"]
    assert segments.explain(tree, 10**9, now) == []


def test_the_clock_is_asked_only_where_it_matters(db, now):
    assert not segments.dependencies({"type": "tag", "tags": ["x"]}).timed
    assert segments.dependencies({"type": "recency", "days": 9}).timed
