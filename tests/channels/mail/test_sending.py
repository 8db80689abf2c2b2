"""From the queue to a real SMTP server and back: every mail ends in one state, with the server's words."""

from datetime import timedelta

import pytest

from hagukumi.channels.mail import kinds
from hagukumi.channels.outbox.models import Delivery
from hagukumi.kit import clock, smtp
from hagukumi.ledger.models import Activity
from hagukumi.people.consent.models import Suppression
from hagukumi.people.leads.models import Lead

pytestmark = pytest.mark.django_db(transaction=True)


def states(**filters) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Delivery.objects.filter(**filters).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_each_person_gets_one_mail_and_one_fact(message, consenting, queue, deliver, script):
    ids = consenting(45)
    assert queue(message, ids) == 45
    assert queue(message, ids) == 0

    assert deliver() == 45

    assert states() == {"sent": 45}
    assert len({to for to, _ in script.mails}) == 45 == len(script.mails)
    assert Activity.objects.filter(kind=kinds.MAIL_SENT.code, object_id=message.pk).count() == 45
    assert Delivery.objects.first().receipt == "250 2.0.0 accepted"
    assert deliver() == 0


def test_a_soft_answer_is_tried_again_later_and_a_hard_one_never(message, consenting, queue, deliver, script):
    soft, hard, gone, refused = consenting(4)
    address = dict(Lead.objects.values_list("lead_id", "email"))
    script.rcpt[address[soft]] = ["451 4.7.1 try later"]
    script.data[address[hard]] = ["554 5.7.1 looks like spam"]
    script.rcpt[address[gone]] = ["550 5.1.1 no such user here"]
    script.rcpt[address[refused]] = ["550 5.7.26 unauthenticated"]
    queue(message, [soft, hard, gone, refused])

    deliver()

    rows = {row.lead_id: row for row in Delivery.objects.all()}
    assert (rows[soft].state, rows[soft].reason, rows[soft].attempts) == ("queued", "temporary", 1)
    assert timedelta(seconds=30) < rows[soft].due_at - clock.now() <= timedelta(minutes=1)
    assert (rows[hard].state, rows[hard].reason) == ("failed", "blocked")
    assert (rows[gone].state, rows[gone].reason) == ("failed", "user_unknown")
    assert (rows[refused].state, rows[refused].reason) == ("failed", "auth_failed")
    assert list(Suppression.objects.values_list("value", "reason")) == [(address[gone], "hard_bounce")]
    assert Activity.objects.filter(kind=kinds.MAIL_FAILED.code, object_id=message.pk).count() == 3

    Delivery.objects.filter(lead_id=soft).update(due_at=clock.now())
    assert deliver() == 1
    assert states() == {"sent": 1, "failed": 3}


def test_the_sixth_soft_failure_is_the_last(message, consenting, queue, deliver, script):
    (lead,) = consenting(1)
    queue(message, [lead])
    Delivery.objects.update(attempts=5)
    script.rcpt[Lead.objects.get(pk=lead).email] = ["450 4.2.1 greylisted"]

    deliver()

    row = Delivery.objects.get()
    assert (row.state, row.reason, row.attempts) == ("failed", "retries_exhausted", 6)


def test_a_connection_lost_after_the_content_leaves_doubt_and_no_twin(message, consenting, queue, deliver, script):
    ids = consenting(3)
    script.data[Lead.objects.get(pk=ids[0]).email] = ["DROP"]
    queue(message, ids)

    deliver(connections=1)
    deliver()

    assert states() == {"unknown": 1, "sent": 2}
    assert Delivery.objects.get(state="unknown").reason == "in_doubt"
    assert Activity.objects.filter(kind=kinds.MAIL_SENT.code, object_id=message.pk).count() == 2


def test_a_server_that_is_away_costs_no_attempt(message, consenting, queue, deliver, server, monkeypatch):
    import asyncio
    import threading

    from hagukumi.worker.sender import Sender

    queue(message, consenting(3))

    async def run():
        stop = asyncio.Event()
        sending = Sender(smtp.Server("127.0.0.1", 1, mailbox=True), connections=2, batch=20, in_hand=40)
        asyncio.get_running_loop().call_later(1.5, stop.set)
        await sending.run(stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join(30)
    assert states() == {"queued": 3}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}

    Delivery.objects.update(due_at=clock.now())
    assert deliver() == 3


def test_the_mail_of_a_sender_that_died_is_in_doubt_at_once(message, consenting, queue, deliver, script):
    ids = consenting(2)
    queue(message, ids)
    Delivery.objects.filter(lead_id=ids[0]).update(
        state="sending", lease_by="gone.1", lease_until=clock.now() + timedelta(minutes=10)
    )

    assert deliver() == 1

    assert states() == {"unknown": 1, "sent": 1}


def test_old_docomo_addresses_are_quoted(message, consenting, queue, deliver, script):
    queue(message, consenting(1, email="a..b@docomo.ne.jp"))

    assert deliver() == 1

    to, content = script.mails[0]
    assert to == "a..b@docomo.ne.jp"  # as the server reads RCPT TO:<"a..b"@docomo.ne.jp>
    assert b'To: "a..b"@docomo.ne.jp\r\n' in content
