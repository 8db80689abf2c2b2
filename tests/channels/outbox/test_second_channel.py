"""A channel is one value: a second one goes through the same gate, queue, retries and stop page as mail."""

from datetime import timedelta

import pytest
from django.db import connection
from psycopg import sql

from hagukumi.channels.mail.services import EMAIL, Outbox
from hagukumi.channels.outbox import channel as channels
from hagukumi.channels.outbox import services as outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.channels.outbox.services import Channel, Result
from hagukumi.channels.unsubscribe import services as unsubscribing
from hagukumi.kit import tokens
from hagukumi.ledger import kinds
from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import Suppression
from hagukumi.people.leads.models import Lead
from hagukumi.worker.carrier import Carrier

pytestmark = pytest.mark.django_db

SENT = Kind(9001, "memo_sent", "メモ送信", "Memo sent", "note", "mail")
FAILED = Kind(9002, "memo_failed", "メモ不達", "Memo failed", "note", "mail")


class Pigeons:
    """The other side: what it was given, and what it answers, by address."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.answers: dict[str, Result] = {}
        self.breaks = False

    def hand_over(self, jobs, now):
        if self.breaks:
            raise RuntimeError("the pigeon is lost")
        self.got += [(job.address, f"{job.facts['last_name']}様") for job in jobs]
        return [self.answers.get(job.address, Result("sent", receipt="coo")) for job in jobs]


@pytest.fixture
def pigeons() -> Pigeons:
    return Pigeons()


@pytest.fixture
def memo(pigeons, monkeypatch) -> Channel:
    """Memos by carrier pigeon to whoever has a telephone number; two messages, the second is operational."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE memo (id bigint DEFAULT nextval('message_id_seq'), kind text) ON COMMIT DROP")
        cursor.execute("INSERT INTO memo (kind) VALUES ('marketing'), ('operational')")
    made = Channel(
        key="memo",
        sent=SENT,
        failed=FAILED,
        messages="SELECT id AS message_id, kind, '' AS unfit FROM memo",
        address="l.phone",
        unsendable="l.phone ~ '[a-z]'",
        cap="1",
        reasons={"bad_address": "鳩には読めない番号です", "eaten": "猫に食べられました"},
        resendable=frozenset({"eaten"}),
        author=lambda message_id: "株式会社伝書鳩",
        hand_over=pigeons.hand_over,
    )
    monkeypatch.setitem(channels._CHANNELS, "memo", made)
    for kind in (SENT, FAILED):
        monkeypatch.setitem(kinds._BY_CODE, kind.code, kind)
        monkeypatch.setitem(kinds._BY_KEY, kind.key, kind)
    return made


def ids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM memo ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def queue(channel, message_id, lead_ids, now, occurrence="t1") -> int:
    select = sql.SQL(
        "SELECT unnest({}::bigint[]) AS lead_id, {}::text AS occurrence, NULL::timestamptz AS due_at"
    ).format(sql.Literal(lead_ids), sql.Literal(occurrence))
    return outbox.queue_from(select, channel, message_id=message_id, now=now)


@pytest.fixture
def reachable(house, people, now):
    """Leads who may be reached by memo, under this number."""

    def make(phone: str) -> int:
        (lead,) = people(1, phone=phone)
        one = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(sql.Literal(lead), sql.Literal(phone))
        consent.grant_from(one, basis="optin", text_id=None, evidence="test", now=now, channel="memo")
        return lead

    return make


def rows() -> dict[int, tuple[str, str]]:
    return {row.lead_id: (row.state, row.reason) for row in Delivery.objects.all()}


def test_the_same_gate_queue_and_books(memo, pigeons, reachable, people, now):
    advert, notice = ids()
    fine, odd, gone, twice = (reachable(phone) for phone in ("03-1", "03-x", "03-9", "03-2"))
    (silent,) = people(1, phone="03-3")
    (nowhere,) = people(1, phone="")
    consent.suppress("03-9", reason="hard_bounce", source="", now=now, channel="memo")
    queue(memo, notice, [twice], now)
    assert queue(memo, advert, [fine, odd, gone, twice, silent, nowhere], now) == 6
    assert queue(memo, advert, [fine], now) == 0

    carrier = Carrier(memo)
    assert carrier.round(now) == 7
    assert carrier.round(now) == 0

    assert sorted(address for address, _words in pigeons.got) == ["03-1", "03-2", "03-2"]
    assert {row.lead_id: (row.state, row.reason) for row in Delivery.objects.filter(message_id=advert)} == {
        fine: ("sent", ""),
        odd: ("skipped", "bad_address"),
        gone: ("skipped", "hard_bounce"),
        twice: ("sent", ""),
        silent: ("skipped", "no_consent"),
        nowhere: ("skipped", "no_address"),
    }
    assert Delivery.objects.filter(channel="memo").count() == 7
    assert outbox.reason_text("bad_address", "memo") == "鳩には読めない番号です"
    assert outbox.reason_text("bad_address", "email") == "メールアドレスの形が正しくありません"
    facts = Activity.objects.filter(kind=SENT.code).values_list("lead_id", "object_id")
    assert sorted(facts) == sorted([(fine, advert), (twice, advert), (twice, notice)])
    assert Delivery.objects.filter(lead_id=fine).get().receipt == "coo"

    queue(memo, advert, [fine], now, "second")
    carrier.round(now)
    held = Delivery.objects.get(occurrence="second")
    assert (held.state, held.reason) == ("queued", "daily_cap"), "its own cap of one a day"
    assert held.due_at.isoformat() == "2026-11-21T00:00:00+00:00"


def test_the_same_retries_and_the_same_doubt(memo, pigeons, reachable, now):
    _advert, notice = ids()
    soft, eaten, dead = (reachable(phone) for phone in ("03-1", "03-2", "03-3"))
    pigeons.answers = {
        "03-1": Result("later"),
        "03-2": Result("failed", "eaten", "meow"),
        "03-3": Result("failed", "rejected", "no such roof", dead=True),
    }
    queue(memo, notice, [soft, eaten, dead], now)
    carrier = Carrier(memo)
    carrier.round(now)
    assert rows() == {soft: ("queued", "temporary"), eaten: ("failed", "eaten"), dead: ("failed", "rejected")}
    assert Delivery.objects.get(lead_id=soft).due_at == now + timedelta(minutes=1)
    assert list(Suppression.objects.values_list("channel", "value", "reason")) == [("memo", "03-3", "hard_bounce")]
    assert Activity.objects.filter(kind=FAILED.code).count() == 2

    with pytest.raises(ValueError, match="no_consent"):
        outbox.resend_all(notice, None, "no_consent", now)
    assert outbox.resend_all(notice, None, "eaten", now) == 1
    pigeons.breaks = True
    carrier.round(now)
    assert rows()[eaten] == ("unknown", "in_doubt"), "never sent again by itself"
    assert carrier.round(now + timedelta(hours=1)) == 1
    assert rows()[soft] == ("unknown", "in_doubt")


def test_a_stop_by_one_channel_is_no_stop_by_another(memo, pigeons, reachable, consenting, message, client, now):
    advert, _notice = ids()
    lead = reachable("03-1")
    address = Lead.objects.get(pk=lead).email
    one = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(sql.Literal(lead), sql.Literal(address))
    consent.grant_from(one, basis="optin", text_id=None, evidence="test", now=now)
    queue(memo, advert, [lead], now)
    queue(EMAIL, message.pk, [lead], now)

    jobs, judged = Outbox("test").claim(10, now)
    assert (len(jobs), judged) == (1, 1), "mail's sender takes no memo"
    Carrier(memo).round(now)
    assert [phone for phone, _words in pigeons.got] == ["03-1"]

    delivery = Delivery.objects.get(channel="memo")
    url = f"/u/{tokens.seal('unsubscribe', lead, delivery.id)}"
    assert "株式会社伝書鳩" in client.get(url).content.decode()
    client.post(url, {"List-Unsubscribe": "One-Click"})
    assert unsubscribing.recipient(lead, delivery.id).stopped
    assert not consent.standing(lead, "03-1", channel="memo").may_mail
    assert consent.standing(lead, address).may_mail
    queue(memo, advert, [lead], now, "after")
    Carrier(memo).round(now)
    assert Delivery.objects.get(occurrence="after").reason == "unsubscribed"


def test_one_key_is_one_channel(memo):
    with pytest.raises(ValueError, match="memo"):
        channels.register(Channel("memo", SENT, FAILED, "", "", str))
