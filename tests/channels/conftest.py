"""The cast of the mail tests: a sender identity, a message, a scripted SMTP server, a sender that runs until empty."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from psycopg import sql

from hagukumi.channels.mail import services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.kit import clock, smtp
from hagukumi.people.consent import services as consent
from hagukumi.people.leads import services as leads


@pytest.fixture
def house(db, now, settings):
    """The one workspace: no daily cap unless a test sets one."""
    from hagukumi.accounts.models import Workspace

    settings.BASE_URL, settings.COLLECTOR_URL = "https://mail.example.jp", "https://t.example.jp"
    row = {
        "name": "青葉",
        "daily_mail_cap": 0,
    }
    return Workspace.objects.update_or_create(pk=1, defaults=row)[0]


@pytest.fixture
def identity(house) -> Sender:
    return Sender.objects.create(
        name="青葉 育成チーム",
        email="news@aoba.example.jp",
        legal_name="株式会社青葉",
        postal_address="東京都千代田区丸の内1-1",
        contact="https://aoba.example.jp/contact",
    )


@pytest.fixture
def message(identity, now) -> Message:
    return Message.objects.create(
        name="事例",
        subject="{{ 姓 }}様へ 事例のご案内",
        mjml="{{ 会社名 }} {{ 姓 }} 様\n\n[事例](https://www.example.jp/case?a=1&b=2)",
        sender=identity,
        created_at=now,
        updated_at=now,
    )


@pytest.fixture
def queue() -> Callable:
    """Queue `message` for leads: `queue(message, ids, occurrence="t1")`."""

    def put(message, lead_ids, occurrence="t1", **more) -> int:
        select = sql.SQL(
            "SELECT unnest({}::bigint[]) AS lead_id, {}::text AS occurrence, NULL::timestamptz AS due_at"
        ).format(sql.Literal(lead_ids), sql.Literal(occurrence))
        return services.queue_from(select, message_id=message.pk, now=clock.now(), **more)

    return put


@pytest.fixture
def consenting(people, now) -> Callable:
    """Known leads with a lawful basis (card)."""

    def make(n: int = 1, basis: str = "card", **overrides) -> list[int]:
        ids = people(n, **overrides)
        consent.grant_from(leads.addresses_sql(ids), basis=basis, text_id=None, evidence="test", now=now)
        return ids

    return make


class Script:
    """An SMTP server's part: what it got, and what it answers (by recipient, each answer used once)."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.rcpt: dict[str, list[str]] = {}
        self.data: dict[str, list[str]] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answers := self.rcpt.get(address):
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answers = self.data.get(envelope.rcpt_tos[0])
        answer = answers.pop(0) if answers else "250 2.0.0 accepted"
        if answer == "DROP":
            server.transport.abort()
            return "250 never seen"
        if answer.startswith("2"):
            self.mails.append((envelope.rcpt_tos[0], envelope.original_content))
        return answer


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(script) -> Iterator[smtp.Server]:
    controller = Controller(script, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    yield smtp.Server("127.0.0.1", controller.port, mailbox=True)
    controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def deliver(server) -> Callable:
    """Run a sender until nothing is due. (In a thread: Django forbids its connection inside a running loop.)"""
    from hagukumi.worker.sender import Sender as Sending

    def go(**options) -> int:
        sent: list[int] = []

        async def run() -> None:
            sending = Sending(server, connections=options.get("connections", 2), batch=20, in_hand=40)
            await sending.run(asyncio.Event(), until_empty=True)
            sent.append(sending.sent)

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
        connection.close()
        return sent[0]

    return go
