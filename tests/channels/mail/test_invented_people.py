"""The demo company's people live in domains of examples: a real server is never asked to find them."""

import pytest

from hagukumi.channels.mail import rules
from hagukumi.channels.mail.outbox import Outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.kit import clock
from hagukumi.kit.smtp import Mail, Server
from hagukumi.people.consent.models import Suppression
from hagukumi.worker.sender import Sender


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("a@aoba-denki.example.co.jp", True), ("a@example.com", True), ("a@X.EXAMPLE.JP.", True), ("a@b.test", True),
        ("a@b.invalid", True), ("a@example1.co.jp", True), ("a@localhost", True),
        ("a@myexample.co.jp", False), ("a@example.co.jp.evil.jp", False), ("a@examplemail.com", False),
        ("a@hinata.co.jp", False), ("a@test.co.jp", False),
    ],
)  # fmt: skip
def test_domains_of_examples(address: str, kept: bool) -> None:
    assert rules.is_reserved(address) is kept


def test_an_invented_person_is_not_handed_to_a_real_server(message, consenting, queue, now) -> None:
    ids = consenting(2)
    queue(message, ids)
    outbox = Outbox("test", real=True)
    jobs, _judged = outbox.claim(10, clock.now())
    assert len(jobs) == 2
    outcomes = [outbox.mail(job, clock.now()) for job in jobs]
    outbox.settle([(job, out, clock.now()) for job, out in zip(jobs, outcomes, strict=True)], clock.now())
    assert list(Delivery.objects.values_list("state", "reason")) == [("failed", "reserved_address")] * 2
    assert not Suppression.objects.exists(), "their address is not dead; it was never asked"


def test_on_this_machine_they_are_served(message, consenting, queue) -> None:
    queue(message, consenting())
    outbox = Outbox("test")
    (job,), _judged = outbox.claim(10, clock.now())
    assert isinstance(outbox.mail(job, clock.now()), Mail)


@pytest.mark.parametrize(
    ("server", "real"),
    [
        (Server("127.0.0.1", 25, mailbox=True), False),
        (Server("localhost", 25), True),
        (Server("smtp.example.co.jp", 25), True),
    ],
)
def test_a_server_that_is_no_mailbox_is_a_real_one(server: Server, real: bool) -> None:
    assert Sender(server).outbox._real is real
