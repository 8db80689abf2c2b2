"""When the server's word is about us: the line stands still, recipients pay nothing, and it goes on by itself."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import services
from hagukumi.channels.mail.models import MailLine, Message, Sender
from hagukumi.channels.outbox import rules
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.segments.models import Segment
from hagukumi.kit import clock, smtp
from hagukumi.people.consent.models import Suppression
from hagukumi.people.leads.models import Lead
from hagukumi.worker import breaker
from hagukumi.worker.sender import Sender as Sending

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NOT_VERIFIED = "554 Message rejected: Email address is not verified."


@pytest.fixture
def run(server, monkeypatch):
    """A sender that runs until a condition holds, its probes a tenth of a second apart."""
    monkeypatch.setattr(breaker, "WAITS", (0.1, 0.2))
    monkeypatch.setattr(rules, "RELEASE_WAIT", timedelta(seconds=0.05))

    def go(until, to=None):
        stopping = []

        async def life():
            stop = asyncio.Event()
            stopping.append((asyncio.get_running_loop(), stop))
            await Sending(to or server, connections=2, batch=20, in_hand=40).run(stop)

        thread = threading.Thread(target=lambda: asyncio.run(life()))
        thread.start()
        limit = time.monotonic() + 60
        while not until() and time.monotonic() < limit:
            time.sleep(0.05)
        loop, stop = stopping[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        assert time.monotonic() < limit, "it did not happen in time"
        connection.close()

    return go


def states():
    return sorted(Delivery.objects.values_list("state", "reason", "attempts"))


@pytest.mark.django_db(transaction=True)
def test_an_unverified_sender_stops_its_line_and_no_recipient(message, consenting, queue, run, script):
    ids = consenting(6)
    for address in Lead.objects.values_list("email", flat=True):
        script.data[address] = [NOT_VERIFIED] * 50
    queue(message, ids)
    run(lambda: MailLine.objects.filter(tries__gt=1).exists())
    assert {(state, attempts) for state, _reason, attempts in states()} == {("queued", 0)}
    assert not Suppression.objects.exists()
    line = MailLine.objects.get()
    assert (line.sender, line.reason, line.reply) == ("news@aoba.example.jp", "not_verified", NOT_VERIFIED)
    assert line.tries > 1

    script.data.clear()
    Delivery.objects.update(due_at=clock.now())
    run(lambda: not Delivery.objects.exclude(state="sent").exists())
    assert [state for state, _reason, _attempts in states()] == ["sent"] * 6
    assert len(script.mails) == 6
    assert not MailLine.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_another_senders_mail_goes_on_meanwhile(message, identity, consenting, queue, run, script, now):
    other = Sender.objects.create(
        name="B",
        email="b@beta.example.jp",
        legal_name="株式会社乙",
        postal_address="大阪市北区1-1",
        contact="06-1234-5678",
    )
    second = Message.objects.create(name="b", subject="b", mjml="本文", sender=other, created_at=now, updated_at=now)
    stopped, going = consenting(2)
    script.data[Lead.objects.get(pk=stopped).email] = [NOT_VERIFIED] * 50
    queue(message, [stopped])
    run(MailLine.objects.exists)
    queue(second, [going])
    run(lambda: Delivery.objects.get(lead_id=going).state == "sent")
    assert Delivery.objects.get(lead_id=stopped).state == "queued"
    assert list(MailLine.objects.values_list("sender", flat=True)) == ["news@aoba.example.jp"]


@pytest.mark.django_db(transaction=True)
def test_one_recipient_answering_421_for_ever_counts_its_tries(message, consenting, queue, run, script):
    bad, *good = consenting(4)
    script.rcpt[Lead.objects.get(pk=bad).email] = ["421 4.7.0 try again later"] * 50
    queue(message, [bad, *good])
    for tries in range(1, 7):
        Delivery.objects.filter(state="queued").update(due_at=clock.now())
        run(lambda tries=tries: Delivery.objects.get(lead_id=bad).attempts == tries)
    run(lambda: Delivery.objects.filter(state="sent").count() == 3)
    row = Delivery.objects.get(lead_id=bad)
    assert (row.state, row.reason, row.attempts) == ("failed", "retries_exhausted", 6)


@pytest.mark.django_db(transaction=True)
def test_a_full_mailbox_is_tried_again_and_never_suppressed(message, consenting, queue, deliver, script):
    (lead,) = consenting(1)
    address = Lead.objects.get(pk=lead).email
    script.rcpt[address] = ["550 Mailbox full"] * 9
    queue(message, [lead])
    deliver()
    assert states() == [("queued", "mailbox_full", 1)]
    Delivery.objects.update(attempts=5, due_at=clock.now())
    deliver()
    assert states() == [("failed", "mailbox_full", 6)]
    assert not Suppression.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_dead_mailbox_is_suppressed_with_the_servers_words(message, consenting, queue, deliver, script):
    (lead,) = consenting(1)
    address = Lead.objects.get(pk=lead).email
    script.rcpt[address] = ["550 5.1.1 no such user"]
    queue(message, [lead])
    deliver()
    assert list(Suppression.objects.values_list("value", "reason", "source")) == [
        (address, "hard_bounce", "550 5.1.1 no such user")
    ]


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_away_stands_on_the_screens(message, consenting, queue, run, signed_in, marketer, now):
    queue(message, consenting(3))
    run(MailLine.objects.exists, smtp.Server("127.0.0.1", 1, mailbox=True))
    assert {(state, attempts) for state, _reason, attempts in states()} == {("queued", 0)}
    line = MailLine.objects.get()
    assert (line.route, line.sender, line.reason) == ("127.0.0.1:1", "", "connect")
    where = Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)
    going = Broadcast.objects.create(message=message, segment=where, state="sending", created_at=now)
    client = signed_in(marketer)
    for url in (reverse("messages"), reverse("home"), reverse("broadcast", args=[going.pk])):
        page = client.get(url).content.decode()
        assert "送信が止まっています" in page and "送信サーバーに接続できません" in page
    assert services.standing_still()[0]["waiting"] == 3


@pytest.mark.django_db(transaction=True)
def test_what_failed_for_one_reason_goes_again_together(message, consenting, queue, signed_in, marketer, now):
    ids = consenting(4)
    where = Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)
    done = Broadcast.objects.create(message=message, segment=where, state="done", created_at=now)
    queue(message, ids, f"b{done.pk}", broadcast_id=done.pk)
    for lead, (state, reason) in zip(
        ids,
        [("failed", "blocked"), ("failed", "blocked"), ("failed", "user_unknown"), ("unknown", "in_doubt")],
        strict=True,
    ):
        Delivery.objects.filter(lead_id=lead).update(state=state, reason=reason)
    client = signed_in(marketer)
    page = client.get(reverse("broadcast", args=[done.pk])).content.decode()
    assert page.count("まとめて再送する") == 1
    url = reverse("broadcast_resend", args=[done.pk])
    assert client.post(url, {"reason": "user_unknown"}).status_code == 404
    assert client.post(url, {"reason": "in_doubt"}).status_code == 404
    client.post(url, {"reason": "blocked"})
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["failed", "queued", "queued", "unknown"]
    assert Broadcast.objects.get().state == "sending"


def refused(key, reply, stage="content", result="hard"):
    return smtp.Outcome(key, result, stage, reply)


def test_the_wait_grows_and_one_burst_is_one_failure():
    lines = breaker.Breaker()
    for key in range(5):
        assert lines.judge(refused(key, NOT_VERIFIED), "a@a.jp", NOW).result == "unsent"
    assert lines.lines["a@a.jp"].tries == 1
    at, waits = NOW, []
    for key in range(9):
        at = lines.lines["a@a.jp"].retry_at
        assert lines.to_probe(at) == ["a@a.jp"]
        assert lines.to_probe(at) == [], "one probe at a time"
        lines.judge(refused(100 + key, NOT_VERIFIED), "a@a.jp", at)
        waits.append((lines.lines["a@a.jp"].retry_at - at).total_seconds())
    assert waits == [30, 60, 120, 300, 600, 1800, 1800, 1800, 1800]
    lines.judge(smtp.Outcome(7, "sent", "content", "250"), "a@a.jp", at)
    assert lines.lines == {} and lines.changed == {"a@a.jp": None}


def test_who_is_refused_in_the_lines_name_while_others_go_through_pays_for_it():
    lines = breaker.Breaker()
    relay = "554 5.7.1 Relay access denied"
    assert lines.judge(refused(1, relay), "a@a.jp", NOW).result == "unsent"
    lines.judge(smtp.Outcome(2, "sent", "content", "250"), "a@a.jp", NOW)
    assert lines.judge(refused(1, relay), "a@a.jp", NOW + timedelta(minutes=1)).result == "soft"
    assert lines.lines == {}


def test_three_recipients_in_a_row_answered_with_421_are_the_servers_state():
    lines = breaker.Breaker()
    for key in (1, 1, 1, 2):
        assert lines.judge(refused(key, "421 busy", "rcpt", "soft"), "a@a.jp", NOW).result == "soft"
    assert not lines.is_shut(NOW)
    lines.judge(refused(3, "421 busy", "rcpt", "soft"), "a@a.jp", NOW)
    assert lines.is_shut(NOW) and not lines.is_shut(NOW + timedelta(hours=1))


def test_an_answer_about_a_recipient_opens_the_line():
    lines = breaker.Breaker()
    lines.fails(breaker.ROUTE, "connect", "refused", NOW)
    assert lines.to_probe(NOW + timedelta(seconds=15)) == [breaker.ROUTE]
    lines.judge(refused(1, "550 5.1.1 user unknown", "rcpt"), "a@a.jp", NOW + timedelta(seconds=16))
    assert lines.lines == {}
