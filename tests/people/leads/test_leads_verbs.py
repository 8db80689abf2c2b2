"""Tags, notes, calls, states, joining: what is written and what a repeat writes (nothing)."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity, Pulse
from hagukumi.overview.timeline import reads as timelines
from hagukumi.people.identity import services as identity
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead, LeadIdentity, LeadRecency, LeadSearch, LeadTag
from hagukumi.worker import heart


def anonymous(now, cookie="v1"):
    lead = Lead.objects.create(created_at=now, updated_at=now)
    LeadIdentity.objects.create(kind="visitor", value=cookie, lead_id=lead.lead_id)
    return lead.lead_id


def test_tagging_is_a_fact_once(people, now):
    a, b = people(2)
    assert leads.tag_from(leads.ids_sql([a, b, a]), " 展示会 2026 ", now=now) == 2
    assert leads.tag_from(leads.ids_sql([a, b]), "展示会 2026", now=now) == 0
    assert Activity.objects.filter(kind=36).count() == 2
    assert set(LeadTag.objects.values_list("tag", flat=True)) == {"展示会 2026"}


def test_undo_takes_off_only_what_that_act_put_on(people, now):
    a, b = people(2)
    leads.tag_from(leads.ids_sql([a]), "見込み", now=now)
    later = now + timedelta(minutes=1)
    assert leads.tag_from(leads.ids_sql([a, b]), "見込み", now=later) == 1
    assert leads.undo_tagging(later, "見込み", now=later) == 1
    assert list(LeadTag.objects.values_list("lead_id", flat=True)) == [a]
    assert Activity.objects.filter(kind=37).count() == 1


@pytest.mark.parametrize("tag", ["", "  ", "あ" * 61])
def test_a_tag_has_words(people, now, tag):
    with pytest.raises(ValueError, match="tag"):
        leads.tag_from(leads.ids_sql(people(1)), tag, now=now)


def test_notes_and_calls_stand_on_the_timeline(people, now, marketer):
    (a,) = people(1)
    leads.add_note(a, "来期の予算で検討", user_id=marketer.id, now=now)
    leads.log_call(a, result="talked", text="デモ希望", user_id=marketer.id, now=now, seconds=180)
    kinds = [item.kind.key for item in timelines.timeline(a).days[0].items]
    assert sorted(kinds) == ["call", "note"]
    with pytest.raises(ValidationError):
        leads.add_note(a, " ", user_id=None, now=now)
    with pytest.raises(ValidationError):
        leads.log_call(a, result="?", text="", user_id=None, now=now)


def test_state_changes_once(people, now):
    (a,) = people(1)
    assert leads.change_state(a, "left", reason="メール不達", user_id=None, now=now)
    assert not leads.change_state(a, "left", reason="", user_id=None, now=now)
    assert Lead.objects.get(lead_id=a).state == "left"
    assert Activity.objects.get(kind=38).details["old"] == "active"
    with pytest.raises(ValidationError):
        leads.change_state(a, "merged", reason="", user_id=None, now=now)


def test_joining_moves_what_was_done(people, now):
    (person,) = people(1)
    visitor = anonymous(now)
    ledger.record([ledger.Fact(visitor, "page_view", now - timedelta(days=40 * n), object_id=1) for n in range(3)])
    Pulse.objects.all().delete()
    assert identity.join_visitors([(visitor, person)], now) == 1
    moved = Activity.objects.filter(lead_id=person, kind=1)
    assert [row.origin_lead_id for row in moved] == [visitor] * 3
    assert not Activity.objects.filter(lead_id=visitor).exists()
    assert LeadIdentity.objects.get(kind="visitor").lead_id == person
    closed = Lead.objects.get(lead_id=visitor)
    assert (closed.state, closed.merged_into) == ("merged", person)
    assert Activity.objects.get(kind=6).amount == 3
    assert sorted(Pulse.objects.values_list("lead_id", "kind")) == [(person, 1), (person, 6)]


def test_joining_again_or_a_known_person_changes_nothing(people, now):
    a, b = people(2)
    visitor = anonymous(now)
    assert identity.join_visitors([(visitor, a)], now) == 1
    before = Activity.objects.count()
    assert identity.join_visitors([(visitor, b), (visitor, a), (a, b), (a, a)], now) == 0
    assert Activity.objects.count() == before
    assert Lead.objects.get(lead_id=visitor).merged_into == a
    assert identity.join_visitors([], now) == 0


@pytest.mark.parametrize("size", [1, 40])
def test_joining_takes_as_many_statements_for_few_as_for_many(people, now, size, django_assert_num_queries):
    pairs = [(anonymous(now, f"v{person}"), person) for person in people(size)]
    with django_assert_num_queries(6):
        identity.join_visitors(pairs, now)


def test_a_gateways_click_is_nobodys_last_act(people, now):
    person, gateway = people(2)
    heart.beat(now)
    ledger.record(
        [
            ledger.Fact(person, "mail_clicked", now, 1),
            ledger.Fact(gateway, "mail_clicked", now, 1, details={"by": "suspect"}),
            ledger.Fact(gateway, "page_view", now - timedelta(days=1), 1),
        ]
    )
    heart.beat(now)
    found = dict(LeadRecency.objects.filter(lead_id__in=(person, gateway)).values_list("lead_id", "at"))
    assert found == {person: now, gateway: now - timedelta(days=1)}


def test_the_beat_keeps_search_and_recency_for_touched_people_only(people, now):
    a, b = people(2)
    ledger.record(
        [ledger.Fact(a, "lead_created", now), ledger.Fact(a, "page_view", now), ledger.Fact(b, "mail_sent", now)]
    )
    heart.beat(now)
    assert list(LeadSearch.objects.values_list("lead_id", flat=True)) == [a]
    assert list(LeadRecency.objects.values_list("lead_id", "at")) == [(a, now)]
    ledger.record([ledger.Fact(a, "page_view", now - timedelta(days=3))])
    heart.beat(now)
    assert LeadRecency.objects.get().at == now
