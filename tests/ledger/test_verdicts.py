"""A verdict on an act of the ledger, given late: what stood on the act is thought about again."""

from datetime import timedelta

import pytest
from psycopg import sql

from hagukumi.channels.mail import reads as mail_reads
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import SegmentMember
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity, ActivityDay, Pulse
from hagukumi.people.leads.models import LeadRecency
from hagukumi.sales.handovers import services as handovers
from hagukumi.sales.handovers.models import Handover
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db
BOT = ("bot", "burst")
CLICKED = {"type": "activity", "kinds": ["mail_clicked"]}


def judge(lead_id, by, why):
    """The verdict on each click of a lead."""
    select = "SELECT lead_id, at, id, {}::text AS by, {}::text AS why FROM activity WHERE kind = 12 AND lead_id = {}"
    return ledger.judge(sql.SQL(select).format(sql.Literal(by), sql.Literal(why), sql.Literal(lead_id)))


def click(lead_id, at, **details):
    ledger.record([ledger.Fact(lead_id, "mail_clicked", at, 7, details=details or None)])


def test_a_verdict_keeps_the_rest_of_the_act_and_asks_once(people, now):
    (lead,) = people(1)
    click(lead, now, link=2)
    Pulse.objects.all().delete()
    assert judge(lead, *BOT) == 1
    assert judge(lead, *BOT) == 0
    assert Activity.objects.get(kind=12).details == {"link": 2, "by": "bot", "why": "burst"}
    assert list(Pulse.objects.values_list("lead_id", "kind", "object_id", "at")) == [(lead, 12, 7, now)]


def test_who_is_only_clicked_for_leaves_the_segment_and_has_no_last_act(people, now):
    (lead,) = people(1)
    clicked = segments.save("クリックした人", CLICKED, now=now)
    click(lead, now)
    settle(now)
    assert SegmentMember.objects.filter(segment_id=clicked.pk).count() == 1
    assert LeadRecency.objects.get(lead_id=lead).at == now
    judge(lead, *BOT)
    settle(now)
    assert SegmentMember.objects.filter(segment_id=clicked.pk).count() == 0
    assert not LeadRecency.objects.filter(lead_id=lead).exists()
    judge(lead, "human", "staff")
    settle(now)
    assert SegmentMember.objects.filter(segment_id=clicked.pk).count() == 1
    assert LeadRecency.objects.get(lead_id=lead).at == now


def test_the_last_act_goes_back_to_the_last_one_by_the_person(people, now):
    (lead,) = people(1)
    ledger.record([ledger.Fact(lead, "page_view", now - timedelta(days=2), 1)])
    click(lead, now)
    settle(now)
    judge(lead, *BOT)
    settle(now)
    assert LeadRecency.objects.get(lead_id=lead).at == now - timedelta(days=2)


def test_the_days_figures_are_counted_without_it(people, now):
    first, second = people(2)
    click(first, now)
    click(second, now)
    settle(now)
    settle(now + timedelta(seconds=10))
    assert ActivityDay.objects.get(kind=12).leads == 2
    judge(second, *BOT)
    settle(now + timedelta(seconds=20))
    settle(now + timedelta(seconds=30))
    assert ActivityDay.objects.get(kind=12).leads == 1


def test_a_machines_click_is_no_evidence_for_sales_and_no_click_of_the_broadcast(people, now):
    person, gateway = people(2)
    click(person, now)
    click(gateway, now, by="bot", why="agent")
    for lead in (person, gateway):
        handovers.hand_over(lead, cause="試し", now=now)
        Delivery.objects.create(
            lead_id=lead, message_id=7, occurrence="t1", id=lead, state="sent", queued_at=now, due_at=now, sent_at=now
        )
    evidence = {one.lead_id: len(one.packet["facts"]) for one in Handover.objects.all()}
    assert evidence == {person: 1, gateway: 0}
    mails = {row["lead_id"]: (row["clicked"], row["machine"]) for row in mail_reads.deliveries(7, None)}
    assert mails == {person: (True, None), gateway: (False, 2)}
