"""W7: a mail to each of so many people, gated, rendered, personalised, tracked and recorded, into a sink on loopback.

Ours counts from the INSERT of the queue to the last receipt in the ledger. The limit is a plain loop, as Postfix's
`smtp-source -d` is one: pre-built bytes of the same mails, command by command, to the same sink over the same number of
connections, with no database and no rendering; it is taken before and after ours, for machines are noisy.
`pipelined_rate` is that loop with PIPELINING, which ours uses: what the wire alone could take. The sink is `smtp-sink`
where it is installed, else `bench.sink` in a process of its own.
"""

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import uvloop
from django.db import connection
from psycopg import sql

from hagukumi.accounts.models import Workspace
from hagukumi.channels.mail import services
from hagukumi.channels.mail.models import Message
from hagukumi.channels.mail.models import Sender as Identity
from hagukumi.channels.outbox.models import Delivery
from hagukumi.kit import clock, smtp
from hagukumi.ledger import services as ledger
from hagukumi.worker.sender import CONNECTIONS, Sender

LEADS = 20_000
ACTIVITY = 0
_SAMPLE = 200
"""Different mails that the limit sends round and round."""
_BODY = """# 製造業の見える化、事例を公開しました

{{ 会社名 }}
{{ 部署名 }} {{ 姓 }} {{ 名 }} 様

いつもお世話になっております。{{ 担当者名 }}です。
先日ご関心をお寄せいただいた「工程の見える化」について、同じ業種のお客様の事例をまとめました。

- 導入前の課題と、選んだ理由
- 最初の三か月で変わったこと
- 費用の考え方

[[事例を読む]](https://www.example.co.jp/cases/visualise?utm_source=mail)

ご不明な点は、[お問い合わせ](https://www.example.co.jp/contact) からお気軽にどうぞ。
"""
_PEOPLE = """
INSERT INTO lead (known_at, last_name, first_name, company_name, department, title, email, created_at, updated_at)
SELECT %(now)s, '山田' || n, '花子', '株式会社青葉製作所' || n %% 300, '製造部', '課長',
       'lead' || n || '@example.co.jp', %(now)s, %(now)s FROM generate_series(1, %(leads)s) n;
INSERT INTO consent_now (lead_id, channel, granted, basis, at)
SELECT lead_id, 'email', true, 'card', %(now)s FROM lead;
ANALYZE lead; ANALYZE consent_now;
"""


def run(leads: int, activity: int) -> dict[str, Any]:
    """Mails a second, ours and the limit's; `activity` is not used."""
    message = _prepare(leads)
    built = _built(message)
    with _sink() as (server, kind):
        limit = uvloop.run(_loop(server, built, leads, pipelined=False))
        started = time.perf_counter()
        _queue(message)
        sender = Sender(server)
        uvloop.run(sender.run(asyncio.Event(), until_empty=True))
        took = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _must_be_done(leads)
        limit = (limit + uvloop.run(_loop(server, built, leads, pipelined=False))) / 2
        pipelined = uvloop.run(_loop(server, built, leads, pipelined=True))
    return {
        "unit": "mails",
        "rate": round(leads / took),
        "limit_rate": round(leads / limit),
        "ratio": round(limit / took, 3),
        "pipelined_rate": round(leads / pipelined),
        "peak_mb": round(peak / 1024),
        "seconds": round(took, 2),
        "connections": CONNECTIONS,
        "sink": kind,
    }


def _prepare(leads: int) -> Message:
    now = clock.now()
    ledger.ensure_range(now, now)
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"now": now, "leads": leads})
    Workspace.objects.update_or_create(pk=1, defaults={"name": "bench", "daily_mail_cap": 1})
    identity = Identity.objects.create(
        name="青葉 育成チーム",
        email="news@example.co.jp",
        legal_name="株式会社青葉",
        postal_address="東京都千代田区丸の内1-1",
        contact="03-0000-0000",
    )
    return Message.objects.create(
        name="bench",
        subject="{{ 姓 }}様へ: 製造業の見える化、事例を公開しました",
        preheader="同じ業種の事例です",
        mjml=_BODY,
        sender=identity,
        created_at=now,
        updated_at=now,
    )


def _queue(message: Message, most: int | None = None) -> None:
    everybody = sql.SQL(
        "SELECT lead_id, 'b1'::text AS occurrence, NULL::timestamptz AS due_at FROM lead LIMIT {}"
    ).format(sql.Literal(most))
    services.queue_from(everybody, message_id=message.pk, now=clock.now())


def _must_be_done(leads: int) -> None:
    sent = Delivery.objects.filter(state="sent").count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM activity")
        facts = cursor.fetchone()[0]
    if sent != leads or facts != leads:
        raise RuntimeError(f"of {leads} mails {sent} were sent and {facts} recorded")


def _built(message: Message) -> list[bytes]:
    """A sample of the very mails, made beforehand; leaves no trace in the queue."""
    _queue(message, _SAMPLE)
    outbox = services.Outbox("bench")
    jobs, _judged = outbox.claim(_SAMPLE, clock.now())
    built = [outbox.mail(job, clock.now()).content for job in jobs]  # type: ignore[union-attr]
    Delivery.objects.all().delete()
    return built


async def _loop(server: smtp.Server, built: list[bytes], mails: int, *, pipelined: bool) -> float:
    """Seconds to hand `mails` pre-built mails off over the same connections."""
    waiting = deque(
        smtp.Mail(n, "news@example.co.jp", f"lead{n}@example.co.jp", built[n % len(built)]) for n in range(mails)
    )
    taken = 0

    def at_hand() -> smtp.Mail | None:
        return waiting.popleft() if waiting else None

    async def following() -> smtp.Mail | None:
        return at_hand()

    def report(outcome: smtp.Outcome) -> None:
        nonlocal taken
        taken += outcome.result == "sent"

    async def line() -> None:
        connected = await smtp.connect(server, "localhost")
        if not pipelined:
            connected.extensions.pop("PIPELINING", None)
        await connected.pump(following, at_hand, report)
        await connected.quit()

    started = time.perf_counter()
    await asyncio.gather(*(line() for _ in range(CONNECTIONS)))
    took = time.perf_counter() - started
    if taken != mails:
        raise RuntimeError(f"the sink took {taken} of {mails}")
    return took


@contextlib.contextmanager
def _sink() -> Iterator[tuple[smtp.Server, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = shutil.which("smtp-sink")
    drop = ["-u", "nobody"] if os.geteuid() == 0 else []
    bundled = [sys.executable, "-m", "hagukumi.bench.sink", str(port)]
    process = subprocess.Popen([own, *drop, f"127.0.0.1:{port}", "200"] if own else bundled)
    try:
        _wait(port)
        yield smtp.Server("127.0.0.1", port, mailbox=True), "smtp-sink" if own else "bundled"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.05)
    raise RuntimeError("the sink did not start")
