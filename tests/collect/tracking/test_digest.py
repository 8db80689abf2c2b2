"""From the inbox to the ledger: exact rows, once, in a constant number of statements."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hagukumi.channels.mail import kinds as mail
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.tracking import digest, kinds
from hagukumi.collect.tracking.models import Drop, Inbox, Page, SeenEvent, Site
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity, ActivityDay
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
PRICE = "https://www.aoba.example.co.jp/price/"


@pytest.fixture
def say(now):
    """Puts one row into the inbox as the collector does."""

    def put(kind="view", **fields):
        fields.setdefault("event_id", uuid.uuid4())
        fields.setdefault("at", now)
        if kind in ("view", "dwell", "scroll", "download", "custom"):
            fields.setdefault("visitor", "visitor-0001")
            fields.setdefault("url", PRICE)
        return Inbox.objects.create(kind=kind, **fields)

    return put


def facts(kind):
    return list(Activity.objects.filter(kind=kind.code).order_by("at", "id"))


def test_a_view_makes_a_visitor_a_page_and_a_fact(say, now):
    site = Site.objects.create(origin="https://www.aoba.example.co.jp", name="本社", created_at=now)
    say(title="価格", referrer="https://search.example/")
    beat(now)
    visitor = Lead.objects.get()
    page = Page.objects.get()
    assert visitor.known_at is None
    assert LeadIdentity.objects.get().lead_id == visitor.lead_id
    assert (page.url, page.title, page.first_seen_at) == (PRICE, "価格", now)
    (fact,) = facts(kinds.PAGE_VIEW)
    assert (fact.lead_id, fact.object_id, fact.at) == (visitor.lead_id, page.pk, now)
    assert fact.details == {"referrer": "https://search.example/"}
    site.refresh_from_db()
    assert site.last_seen_at == now
    assert not Inbox.objects.exists()


def test_amounts_are_seconds_and_percent_within_their_bounds(say, now):
    say("dwell", amount=95)
    say("dwell", amount=1e8)
    say("scroll", amount=140)
    beat(now)
    assert [fact.amount for fact in facts(kinds.DWELL)] == [95, 14400]
    assert [fact.amount for fact in facts(kinds.SCROLL)] == [100]


def test_a_referrer_of_the_same_site_is_not_kept(say, now):
    say(referrer="https://www.aoba.example.co.jp/")
    beat(now)
    assert facts(kinds.PAGE_VIEW)[0].details is None


def test_repeats_and_drops_are_counted_by_reason_and_jst_day(say, now):
    event = uuid.uuid4()
    say(event_id=event)
    say(event_id=event)
    say("", amount=7, drop_reason="bot", at=now.replace(hour=15))  # 00:00 of the next day in Tokyo
    beat(now)
    say(event_id=event)
    beat(now)
    assert len(facts(kinds.PAGE_VIEW)) == 1
    counted = {(str(row.day), row.reason): row.count for row in Drop.objects.all()}
    assert counted == {("2026-11-20", "repeat"): 2, ("2026-11-21", "bot"): 7}


def test_a_count_of_drops_that_was_spooled_twice_counts_once(say, now):
    event = uuid.uuid4()
    for _ in range(2):
        say("", event_id=event, amount=7, drop_reason="bot")
        beat(now)
    assert [(row.reason, row.count) for row in Drop.objects.all()] == [("bot", 7)]


def test_a_second_run_changes_nothing(say, now):
    say()
    settle(now)
    before = (Activity.objects.count(), Lead.objects.count(), Page.objects.count(), SeenEvent.objects.count())
    assert digest.step(now) == 0
    settle(now)
    assert (Activity.objects.count(), Lead.objects.count(), Page.objects.count(), SeenEvent.objects.count()) == before


def test_statements_do_not_grow_with_events(say, now):
    def statements(n):
        Inbox.objects.bulk_create(
            Inbox(event_id=uuid.uuid4(), at=now, kind="view", visitor=f"visitor-{n}-{i}", url=f"{PRICE}{i % 7}")
            for i in range(n)
        )
        ledger.open_beat_tables()
        with CaptureQueriesContext(connection) as seen:
            digest.step(now)
        return len(seen)

    assert statements(10) == statements(1000)


@pytest.fixture
def delivered(people, now):
    """A lead, and a mail sent to it an hour before now."""
    (lead_id,) = people(1)
    sent = now - timedelta(hours=1)
    delivery = Delivery.objects.create(
        lead_id=lead_id, message_id=7, occurrence="t1", id=4711, state="sent", queued_at=sent, due_at=sent, sent_at=sent
    )
    return lead_id, delivery


def test_clicks_and_opens_are_facts_about_the_message(say, now, delivered):
    lead_id, delivery = delivered
    say("click", lead_id=lead_id, delivery_id=delivery.id, url=PRICE, details={"link": 2})
    say("open", lead_id=lead_id, delivery_id=delivery.id)
    beat(now)
    (click,) = facts(mail.MAIL_CLICKED)
    assert (click.lead_id, click.object_id, click.details) == (lead_id, 7, {"link": 2, "url": PRICE})
    (opened,) = facts(mail.MAIL_OPENED)
    assert (opened.object_id, opened.details) == (7, None)


def test_what_comes_within_two_seconds_of_sending_is_suspect(say, now, delivered):
    lead_id, delivery = delivered
    say("click", lead_id=lead_id, delivery_id=delivery.id, url=PRICE, at=delivery.sent_at + timedelta(seconds=1.9))
    say("click", lead_id=lead_id, delivery_id=delivery.id, url=PRICE, at=delivery.sent_at + timedelta(seconds=2.1))
    beat(now)
    assert [(fact.details or {}).get("by") for fact in facts(mail.MAIL_CLICKED)] == ["suspect", None]


def test_a_click_of_nobody_is_counted_and_gone(say, now):
    say("click", lead_id=999_999, delivery_id=1, url=PRICE)
    beat(now)
    assert Drop.objects.get().reason == "unknown"
    assert not facts(mail.MAIL_CLICKED)


def test_an_arrival_from_a_mail_brings_the_earlier_visits_to_the_reader(say, now, delivered):
    lead_id, delivery = delivered
    say(at=now - timedelta(days=2))
    beat(now)
    say(lead_id=lead_id, delivery_id=delivery.id, details={"arrival": str(uuid.uuid4())})
    settle(now)
    views = facts(kinds.PAGE_VIEW)
    assert [fact.lead_id for fact in views] == [lead_id, lead_id]
    assert views[0].origin_lead_id is not None
    assert views[1].details == {"browser": views[0].origin_lead_id}
    assert len(facts(kinds.VISITOR_JOINED)) == 1
    assert LeadIdentity.objects.get(kind="visitor").lead_id == lead_id


def test_a_copied_arrival_ties_the_first_browser_only(say, now, delivered):
    lead_id, _ = delivered
    arrival = {"arrival": str(uuid.uuid4())}
    say(lead_id=lead_id, details=arrival)
    settle(now)
    say(visitor="another-one", lead_id=lead_id, details=arrival)
    settle(now)
    assert LeadIdentity.objects.get(kind="visitor", value="visitor-0001").lead_id == lead_id
    assert LeadIdentity.objects.get(kind="visitor", value="another-one").lead_id != lead_id


def test_a_browser_with_a_name_keeps_it(say, now, people):
    first, second = people(2)
    for lead_id in (first, second):
        say(lead_id=lead_id, details={"arrival": str(uuid.uuid4())})
        settle(now)
    assert LeadIdentity.objects.get(kind="visitor").lead_id == first
    assert {fact.lead_id for fact in facts(kinds.PAGE_VIEW)} == {first}


def test_what_a_merged_persons_browser_and_mail_say_is_of_who_they_became(say, now, people):
    old, kept = people(2)
    LeadIdentity.objects.create(kind="visitor", value="visitor-0001", lead_id=old)
    Lead.objects.filter(pk=old).update(state="merged", merged_into=kept)
    say()
    say("click", lead_id=old, delivery_id=1, url=PRICE)
    beat(now)
    assert {fact.lead_id for kind in (kinds.PAGE_VIEW, mail.MAIL_CLICKED) for fact in facts(kind)} == {kept}


def test_hostile_texts_are_kept_as_they_are(say, now):
    say(
        title="<script>alert(1)</script>'; DROP TABLE lead; -- \u202e",
        url="https://www.aoba.example.co.jp/?q=%27'\"<b>",
    )
    beat(now)
    assert Page.objects.get().title.startswith("<script>")


def test_event_ids_are_forgotten_after_four_days(say, now):
    SeenEvent.objects.create(event_id=uuid.uuid4(), at=now - timedelta(days=5))
    kept = SeenEvent.objects.create(event_id=uuid.uuid4(), at=now - timedelta(days=3))
    row = say()
    beat(now)
    assert set(SeenEvent.objects.values_list("event_id", flat=True)) == {kept.event_id, row.event_id}


def test_the_rollup_counts_days_in_tokyo_and_can_be_redone(say, now):
    from hagukumi.collect.tracking import rollup

    midnight = now.replace(hour=15, minute=0)  # 00:00 of the 21st in Tokyo
    for at in (midnight - timedelta(seconds=1), midnight, midnight):
        say(at=at)
    beat(now)
    later = now + timedelta(seconds=30)
    settle(later)
    settle(later + timedelta(seconds=30))
    expected = {("2026-11-20", 1, 1), ("2026-11-21", 2, 1)}

    def counted():
        rows = ActivityDay.objects.filter(kind=kinds.PAGE_VIEW.code)
        return {(str(row.day), row.count, row.leads) for row in rows}

    assert counted() == expected
    ActivityDay.objects.all().delete()
    rollup.redo(now.date() - timedelta(days=1), now.date() + timedelta(days=2), later)
    settle(later + timedelta(seconds=60))
    assert counted() == expected


def test_a_taker_that_breaks_loses_nothing(say, now, monkeypatch):
    from hagukumi.collect.tracking import takers
    from hagukumi.ledger.models import SetAside

    taken = []

    def broken(rows, at):
        raise ValueError("no")

    monkeypatch.setattr(takers, "_TAKERS", {"form": broken})
    say("form", object_id=1, details={"answers": {}})
    say()
    beat(now)
    assert Inbox.objects.get().kind == "form"
    assert SetAside.objects.get().owner == "digest"
    assert len(facts(kinds.PAGE_VIEW)) == 1
    monkeypatch.setattr(takers, "_TAKERS", {"form": lambda rows, at: taken.extend(rows)})
    beat(now + timedelta(minutes=1))
    assert taken[0]["details"] == {"answers": {}}
    assert not Inbox.objects.exists()
    assert not SetAside.objects.exists()
