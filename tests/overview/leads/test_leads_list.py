"""The list: filters, orders, pages without gaps or repeats, and search."""

from datetime import timedelta

import pytest

from hagukumi.judge.scoring.models import LeadScore, ScoreModel
from hagukumi.kit import keyset
from hagukumi.ledger import services as ledger
from hagukumi.overview.leads import reads as lead_list
from hagukumi.overview.leads.reads import Filters
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead, LeadRecency
from hagukumi.worker import heart


def ids(page):
    return [card["lead_id"] for card in page.cards]


def indexed(now, lead_ids):
    ledger.record([ledger.Fact(lead_id, "lead_created", now) for lead_id in lead_ids])
    heart.beat(now)


@pytest.mark.parametrize(
    "term",
    [
        "青葉",
        "髙橋",
        "高橋",
        "たかはし",
        "ﾀｶﾊｼ",
        "高橋　一郎",
        "ichiro@",
        "03-1234",
        "0312345678",
        "+81 3 1234",
        "橋一",
        "高",
    ],
)
def test_search_finds_by_two_characters(people, now, term):
    (found,) = people(
        1, last_name="髙橋", first_name="一郎", last_kana="タカハシ", first_kana="イチロウ", email="ichiro@midori.co.jp"
    )
    others = people(3, last_name="鈴木", last_kana="スズキ", company_name="みどり商事", phone="+81667778888")
    indexed(now, [found, *others])
    assert ids(lead_list.page(Filters(q=term))) == [found]


@pytest.mark.parametrize(
    "term", ["%", "_", "'", "{after}", "\\", "%s", "%(x)s", "\x00", "'; DROP TABLE lead; --", "一" * 300]
)
def test_hostile_terms_find_nothing_and_break_nothing(people, now, term):
    indexed(now, people(2))
    assert lead_list.count(Filters(q="ああ" + term)).n == 0
    assert lead_list.page(Filters(q=term)).cards is not None
    assert lead_list.page(Filters(tag=term.replace("\x00", ""))).cards is not None


@pytest.mark.parametrize("sort", ["known", "score", "active"])
def test_pages_have_no_gap_and_no_repeat(people, now, sort):
    made = people(7)
    model = ScoreModel.objects.create(name="標準", created_at=now)
    for n, lead_id in enumerate(made):
        Lead.objects.filter(lead_id=lead_id).update(known_at=now + timedelta(seconds=n // 2))
        LeadScore.objects.create(
            lead_id=lead_id, model_id=model.id, version_id=1, attribute=0, behaviour=0, total=n // 3, at=now
        )
        LeadRecency.objects.create(lead_id=lead_id, at=now + timedelta(minutes=n // 2))
    seen, after = [], None
    while True:
        page = lead_list.page(Filters(sort=sort), after=after, size=3)
        seen += ids(page)
        if not (after := keyset.read(page.next, *lead_list.KEYS[sort])):
            break
    assert seen == sorted(made, reverse=True)


def test_filters(people, now, marketer):
    a, b, c = people(3)
    Lead.objects.filter(lead_id=a).update(owner=marketer, title="")
    Lead.objects.filter(lead_id=c).update(state="left")
    leads.tag_from(leads.ids_sql([b]), "重点", now=now)
    assert ids(lead_list.page(Filters(owner=marketer.id))) == [a]
    assert ids(lead_list.page(Filters(unowned=True))) == [c, b]
    assert ids(lead_list.page(Filters(complete=False))) == [a]
    assert ids(lead_list.page(Filters(complete=True))) == [c, b]
    assert ids(lead_list.page(Filters(tag="重点"))) == [b]
    assert ids(lead_list.page(Filters(state="left"))) == [c]
    assert lead_list.count(Filters()) == lead_list.count(Filters(sort="score"))
    assert lead_list.count(Filters()).n == 3


def test_anonymous_and_merged_are_not_listed(people, now):
    (a,) = people(1)
    people(1, known_at=None)
    people(1, merged_into=a, state="merged")
    assert ids(lead_list.page(Filters())) == [a]


def test_a_bulk_act_reaches_everybody_the_list_shows(people, now):
    _a, b = people(2)
    leads.tag_from(leads.ids_sql([b]), "100%{leads}", now=now)
    assert leads.tag_from(lead_list.chosen_sql(Filters(tag="100%{leads}")), "次", now=now) == 1


@pytest.mark.parametrize("size", [1, 40])
def test_a_page_costs_the_same_for_few_and_many(people, now, size, django_assert_num_queries):
    people(size)
    with django_assert_num_queries(3):
        lead_list.page(Filters())
