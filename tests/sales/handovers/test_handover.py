from datetime import timedelta

import pytest
from psycopg import sql

from hagukumi.accounts.models import Workspace
from hagukumi.collect.content.models import Content
from hagukumi.collect.tracking.models import Page
from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import LeadPhase, Phase
from hagukumi.ledger.models import Activity, Pulse
from hagukumi.ledger.services import Fact, record
from hagukumi.people.leads.models import Lead
from hagukumi.sales.handovers import reads
from hagukumi.sales.handovers import services as handovers
from hagukumi.sales.handovers.models import Handover
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db


def every_lead():
    return sql.SQL("SELECT lead_id FROM lead")


def test_each_selected_lead_gets_one_open_handover_with_its_clock_and_evidence(people, now):
    Workspace.objects.create(name="青葉", sla_hours=4)
    first, second = people(2)
    record([Fact(first, "mail_clicked", now - timedelta(hours=1), 7)])
    assert handovers.hand_over_from(every_lead(), cause="基準に到達", now=now) == 2
    made = Handover.objects.get(lead_id=first)
    assert (made.state, made.cause, made.due_at) == ("open", "基準に到達", now + timedelta(hours=4))
    assert [fact["kind"] for fact in made.packet["facts"]] == [12]
    assert Handover.objects.get(lead_id=second).packet["facts"] == []
    assert list(Activity.objects.filter(kind=80).values_list("lead_id", flat=True).order_by("lead_id")) == [
        first,
        second,
    ]
    assert Pulse.objects.filter(kind=80).count() == 2


def test_a_lead_that_is_being_handed_over_is_not_handed_over_again(people, now):
    people(3)
    assert handovers.hand_over_from(every_lead(), cause="一回目", now=now) == 3
    assert handovers.hand_over_from(every_lead(), cause="二回目", now=now) == 0
    assert Handover.objects.count() == 3


def test_the_number_of_statements_is_the_same_for_10_and_1000_leads(people, now):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for n in (10, 1000):
        people(n)
        with CaptureQueriesContext(connection) as seen:
            handovers.hand_over_from(every_lead(), cause="基準に到達", now=now)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_accepting_makes_the_seller_its_owner_once(people, seller, now):
    (lead,) = people(1)
    handovers.hand_over(lead, cause="手動", now=now)
    handover = Handover.objects.get(lead_id=lead)
    handovers.accept(lead, handover.id, user_id=seller.id, now=now)
    assert Lead.objects.get(lead_id=lead).owner == seller
    assert Handover.objects.get(lead_id=lead).state == "accepted"
    with pytest.raises(handovers.AlreadyAnsweredError):
        handovers.accept(lead, handover.id, user_id=seller.id, now=now)
    assert Activity.objects.filter(kind=81).count() == 1


def test_a_return_moves_the_phase_one_back_and_keeps_the_reason(people, seller, now):
    phases.ready_made(now)
    (lead,) = people(1)
    considering = Phase.objects.get(model__is_primary=True, position=2)
    one = sql.SQL("SELECT {}::bigint AS lead_id").format(sql.Literal(lead))
    record([Fact(lead, "lead_created", now)])
    settle(now)
    phases.move_from(one, phase_id=considering.id, reason="試験", now=now)
    handovers.hand_over(lead, cause="手動", now=now)
    handover = Handover.objects.get(lead_id=lead)
    handovers.give_back(lead, handover.id, user_id=seller.id, reason="not_now", note="来期に", now=now)
    moved = LeadPhase.objects.get(lead_id=lead, model_id=considering.model_id)
    assert Phase.objects.get(id=moved.phase_id).position == 1
    answered = Handover.objects.get(lead_id=lead)
    assert (answered.state, answered.return_reason, answered.note) == ("returned", "not_now", "来期に")


def test_sales_answers_on_the_screen(people, seller, marketer, signed_in, now):
    (lead,) = people(1)
    handovers.hand_over(lead, cause="スコア20点に到達", now=now)
    handover = Handover.objects.get(lead_id=lead)
    desk = signed_in(seller).get("/handovers/").content.decode()
    assert "スコア20点に到達" in desk and "株式会社青葉製作所" in desk
    assert signed_in(marketer).post(f"/handovers/{lead}/{handover.id}/accept/").status_code == 403
    answer = signed_in(seller).post(f"/handovers/{lead}/{handover.id}/accept/")
    assert answer.status_code == 302
    assert Handover.objects.get(lead_id=lead).state == "accepted"


def test_a_return_needs_a_reason_of_the_list(people, seller, signed_in, now):
    (lead,) = people(1)
    handovers.hand_over(lead, cause="手動", now=now)
    handover = Handover.objects.get(lead_id=lead)
    for reason in ("<script>", ""):
        signed_in(seller).post(f"/handovers/{lead}/{handover.id}/return/", {"reason": reason})
    assert Handover.objects.get(lead_id=lead).state == "open"


def test_the_handover_page_shows_what_sales_needs(people, seller, signed_in, now):
    (lead,) = people(1)
    record([Fact(lead, "content_downloaded", now - timedelta(hours=1), 1)])
    settle(now)
    handovers.hand_over(lead, cause="スコア到達", now=now)
    handover = Handover.objects.get(lead_id=lead)
    page = signed_in(seller).get(f"/handovers/{lead}/{handover.id}/").content.decode()
    for words in ("スコア到達", "03-1234-5678", "資料ダウンロード"):
        assert words in page


def test_the_packet_and_the_desk_name_what_was_read_fetched_and_clicked(people, seller, signed_in, now):
    (lead,) = people(1)
    page = Page.objects.create(url="https://www.example.co.jp/price/", title="料金のご案内", first_seen_at=now)
    content = Content.objects.create(title="導入の手引き", kind="whitepaper", created_at=now)
    record(
        [Fact(lead, "page_view", now - timedelta(hours=hours), page.id) for hours in (1, 2, 3)]
        + [Fact(lead, "content_downloaded", now - timedelta(hours=4), content.id)]
    )
    handovers.hand_over(lead, cause="スコア到達", now=now)
    handover = Handover.objects.get(lead_id=lead)
    packet = signed_in(seller).get(f"/handovers/{lead}/{handover.id}/").content.decode()
    assert packet.count("料金のご案内") == 3
    assert "導入の手引き" in packet
    desk = signed_in(seller).get("/handovers/").content.decode()
    assert desk.count("料金のご案内") == 1, "the desk tells each thing once"
    assert desk.index("導入の手引き") < desk.index("料金のご案内"), "a download says more than a page view"


def test_a_new_owner_is_a_fact_that_conditions_on_the_owner_hear(people, seller, now):
    (lead,) = people(1)
    handovers.hand_over(lead, cause="手動", now=now)
    handovers.accept(lead, Handover.objects.get(lead_id=lead).id, user_id=seller.id, now=now)
    told = Activity.objects.get(lead_id=lead, kind=32).details
    assert told == {"field": "owner_id", "old": None, "new": seller.id, "by": seller.id}
    assert Pulse.objects.filter(lead_id=lead, kind=32).exists()


def test_a_return_is_a_cause_of_its_own_and_its_reason_a_code(people, seller, now):
    phases.ready_made(now)
    (lead,) = people(1)
    record([Fact(lead, "lead_created", now)])
    settle(now)
    start = LeadPhase.objects.get(lead_id=lead, model_id=Phase.objects.filter(model__is_primary=True)[0].model_id)
    assert (start.cause, start.reason) == ("start", "")
    phases.move([lead], phase_id=Phase.objects.get(model__is_primary=True, position=2).id, reason="引き渡し", now=now)
    handovers.hand_over(lead, cause="手動", now=now)
    handovers.give_back(
        lead, Handover.objects.get(lead_id=lead).id, user_id=seller.id, reason="no_budget", note="", now=now
    )
    back = LeadPhase.objects.get(lead_id=lead, model_id=start.model_id)
    assert (back.cause, back.reason) == ("returned", "no_budget")


@pytest.mark.parametrize(
    ("answered", "in_time"),
    [(timedelta(hours=4), 1), (timedelta(hours=4, microseconds=1), 0)],
    ids=["at the last instant", "one instant late"],
)
def test_the_sla_rate_counts_what_was_answered_by_its_due_time(people, seller, now, answered, in_time):
    Workspace.objects.create(name="青葉", sla_hours=4)
    first, _second = people(2)
    handovers.hand_over_from(every_lead(), cause="x", now=now)
    handover = Handover.objects.get(lead_id=first)
    handovers.accept(first, handover.id, user_id=seller.id, now=now + answered)
    counts = reads.counts(now, now + timedelta(days=1))
    assert (counts["answered"], counts["in_time"], counts["open"], counts["late"]) == (1, in_time, 1, 1)
    assert counts["on_time"] == float(in_time)
