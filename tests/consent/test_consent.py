"""Consent: what is granted, what stays out, and what a repeat writes (nothing)."""

from datetime import timedelta

import pytest
from psycopg import sql

from hagukumi.consent import services as consent
from hagukumi.consent.models import Consent, ConsentNow, Suppression
from hagukumi.ledger.models import Activity


def chosen(*lead_ids):
    return sql.SQL("SELECT unnest({}::bigint[]) AS lead_id").format(sql.Literal(list(lead_ids)))


def grant(now, *lead_ids, basis="card", text_id=None):
    return consent.grant_from(chosen(*lead_ids), basis=basis, text_id=text_id, evidence="展示会", now=now)


def test_granting_writes_row_fold_and_fact(people, now):
    a, b = people(2)
    assert grant(now, a, b) == 2
    assert sorted(ConsentNow.objects.values_list("lead_id", "granted", "basis")) == [
        (a, True, "card"),
        (b, True, "card"),
    ]
    assert Activity.objects.filter(kind=45).count() == 2
    assert consent.standing(a).may_mail


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
    assert consent.standing(a).basis == "optin"


def test_opt_out_wins_over_every_basis_until_a_later_opt_in(people, now):
    (a,) = people(1, email="Taro@Aoba.example.co.jp")
    grant(now, a)
    assert consent.withdraw(a, address="Taro@Aoba.example.co.jp", reason="unsubscribe", evidence="リンク", now=now)
    assert not consent.withdraw(a, address="Taro@Aoba.example.co.jp", reason="unsubscribe", evidence="リンク", now=now)
    later = now + timedelta(days=1)
    assert grant(later, a, basis="card") == 0
    assert grant(later, a, basis="relation") == 0
    assert grant(now - timedelta(days=1), a, basis="optin") == 0
    assert not consent.standing(a).may_mail
    assert consent.standing(a).suppressed == "unsubscribe"
    assert grant(later, a, basis="optin") == 1
    assert consent.standing(a).may_mail
    assert not Suppression.objects.exists()
    assert grant(later + timedelta(days=1), a, basis="card") == 1


def test_a_bounce_outlives_an_opt_in(people, now):
    (a,) = people(1, email="gone@example.co.jp")
    consent.suppress("Gone@example.co.jp ", reason="unsubscribe", now=now)
    consent.suppress("gone@example.co.jp", reason="hard_bounce", now=now)
    consent.suppress("gone@example.co.jp", reason="manual", now=now)
    grant(now + timedelta(days=1), a, basis="optin")
    assert Suppression.objects.get().reason == "hard_bounce"
    assert not consent.standing(a).may_mail


def test_nobody_said_anything(people, now):
    (a,) = people(1)
    assert consent.standing(a).granted is None
    assert not consent.standing(a).may_mail
    assert consent.standing(10**12).granted is None


@pytest.mark.parametrize(
    "verb", [lambda now: grant(now, 1, basis="rumour"), lambda now: consent.suppress("a@b.jp", reason="?", now=now)]
)
def test_unknown_words_are_refused(db, now, verb):
    with pytest.raises(ValueError, match="unknown"):
        verb(now)


@pytest.mark.parametrize("size", [2, 60])
def test_as_many_statements_for_few_as_for_many(people, now, size, django_assert_num_queries):
    ids = people(size)
    with django_assert_num_queries(8):
        grant(now, *ids)
