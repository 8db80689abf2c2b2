"""A move whose acts turn out to be a machine's is shown as such, and a person takes it back with one click."""

from datetime import timedelta

import pytest
from django.urls import reverse
from psycopg import sql

from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import PhaseModel
from hagukumi.judge.scoring import services as scoring
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.ledger.services import Fact
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db
SAID = "機械のものと判定されました"


@pytest.fixture
def rule(now):
    """Whoever clicks in a mail, or calls, goes from the first phase to the second."""
    scoring.ready_made(now)
    phases.ready_made(now)
    model = PhaseModel.objects.get(key="interest")
    first, second = phases.phases_of(model.id)[:2]
    tree = {"schema": 1, "type": "activity", "kinds": ["mail_clicked", "call"], "days": 30}
    return phases.save_rule(
        model.id, source_id=first.id, target_id=second.id, tree=tree, reason="クリックした", priority=0, now=now
    )


@pytest.fixture
def moved(rule, people, now):
    """A lead whom a click has moved."""
    (lead_id,) = people(1)
    settle(now)
    ledger.record([Fact(lead_id, "mail_clicked", now)])
    settle(now + timedelta(seconds=1))
    assert phases.standing(lead_id)["rule_id"] == rule.id
    return lead_id


def judge(lead_id, by, now):
    act = Activity.objects.get(lead_id=lead_id, kind=12)
    told = sql.SQL("SELECT {}::bigint, {}::timestamptz, {}::bigint, {}, 'burst'").format(
        *(sql.Literal(value) for value in (lead_id, act.at, act.id, by))
    )
    verdicts = sql.SQL("SELECT * FROM ({}) AS v (lead_id, at, id, by, why)").format(told)
    ledger.judge(verdicts)
    settle(now)


def test_a_persons_click_is_not_doubted(moved):
    assert phases.doubted(moved) is None


@pytest.mark.parametrize("by", ["bot", "suspect"])
def test_a_late_verdict_shows_the_move_as_doubted_and_a_click_takes_it_back(moved, rule, now, by, signed_in, marketer):
    client = signed_in(marketer)
    page = reverse("lead", args=[moved])
    assert SAID not in client.get(page).content.decode()
    judge(moved, by, now + timedelta(seconds=5))
    assert phases.doubted(moved) == rule
    assert phases.standing(moved)["id"] == rule.target_phase_id, "nobody is moved back unasked"
    assert SAID in client.get(page).content.decode()
    back = {"phase": rule.source_phase_id, "reason": "根拠の行動が機械によるものだったため"}
    assert client.post(reverse("phase_move", args=["interest", moved]), back).status_code == 302
    settle(now + timedelta(seconds=10))
    assert phases.standing(moved)["id"] == rule.source_phase_id, "and the machine's click moves them no more"
    assert SAID not in client.get(page).content.decode()


def test_a_move_that_stands_on_something_else_too_is_not_doubted(moved, now):
    ledger.record([Fact(moved, "call", now)])
    judge(moved, "bot", now + timedelta(seconds=5))
    assert phases.doubted(moved) is None


def test_staff_who_say_that_it_was_a_person_end_the_doubt(moved, now):
    judge(moved, "bot", now + timedelta(seconds=5))
    judge(moved, "human", now + timedelta(seconds=6))
    assert phases.doubted(moved) is None
