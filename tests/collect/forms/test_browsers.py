"""A browser is not a person for ever: who names themselves in it has it, and doubtful visits count for nobody."""

import uuid
from datetime import timedelta

import pytest

from hagukumi.collect.forms import services
from hagukumi.collect.tracking import services as tracking
from hagukumi.collect.tracking.models import Inbox
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.scoring.models import LeadScore
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import SegmentMember
from hagukumi.ledger.models import Activity
from hagukumi.people.leads.models import Lead, LeadIdentity, LeadRecency
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db
BROWSER = "visitor-0001"
SITE = "https://www.aoba.example.co.jp/"
VISITED = {"type": "activity", "kinds": ["page_view"]}


@pytest.fixture
def form(db, now):
    made = services.create(name="お問い合わせ", slug="contact", kind="inquiry", now=now)
    services.set_state(made, "open", now)
    made.refresh_from_db()
    return made


@pytest.fixture
def visit(now):
    """A page view of the browser, some minutes after now; `reader`: it arrives from the mail of this lead."""

    def see(minutes, path="", reader=None):
        Inbox.objects.create(
            event_id=uuid.uuid4(), at=now + timedelta(minutes=minutes), kind="view", visitor=BROWSER, url=SITE + path,
            lead_id=reader, details={"arrival": str(uuid.uuid4())} if reader else None,
        )  # fmt: skip

    return see


@pytest.fixture
def name(form, now):
    """Somebody names themselves in the browser, by a form."""

    def answer(minutes, email):
        values = {"last_name": "田中", "company_name": "青葉製作所", "email": email}
        at = now + timedelta(minutes=minutes)
        details = {"answers": values, "consent": True, "language": "ja"}
        tracking.put_in_inbox("form", now=at, visitor=BROWSER, object_id=form.version_id, details=details)
        settle(at)
        return Lead.objects.get(email=email).lead_id

    return answer


def views(lead_id):
    """The pages in the history of a lead, oldest first, as minutes after 10:00 in Tokyo."""
    rows = Activity.objects.filter(lead_id=lead_id, kind=1).order_by("at")
    return [(row.at.hour - 1) * 60 + row.at.minute for row in rows]


def browser_of():
    return LeadIdentity.objects.get(kind="visitor", value=BROWSER).lead_id


@pytest.mark.parametrize("together", [True, False], ids=["in one beat", "beat by beat"])
def test_who_got_the_mail_passed_on_takes_the_browser_and_the_doubtful_visits_count_for_neither(
    people, now, visit, name, together
):
    (reader,) = people(1)
    visit(0)
    if not together:
        settle(now)
    visit(5, "price", reader=reader)
    visit(6, "case")
    if not together:
        settle(now + timedelta(minutes=6))
        assert browser_of() == reader
        assert views(reader) == [0, 5, 6]
    other = name(10, "tanaka@hinata.example.co.jp")
    assert browser_of() == other
    assert views(reader) == views(other) == []
    nobody = Lead.objects.get(known_at=None)
    assert (nobody.merged_into, nobody.state) == (None, "active")
    assert views(nobody.lead_id) == [0, 5, 6]
    visit(20, "contact")
    settle(now + timedelta(minutes=20))
    assert views(other) == [20]
    left = Activity.objects.get(lead_id=reader, kind=7)
    assert (left.amount, left.details) == (3, {"visitor": nobody.lead_id})


def test_what_stood_on_the_doubtful_visits_falls(people, now, visit, name):
    scoring.ready_made(now)
    (reader,) = people(1)
    settle(now)
    visited = segments.save("見た人", VISITED, now=now)
    before = LeadScore.objects.get(lead_id=reader).behaviour
    for minute in range(5, 12):
        visit(minute, f"price{minute}", reader=reader if minute == 5 else None)
    settle(now + timedelta(minutes=12))
    assert SegmentMember.objects.filter(segment_id=visited.pk, lead_id=reader).exists()
    assert LeadScore.objects.get(lead_id=reader).behaviour > before
    other = name(20, "tanaka@hinata.example.co.jp")
    assert not SegmentMember.objects.filter(segment_id=visited.pk).exists()
    assert LeadScore.objects.get(lead_id=reader).behaviour == before
    assert not LeadRecency.objects.filter(lead_id=reader).exists()
    assert LeadRecency.objects.get(lead_id=other).at == now + timedelta(minutes=20)


def test_a_reader_who_names_themselves_keeps_their_visits(people, now, visit, name):
    (reader,) = people(1)
    Lead.objects.filter(lead_id=reader).update(email="")
    visit(0)
    visit(5, reader=reader)
    settle(now + timedelta(minutes=5))
    LeadIdentity.objects.create(kind="email", value="mine@aoba.example.co.jp", lead_id=reader)
    Lead.objects.filter(lead_id=reader).update(email="mine@aoba.example.co.jp")
    assert name(10, "mine@aoba.example.co.jp") == reader
    visit(15)
    settle(now + timedelta(minutes=15))
    assert views(reader) == [0, 5, 15]
    assert not LeadIdentity.objects.filter(kind="arrived").exists()


def test_of_two_who_named_themselves_each_keeps_what_was_theirs(now, visit, name):
    first = name(0, "sato@aoba.example.co.jp")
    visit(5)
    settle(now + timedelta(minutes=5))
    second = name(10, "tanaka@hinata.example.co.jp")
    visit(15)
    settle(now + timedelta(minutes=15))
    assert (views(first), views(second)) == ([5], [15])


def test_a_mail_does_not_take_a_browser_from_who_named_themselves(people, now, visit, name):
    first = name(0, "sato@aoba.example.co.jp")
    (reader,) = people(1)
    visit(5, reader=reader)
    settle(now + timedelta(minutes=5))
    assert (views(first), views(reader)) == ([5], [])
