"""The gate: one SQL statement, one reason each."""

import pytest
from django.utils import translation
from psycopg import sql

from hagukumi.accounts.models import Workspace
from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import rules
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.mail.services import EMAIL, Outbox
from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock
from hagukumi.people.consent import services as consent
from hagukumi.people.leads.models import Lead

pytestmark = pytest.mark.django_db


def claim(now=None) -> list:
    return Outbox("test").claim(100, now or clock.now())[0]


def verdicts() -> dict[int, tuple[str, str]]:
    return {row.lead_id: (row.state, row.reason) for row in Delivery.objects.all()}


def test_each_obstacle_has_its_reason(message, consenting, people, queue, now):
    fine, left, blank, odd, gone, complained, manual, stopped = consenting(8)
    (silent,) = people(1)
    Lead.objects.filter(pk=left).update(state="離職")
    Lead.objects.filter(pk=blank).update(email="")
    Lead.objects.filter(pk=odd).update(email="あ@example.jp")
    address = dict(Lead.objects.values_list("lead_id", "email"))
    for lead, reason in ((gone, "hard_bounce"), (complained, "complaint"), (manual, "manual")):
        consent.suppress(address[lead], reason=reason, source="", now=now)
    consent.withdraw(stopped, address=address[stopped], reason="unsubscribe", evidence="", now=now)
    queue(message, [fine, left, blank, odd, gone, complained, manual, stopped, silent])

    assert [job.lead_id for job in claim()] == [fine]

    assert verdicts() == {
        fine: ("sending", ""),
        left: ("skipped", "lead_inactive"),
        blank: ("skipped", "no_address"),
        odd: ("skipped", "bad_address"),
        gone: ("skipped", "hard_bounce"),
        complained: ("skipped", "complaint"),
        manual: ("skipped", "suppressed"),
        stopped: ("skipped", "unsubscribed"),
        silent: ("skipped", "no_consent"),
    }
    for language in ("ja", "en"):
        with translation.override(language):
            assert all(outbox.reason_text(reason) != reason for _state, reason in verdicts().values() if reason)


@pytest.mark.parametrize("basis", ["optin", "card", "relation", "published"])
def test_every_lawful_basis_lets_marketing_through(message, consenting, queue, basis):
    ids = consenting(1, basis=basis)
    queue(message, ids)
    assert len(claim()) == 1


def test_operational_mail_needs_no_consent_but_no_dead_mailbox(message, people, queue, now):
    Message.objects.update(kind="operational")
    silent, stopped, gone = people(3)
    address = dict(Lead.objects.values_list("lead_id", "email"))
    consent.withdraw(stopped, address=address[stopped], reason="unsubscribe", evidence="", now=now)
    consent.suppress(address[gone], reason="hard_bounce", source="550 5.1.1", now=now)
    queue(message, [silent, stopped, gone])

    claim()

    assert verdicts() == {silent: ("sending", ""), stopped: ("sending", ""), gone: ("skipped", "hard_bounce")}


def test_a_sender_without_its_items_sends_nothing(message, consenting, queue):
    queue(message, ids := consenting(1))
    Sender.objects.update(postal_address="")
    assert claim() == []
    assert verdicts() == {ids[0]: ("skipped", "sender_incomplete")}


def test_over_the_daily_cap_scenario_mail_waits_and_broadcast_mail_until_its_last_day(message, consenting, queue, now):
    from datetime import timedelta

    Workspace.objects.update(daily_mail_cap=1)
    (lead,) = consenting(1)
    where = Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)
    made = {"message": message, "segment": where, "state": "sending", "created_at": now, "started_at": now}
    over = Broadcast.objects.create(**made, carry_until=now + timedelta(hours=14))
    open_end = Broadcast.objects.create(**made)
    long_ago = Broadcast.objects.create(**made | {"started_at": now - timedelta(days=7)})
    for occurrence, more in (
        ("s1.1.a", {}), ("s1.1.b", {}), ("b1", {"broadcast_id": over.pk}), ("b2", {"broadcast_id": open_end.pk}),
        ("b3", {"broadcast_id": long_ago.pk}),
    ):  # fmt: skip
        queue(message, [lead], occurrence, **more)
    Delivery.objects.update(due_at=now - timedelta(hours=1))
    Delivery.objects.filter(occurrence="s1.1.a").update(due_at=now - timedelta(hours=2))

    assert [job.occurrence for job in claim(now)] == ["s1.1.a"]

    rows = {row.occurrence: row for row in Delivery.objects.all()}
    for skipped in ("b1", "b3"):
        assert (rows[skipped].state, rows[skipped].reason) == ("skipped", "daily_cap")
    assert (rows["b2"].state, rows["b2"].due_at) == ("queued", rows["s1.1.b"].due_at)
    assert (rows["s1.1.b"].state, rows["s1.1.b"].reason) == ("queued", "daily_cap")
    assert rows["s1.1.b"].due_at.astimezone(clock.JST).isoformat() == "2026-11-21T09:00:00+09:00"
    assert claim(now + timedelta(hours=12)) == []
    assert len(claim(rows["s1.1.b"].due_at)) == 1
    assert sorted(Delivery.objects.values_list("state", flat=True)) == [
        "queued", "sending", "sending", "skipped", "skipped",
    ]  # fmt: skip


def test_the_gate_costs_the_same_statements_for_one_and_for_many(message, consenting, queue, django_assert_num_queries):
    queue(message, consenting(1), "one")
    with django_assert_num_queries(5):
        assert len(claim()) == 1
    queue(message, consenting(60), "many")
    with django_assert_num_queries(5):
        assert len(claim()) == 60


def test_a_second_claim_finds_nothing(message, consenting, queue):
    queue(message, consenting(3))
    assert len(claim()) == 3
    assert claim() == []


def test_queueing_twice_is_one_mail(message, consenting, queue):
    ids = consenting(2)
    assert queue(message, ids, "b1") == 2
    assert queue(message, ids, "b1") == 0
    assert queue(message, ids, "b2") == 2


def test_the_address_pattern_of_the_gate_is_that_of_the_rules(db):
    from django.db import connection

    test = EMAIL.unsendable.replace("l.email", "x.email")
    samples = [
        "a@b.jp",
        "a..b@docomo.ne.jp",
        "a@b",
        "a b@x.jp",
        "あ@x.jp",
        "<a@x.jp>",
        "a@b@x.jp",
        "a@x.j",
        "a@-.jp",
        "a\\@x.jp",
    ]
    with connection.cursor() as cursor:
        for sample in samples:
            query = sql.SQL("SELECT {} FROM (SELECT {} AS email) x").format(sql.SQL(test), sql.Literal(sample))
            cursor.execute(query.as_string(None).replace("%", "%%"), {})
            assert cursor.fetchone()[0] is not rules.sendable_address(sample), sample


MARKETING, OPERATIONAL = "marketing", "operational"


@pytest.mark.parametrize(
    ("cap", "earlier", "kind", "goes"),
    [
        (1, [], MARKETING, True),
        (1, [("sent", MARKETING)], MARKETING, False),
        (1, [("sending", MARKETING)], MARKETING, False),
        (1, [("unknown", MARKETING)], MARKETING, False),  # it may have arrived
        (1, [("failed", MARKETING)], MARKETING, True),
        (1, [("skipped", MARKETING)], MARKETING, True),
        (1, [("sent", OPERATIONAL)], MARKETING, True),
        (1, [("sent", MARKETING)], OPERATIONAL, True),
        (2, [("sent", MARKETING)], MARKETING, True),
        (2, [("sent", MARKETING), ("unknown", MARKETING)], MARKETING, False),
        (0, [("sent", MARKETING)] * 5, MARKETING, True),  # no limit
    ],
)
@pytest.mark.parametrize("broadcast", [None, 1])
def test_what_counts_for_the_daily_cap(message, consenting, queue, now, cap, earlier, kind, goes, broadcast):
    Workspace.objects.update(daily_mail_cap=cap)
    (lead,) = consenting(1)
    other = Message.objects.create(
        name="別", subject="x", mjml="x", sender=message.sender, kind=OPERATIONAL, created_at=now, updated_at=now
    )
    by_kind = {MARKETING: message, OPERATIONAL: other}
    for number, (state, of_kind) in enumerate(earlier):
        queue(by_kind[of_kind], [lead], f"before{number}")
        Delivery.objects.filter(occurrence=f"before{number}").update(state=state, sent_at=now)
    queue(by_kind[kind], [lead], "this", broadcast_id=broadcast)
    Delivery.objects.filter(occurrence="this").update(due_at=now)

    assert [job.occurrence for job in claim(now)] == (["this"] if goes else [])

    row = Delivery.objects.get(occurrence="this")
    assert (row.state, row.reason) == (("sending", "") if goes else ("queued", "daily_cap"))


@pytest.mark.parametrize(
    ("state", "again"),
    [("failed", True), ("skipped", True), ("unknown", True), ("queued", False), ("sending", False), ("sent", False)],
)
def test_a_person_sends_again_only_what_is_over_and_did_not_arrive(message, consenting, queue, now, state, again):
    (lead,) = consenting(1)
    queue(message, [lead])
    Delivery.objects.update(state=state, sent_at=now, reason="x")
    assert broadcasts.resend(lead, Delivery.objects.get().id, now) is again
    row = Delivery.objects.get()
    assert (row.state, row.reason) == (("queued", "resent") if again else (state, "x"))
