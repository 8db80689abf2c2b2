"""Who opened and clicked: what a mail gateway does is told from what a reader does, by the whole of a delivery."""

import uuid
from datetime import datetime, timedelta

import pytest

from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.tracking.models import Inbox
from hagukumi.kit import tokens
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
SITE = "https://www.aoba.example.co.jp/"
SENT = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
OPEN, TRAP = "open", tokens.TRAP_LINK


@pytest.fixture
def delivered(people):
    """A lead, and a mail sent to it at SENT, an hour before now."""
    (lead_id,) = people(1)
    Delivery.objects.create(
        lead_id=lead_id, message_id=7, occurrence="t1", id=4711, state="sent", queued_at=SENT, due_at=SENT, sent_at=SENT
    )
    return lead_id


def arrive(lead_id, *acts):
    """Inbox rows of acts: (link number or OPEN, seconds after sending, details of the collector)."""
    for act, seconds, *details in acts:
        more = dict(*details)
        if act != OPEN:
            more["link"] = act
        Inbox.objects.create(
            event_id=uuid.uuid4(), at=SENT + timedelta(seconds=seconds), kind="open" if act == OPEN else "click",
            lead_id=lead_id, delivery_id=4711, url="" if act == OPEN else f"{SITE}{act}", details=more or None,
        )  # fmt: skip


def told(lead_id):
    """(by, why) of each act in the order of time."""
    rows = Activity.objects.filter(lead_id=lead_id, kind__in=(11, 12)).order_by("at", "id")
    return [((row.details or {}).get("by"), (row.details or {}).get("why")) for row in rows]


NOBODY, SUSPECT, BOT = (None, None), ("suspect", "burst"), ("bot", "burst")
CASES = {
    "a reader opens, reads and clicks": ([(OPEN, 600), (1, 640)], [NOBODY, NOBODY]),
    "a reader without pictures clicks": ([(1, 45)], [NOBODY]),
    "a reader clicks twice by mistake": ([(OPEN, 600), (1, 640), (1, 640.2)], [NOBODY] * 3),
    "a reader comes back for a second link": ([(OPEN, 600), (1, 640), (2, 644)], [NOBODY] * 3),
    "a reader comes back for a third": ([(OPEN, 600), (1, 640), (2, 644), (3, 648)], [NOBODY] * 4),
    "eight links in 0.19 s, half an hour later": ([(n, 1800 + n * 0.0271) for n in range(8)], [BOT] * 8),
    "four links in 2.9 s": ([(1, 600), (2, 601), (3, 602), (4, 602.9)], [BOT] * 4),
    "four links in 3 s": ([(1, 600), (2, 601), (3, 602), (4, 603)], [SUSPECT] * 4),
    "three links, each within 3 s of the other": ([(1, 600), (2, 603), (3, 606)], [SUSPECT] * 3),
    "three links, 3.1 s apart": ([(1, 600), (2, 603.1), (3, 606.2)], [NOBODY] * 3),
    "two links in 0.9 s": ([(1, 600), (2, 600.9)], [SUSPECT] * 2),
    "two links in a second": ([(1, 600), (2, 601)], [NOBODY] * 2),
    "the open beside a burst is by the same hand": ([(OPEN, 598), (1, 600), (2, 600.5)], [SUSPECT] * 3),
    "the open long before a burst is the reader's": ([(OPEN, 590), (1, 600), (2, 600.5)], [NOBODY, *[SUSPECT] * 2]),
    "right after sending": ([(OPEN, 1.9), (1, 2.1)], [("suspect", "early"), NOBODY]),
    "a click before the pictures": ([(1, 20), (OPEN, 25)], [("suspect", "unopened"), NOBODY]),
    "a click before the pictures, after a minute": ([(1, 61), (OPEN, 65)], [NOBODY] * 2),
    "the trap": ([(1, 600), (TRAP, 602), (2, 640), (3, 663)], [*[("bot", "trap")] * 3, NOBODY]),
    "what said that it is a bot": ([(1, 600, {"by": "bot", "why": "agent"})], [("bot", "agent")]),
    "a prefetch": ([(1, 600, {"by": "suspect", "why": "prefetch"})], [("suspect", "prefetch")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_who_did_it(delivered, now, name):
    acts, expected = CASES[name]
    arrive(delivered, *acts)
    beat(now)
    assert told(delivered) == expected


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_when_each_act_comes_with_a_beat_of_its_own(delivered, now, name):
    acts, expected = CASES[name]
    for act in acts:
        arrive(delivered, act)
        beat(now)
    settle(now)
    assert told(delivered) == expected


def test_what_other_people_do_at_the_same_time_is_theirs(people, now):
    ids = people(8)
    for number, lead_id in enumerate(ids):
        Delivery.objects.create(
            lead_id=lead_id, message_id=7, occurrence="t1", id=4711, state="sent",
            queued_at=SENT, due_at=SENT, sent_at=SENT,
        )  # fmt: skip
        arrive(lead_id, (number, 600 + number * 0.01))
    beat(now)
    assert [told(lead_id) for lead_id in ids] == [[NOBODY]] * 8


def test_what_a_person_has_said_stays(delivered, now):
    arrive(delivered, (1, 600))
    beat(now)
    ledger.judge("SELECT lead_id, at, id, 'human' AS by, 'staff' AS why FROM activity WHERE kind = 12")
    arrive(delivered, (2, 600.1), (3, 600.2), (4, 600.3))
    beat(now)
    assert told(delivered) == [("human", "staff"), BOT, BOT, BOT]


def test_the_first_minutes_acts_wait_until_a_burst_is_over(delivered):
    """A gateway's first click must not move anybody before its second comes."""
    soon = SENT + timedelta(seconds=30)
    arrive(delivered, (1, 30), (2, 30.1))
    beat(soon + timedelta(seconds=1))
    assert told(delivered) == []
    assert Inbox.objects.count() == 2
    assert beat(soon + timedelta(seconds=2)).changed["digest"] == 0  # the heart may rest meanwhile
    beat(soon + timedelta(seconds=5))
    assert told(delivered) == [SUSPECT] * 2
    assert not Inbox.objects.exists()


def visit(lead_id, seconds, visitor="visitor-0001"):
    Inbox.objects.create(
        event_id=uuid.uuid4(), at=SENT + timedelta(seconds=seconds), kind="view", visitor=visitor, url=SITE,
        lead_id=lead_id, delivery_id=4711, details={"arrival": str(uuid.uuid4())},
    )  # fmt: skip


@pytest.mark.parametrize("together", [True, False])
def test_the_browser_of_a_machine_is_not_the_readers(delivered, now, together):
    arrive(delivered, *[(n, 600 + n * 0.02) for n in range(8)])
    if not together:
        settle(now)
    visit(delivered, 601)
    settle(now)
    seen = LeadIdentity.objects.get(kind="visitor").lead_id
    assert seen != delivered
    assert Lead.objects.get(lead_id=seen).known_at is None
    assert not Activity.objects.filter(lead_id=delivered, kind=1).exists()


def test_a_reader_who_clicks_after_the_machine_is_known_by_it(delivered, now):
    arrive(delivered, *[(n, 30 + n * 0.02) for n in range(8)], (1, 400))
    visit(delivered, 401)
    settle(now)
    assert LeadIdentity.objects.get(kind="visitor").lead_id == delivered


def test_what_judging_reads_grows_with_the_acts_and_not_with_their_square(people, now):
    """A broadcast's opens come by the ten thousand in one digest: nothing may be compared with everything."""
    from django.db import connection, transaction

    from hagukumi.collect.tracking.queries import SQL, VERDICTS

    def rows_met(leads):
        fill = (
            "INSERT INTO digest_row"
            " (id, event_id, at, kind, visitor, lead_id, url, title, referrer, drop_reason, details)"
            " SELECT row_number() OVER (), gen_random_uuid(), %s::timestamptz + n * interval '5 s', 'click',"
            " 'v' || lead_id, lead_id, 'u' || n, '', '', '',"
            " jsonb_build_object('link', n::text, 'arrival', gen_random_uuid())"
            " FROM unnest(%s::bigint[]) AS lead_id CROSS JOIN generate_series(1, 3) n"
        )
        params = {"clicked": 11, "opened": 10, "trap": TRAP, "now": now}
        met = []
        with transaction.atomic(), connection.cursor() as cursor:
            ledger.open_beat_tables()
            SQL.open_digest.run()
            VERDICTS.open_verdicts.run()
            cursor.execute(fill, [now, leads])
            with ledger.by_index():
                for query in (VERDICTS.judge_mail_acts, SQL.arrivals):
                    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.compose()}", params)
                    met.append(sum(_met(cursor.fetchone()[0][0]["Plan"])))
            transaction.set_rollback(True)
        return met

    few, many = rows_met(people(20)), rows_met(people(200))
    assert all(more < 15 * less for less, more in zip(few, many, strict=True)), (few, many)


def _met(node):
    """Rows that each node of a plan has looked at, kept or dropped."""
    dropped = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Join Filter"))
    yield (node["Actual Rows"] + dropped) * node["Actual Loops"]
    for below in node.get("Plans", ()):
        yield from _met(below)
