"""Consent: what is granted, what stays out, and what a repeat writes (nothing)."""

from datetime import timedelta

import pytest

from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import Consent, ConsentNow, Suppression
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead


def granted(now, *lead_ids, basis="card", text_id=None, over_stop=False):
    return consent.grant_from(
        leads.addresses_sql(list(lead_ids)),
        basis=basis,
        text_id=text_id,
        evidence="展示会",
        now=now,
        over_stop=over_stop,
    )


def grant(now, *lead_ids, **more):
    return granted(now, *lead_ids, **more).new


def standing(lead_id):
    return consent.standing(lead_id, Lead.objects.filter(pk=lead_id).values_list("email", flat=True).first() or "")


def test_granting_writes_row_fold_and_fact(people, now):
    a, b = people(2)
    assert grant(now, a, b) == 2
    assert sorted(ConsentNow.objects.values_list("lead_id", "granted", "basis")) == [
        (a, True, "card"),
        (b, True, "card"),
    ]
    assert Activity.objects.filter(kind=45).count() == 2
    assert standing(a).may_mail


def test_granting_twice_writes_nothing_even_after_another_basis(people, now):
    (a,) = people(1)
    grant(now, a)
    assert grant(now + timedelta(days=1), a) == 0
    assert grant(now + timedelta(days=2), a, basis="relation") == 1
    assert grant(now + timedelta(days=3), a) == 0
    assert Consent.objects.count() == 2


def test_an_opt_in_keeps_its_weight(people, now):
    (a,) = people(1)
    grant(now, a, basis="optin")
    grant(now + timedelta(days=1), a, basis="card")
    assert standing(a).basis == "optin"


def test_opt_out_wins_over_every_basis_until_the_persons_own_later_opt_in(people, now):
    (a,) = people(1, email="Taro@Aoba.example.co.jp")
    grant(now, a)
    assert consent.withdraw(a, address="Taro@Aoba.example.co.jp", reason="unsubscribe", evidence="リンク", now=now)
    assert not consent.withdraw(a, address="Taro@Aoba.example.co.jp", reason="unsubscribe", evidence="リンク", now=now)
    later = now + timedelta(days=1)
    assert grant(later, a, basis="card") == 0
    assert grant(later, a, basis="relation") == 0
    assert grant(now - timedelta(days=1), a, basis="optin") == 0
    assert not standing(a).may_mail
    assert standing(a).suppressed == "unsubscribe"
    assert grant(later, a, basis="optin", over_stop=True) == 1
    assert standing(a).may_mail
    assert not Suppression.objects.exists()
    assert grant(later + timedelta(days=1), a, basis="card") == 1


def test_a_stop_that_arrives_late_does_not_undo_a_newer_opt_in(people, now):
    """The wish of yesterday reaches us today, after the person has opted in anew."""
    (a,) = people(1, email="taro@aoba.example.co.jp")
    grant(now, a, basis="optin")
    yesterday = now - timedelta(days=1)
    for reason in ("unsubscribe", "manual"):
        assert not consent.withdraw(a, address="taro@aoba.example.co.jp", reason=reason, evidence="", now=yesterday)
    assert standing(a) == consent.Standing(True, "optin", now, "")
    assert Consent.objects.filter(granted=False).count() == 0
    assert Activity.objects.filter(kind=45).count() == 1


def test_a_stop_in_the_moment_of_an_opt_in_or_after_it_holds(people, now):
    for lead, at in zip(people(2), (now, now + timedelta(seconds=1)), strict=True):
        grant(now, lead, basis="optin")
        assert consent.withdraw(lead, address="", reason="unsubscribe", evidence="", now=at)
        assert standing(lead) == consent.Standing(False, "optout", at, "")
        assert grant(at, lead, basis="optin", over_stop=True) == 0  # nor does one of that very moment


def test_a_late_stop_holds_against_a_basis_that_the_person_has_not_given(people, now):
    (a,) = people(1)
    grant(now, a, basis="card")
    assert consent.withdraw(a, address="", reason="unsubscribe", evidence="", now=now - timedelta(days=1))
    assert not standing(a).may_mail


def test_a_late_complaint_holds_against_an_opt_in(people, now):
    (a,) = people(1, email="taro@aoba.example.co.jp")
    grant(now, a, basis="optin")
    address = "taro@aoba.example.co.jp"
    consent.withdraw(a, address=address, reason="complaint", evidence="", now=now - timedelta(days=1))
    assert standing(a).suppressed == "complaint"
    assert not standing(a).may_mail


def test_an_opt_in_lifts_only_stops_that_came_before_it(people, now):
    (a,) = people(1, email="taro@aoba.example.co.jp")
    consent.suppress("taro@aoba.example.co.jp", reason="manual", source="", now=now)
    grant(now - timedelta(seconds=1), a, basis="optin", over_stop=True)
    assert standing(a).suppressed == "manual"


def test_a_bounce_outlives_an_opt_in(people, now):
    (a,) = people(1, email="gone@example.co.jp")
    consent.suppress("Gone@example.co.jp ", reason="unsubscribe", source="/u/", now=now)
    consent.suppress("gone@example.co.jp", reason="hard_bounce", source="550 5.1.1", now=now)
    consent.suppress("gone@example.co.jp", reason="manual", source="佐藤", now=now)
    grant(now + timedelta(days=1), a, basis="optin", over_stop=True)
    assert Suppression.objects.get().reason == "hard_bounce"
    assert not standing(a).may_mail


def test_no_machine_takes_a_stop_back_and_it_is_told_how_many_it_kept(people, now):
    stopped, colleague, other, dead = people(4)
    first, bounced = (Lead.objects.get(pk=lead).email for lead in (stopped, dead))
    consent.withdraw(stopped, address=first, reason="unsubscribe", evidence="リンク", now=now)
    consent.withdraw(colleague, address="", reason="manual", evidence="電話", now=now)
    consent.suppress(bounced, reason="hard_bounce", source="550 5.1.1", now=now)
    later = now + timedelta(days=30)
    assert granted(later, stopped, colleague, other, dead, basis="optin") == consent.Granted(new=2, kept=2)
    assert [standing(lead).may_mail for lead in (stopped, colleague, other, dead)] == [False, False, True, False]
    sources = dict(Suppression.objects.values_list("value", "source"))
    assert sources == {first: "リンク", bounced: "550 5.1.1"}


def test_an_address_on_the_list_stays_when_a_new_person_comes_with_it(people, now):
    (a,) = people(1, email="taro@aoba.example.co.jp")
    consent.suppress("taro@aoba.example.co.jp", reason="unsubscribe", source="一括配信停止", now=now)
    assert granted(now + timedelta(days=1), a, basis="optin") == consent.Granted(new=1, kept=1)
    assert not standing(a).may_mail


def test_nobody_said_anything(people, now):
    (a,) = people(1)
    assert standing(a).granted is None
    assert not standing(a).may_mail
    assert standing(10**12).granted is None


@pytest.mark.parametrize(
    "verb",
    [lambda now: grant(now, 1, basis="rumour"), lambda now: consent.suppress("a@b.jp", reason="?", source="", now=now)],
)
def test_unknown_words_are_refused(db, now, verb):
    with pytest.raises(ValueError, match="unknown"):
        verb(now)


@pytest.mark.parametrize("size", [2, 60])
def test_as_many_statements_for_few_as_for_many(people, now, size, django_assert_num_queries):
    ids = people(size)
    with django_assert_num_queries(7):
        grant(now, *ids)
