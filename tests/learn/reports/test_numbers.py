"""Each number a report shows equals plain SQL over the ledger, written here a second time and in another way."""

from datetime import date, timedelta

import pytest
from django.db import connection

from hagukumi.learn.reports import reads, rules
from hagukumi.learn.reports.models import Plan
from hagukumi.ledger.services import Fact, record
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources.models import Source
from hagukumi.screens.learn.reports import views as screens

pytestmark = pytest.mark.django_db


def plain(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0]


@pytest.fixture
def history(people, now):
    """20 leads of two sources: 10 reacted, 6 handed over, 4 accepted, 3 with a deal, 1 won without any handover."""
    fair = Source.objects.create(name="展示会", type="exhibition", cost_yen=300_000, created_at=now)
    web = Source.objects.create(name="Web", type="web", created_at=now)
    ids = people(12, source=fair) + people(8, source=web)
    later = now + timedelta(days=1)
    facts = [Fact(lead, "page_view", later) for lead in ids[:10] for _ in range(3)]
    facts += [Fact(lead, "handover_created", later, 1) for lead in ids[:6]]
    facts += [Fact(lead, "handover_accepted", later, 1) for lead in ids[:4]]
    facts += [Fact(lead, "deal_created", later, 1, 500_000) for lead in ids[:3]]
    facts += [Fact(lead, "deal_won", later, 1, 500_000) for lead in (ids[0], ids[19])]
    record(facts)
    return {"fair": fair, "web": web, "ids": ids}


WINDOW = reads.Window(date(2026, 11, 1), date(2026, 11, 30))


def test_the_funnel_counts_people_who_reached_a_stage_or_a_later_one(history, now):
    found = reads.funnel(WINDOW, now + timedelta(days=2))
    assert [step.people for step in found] == [20, 11, 7, 5, 4, 2]
    assert found[0].people == plain("SELECT count(*) FROM lead WHERE known_at IS NOT NULL")
    assert found[5].people == plain("SELECT count(DISTINCT lead_id) FROM activity WHERE kind = 85")
    assert found[4].people == plain("SELECT count(DISTINCT lead_id) FROM activity WHERE kind IN (83, 85)")
    assert found[2].people == plain("SELECT count(DISTINCT lead_id) FROM activity WHERE kind IN (80, 81, 83, 85)")


def test_a_machine_reacts_for_nobody(people, now):
    """A mail gateway's clicks take nobody to 反応あり; a person's click on the same mail does."""
    machine, human, both = people(3)
    suspect = {"by": "suspect"}
    record(
        [Fact(lead, "mail_clicked", now, 1, details=suspect) for lead in (machine, both) for _ in range(3)]
        + [Fact(lead, "mail_clicked", now, 1) for lead in (human, both)]
    )
    assert [step.people for step in reads.funnel(WINDOW, now + timedelta(days=1))] == [3, 2, 0, 0, 0, 0]


def test_a_merged_person_is_counted_once_in_the_funnel_and_in_the_sources(history, now):
    """Two cards of one person: the one that is left is in the cohort, the other is nobody of its own any more."""
    kept, gone = history["ids"][10:12]
    Lead.objects.filter(lead_id=gone).update(state="merged", merged_into=kept)
    found = reads.funnel(WINDOW, now + timedelta(days=2))
    assert [step.people for step in found] == [19, 11, 7, 5, 4, 2]
    assert {row["name"]: row["leads"] for row in reads.source_yield(WINDOW)} == {"展示会": 11, "Web": 8}


def test_the_funnel_of_one_source(history, now):
    window = reads.Window(WINDOW.first, WINDOW.last, history["web"].id)
    assert [step.people for step in reads.funnel(window, now + timedelta(days=2))] == [8, 1, 1, 1, 1, 1]


def test_what_had_not_happened_yet_is_not_counted(history, now):
    assert [step.people for step in reads.funnel(WINDOW, now)] == [20, 0, 0, 0, 0, 0]


def test_a_lead_belongs_to_the_japanese_day_it_became_known(history, now):
    Lead.objects.filter(lead_id=history["ids"][0]).update(known_at="2026-11-30T14:59:59Z")
    Lead.objects.filter(lead_id=history["ids"][1]).update(known_at="2026-11-30T15:00:00Z")
    assert reads.funnel(WINDOW, now)[0].people == 19


def test_happened_counts_facts_and_people(history, now):
    found = reads.happened(WINDOW)
    assert found["deal_won"] == {"kind": 85, "facts": 2, "people": 2, "amount": 1_000_000.0}
    assert found["handover_created"]["facts"] == plain("SELECT count(*) FROM activity WHERE kind = 80")
    assert found["deal_lost"]["facts"] == 0


def test_source_yield_reaches_to_yen(history, now):
    rows = {row["name"]: row for row in reads.source_yield(WINDOW)}
    fair = rows["展示会"]
    assert (fair["leads"], fair["mql"], fair["sql"], fair["deals"], fair["won"], fair["won_yen"]) == (
        12,
        6,
        4,
        3,
        1,
        500_000,
    )
    assert fair["cost_per_lead"] == 25_000
    assert fair["return_on_cost"] == pytest.approx(500_000 / 300_000)
    assert rows["Web"]["cost_per_lead"] is None


def test_months_without_anything_are_shown_as_zero(history, now):
    rows = reads.monthly(reads.Window(date(2026, 9, 1), date(2026, 11, 30)))
    assert [(row["month"], row["won"], row["won_yen"]) for row in rows] == [
        (date(2026, 9, 1), 0, 0),
        (date(2026, 10, 1), 0, 0),
        (date(2026, 11, 1), 2, 1_000_000),
    ]


@pytest.mark.parametrize(("target", "advice"), [(2, "enough"), (3, "nurture"), (50, "collect")])
def test_the_plan_says_whether_to_collect_or_to_nurture(history, now, target, advice):
    found = reads.funnel(WINDOW, now + timedelta(days=2))
    plan = reads.reverse_plan(target, [0.9] * 5, found)
    assert plan.advice == advice


def test_screens_show_exactly_these_numbers(history, now, marketer, signed_in):
    page = signed_in(marketer).get("/funnel/?first=2026-11-01&last=2026-12-30").content.decode()
    for people in ("20", "11", "7", "5", "4", "2"):
        assert f'<td class="text-end">{people}</td>' in page
    assert "100万円" in page


@pytest.mark.parametrize(
    "query", ["first=x&last=y", "first=2026-12-01&last=2026-01-01", "first=0001-01-01&last=9999-12-31"]
)
def test_a_bad_period_is_said_beside_its_field(db, marketer, signed_in, query):
    answer = signed_in(marketer).get(f"/funnel/?{query}")
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode()


def test_the_plan_for_last_years_wins_asks_for_no_more_than_last_year_had():
    found = rules.steps([3000, 734, 299, 210, 144, 36])
    live = reads.live_rates(found)
    shown = {f"rate_{step.stage.key}": round(step.rate * 100, 2) for step in found[1:]}
    form = screens.PlanForm({"target": 36, **shown})
    assert form.is_valid()
    assert rules.needed(36, form.rates(live)) == [3000, 734, 299, 210, 144, 36]
    form = screens.PlanForm({"target": 36, **shown, "rate_won": 20})
    assert form.is_valid()
    assert rules.needed(36, form.rates(live))[-2] == 180


def test_a_saved_target_is_there_the_next_month_too(history, now, marketer, signed_in):
    client = signed_in(marketer)
    rates = {f"rate_{stage.key}": 50 for stage in rules.STAGES[1:]}
    client.post("/plan/save/", {"target": 77, **rates})
    Plan.objects.update(month=date(2026, 9, 1))
    assert 'value="77"' in client.get("/plan/").content.decode()
