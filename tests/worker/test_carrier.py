"""A channel without a sender of its own is carried in the sender's process: started, stopped, and through an outage."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from psycopg import sql

from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.channels.outbox.services import Channel, Result
from hagukumi.kit import clock
from hagukumi.ledger.kinds import Kind
from hagukumi.worker import carrier
from hagukumi.worker.carrier import Carrier

MESSAGE = 900_001


@pytest.fixture
def got() -> list[str]:
    return []


@pytest.fixture
def channel(got):
    def hand_over(jobs, now):
        got.extend(job.address for job in jobs)
        return [Result("sent", receipt="ok") for _job in jobs]

    return Channel(
        key="memo",
        sent=Kind(9001, "memo_sent", "メモ送信", "Memo sent", "note", "mail"),
        failed=Kind(9002, "memo_failed", "メモ不達", "Memo failed", "note", "mail"),
        messages=f"SELECT {MESSAGE}::bigint AS message_id, 'operational' AS kind, '' AS unfit",
        address="l.phone",
        author=str,
        hand_over=hand_over,
    )


def queue(channel, lead_ids):
    select = sql.SQL("SELECT unnest({}::bigint[]) AS lead_id, 't1' AS occurrence, NULL::timestamptz AS due_at")
    outbox.queue_from(select.format(sql.Literal(lead_ids)), channel, message_id=MESSAGE, now=clock.now())


def carry(channel, until) -> None:
    """Run a carrier in a thread until the condition holds, then tell it to stop."""
    stop, loops = asyncio.Event(), []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await Carrier(channel).run(stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    give_up = time.monotonic() + 30
    while not until() and time.monotonic() < give_up:
        time.sleep(0.05)
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(30)
    assert not thread.is_alive() and until()


@pytest.mark.django_db(transaction=True)
def test_it_carries_until_it_is_told_to_stop(channel, got, people):
    ids = people(3, phone="03-1234-5678")
    queue(channel, ids)
    carry(channel, lambda: Delivery.objects.filter(state="sent").count() == 3)
    assert got == ["03-1234-5678"] * 3


@pytest.mark.django_db(transaction=True)
def test_what_was_handed_over_while_the_database_went_away_is_written_later_and_sent_once(
    channel, got, people, monkeypatch
):
    monkeypatch.setattr(carrier, "AWAY_SECONDS", 0.05)
    once = channel.hand_over

    def and_the_database_dies(jobs, now):
        results = once(jobs, now)
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return results

    object.__setattr__(channel, "hand_over", and_the_database_dies)
    queue(channel, people(1, phone="03-1234-5678"))
    carry(channel, lambda: Delivery.objects.get().state == "sent")
    assert got == ["03-1234-5678"]
    assert Delivery.objects.get().attempts == 1
