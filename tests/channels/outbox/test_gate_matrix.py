"""The gate, whole: every consent with every suppression, for both kinds of mail, in every state and phase."""

from collections import Counter
from datetime import timedelta
from hashlib import sha256

import pytest

from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.mail.models import Message
from hagukumi.channels.mail.services import Outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.phases import services as phases
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.kit import clock
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import StopKept, Suppression
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SUPPRESSIONS = ("", "unsubscribe", "manual", "hard_bounce", "complaint")
# what became of the person's consent -> the verdict under each of SUPPRESSIONS, '' = the mail goes
MARKETING = {
    "nothing said": ("no_consent", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "optin": ("", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "card": ("", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "relation": ("", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "published": ("", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "withdrawn": ("unsubscribed", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "withdrawn, then a card": ("unsubscribed", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
    "withdrawn, then opted in": ("", "unsubscribed", "suppressed", "hard_bounce", "complaint"),
}
OPERATIONAL = dict.fromkeys(MARKETING, ("", "", "suppressed", "hard_bounce", "complaint"))
GOES_ON = ("active",)
STATES = {
    "active": {},
    "moved": {"state": "moved"},
    "changed_job": {"state": "changed_job"},
    "left": {"state": "left"},
    "uninterested": {"state": "uninterested"},
    "merged": {"state": "merged", "merged_into": 1},
    "merged, still active by name": {"merged_into": 1},
    "unknown": {"known_at": None},
}


def _say(lead_ids: list[int], what: str, now) -> None:
    """Let the people come to this consent by the verbs. A stop leaves their present address alone: it names none."""
    before, then = now - 2 * DAY, now - DAY
    if what in ("optin", "card", "relation", "published"):
        _grant(lead_ids, what, before)
    elif what.startswith("withdrawn"):
        _grant(lead_ids, "card", before)
        for lead_id in lead_ids:
            consent.withdraw(lead_id, address="", reason="unsubscribe", evidence="", now=then)
        if ", then" in what:
            _grant(lead_ids, "card" if what.endswith("card") else "optin", now)


def _grant(lead_ids: list[int], basis: str, at) -> None:
    consent.grant_from(
        leads.addresses_sql(lead_ids), basis=basis, text_id=None, evidence="試験", now=at, over_stop=basis == "optin"
    )


@pytest.fixture
def crowd(people, now):
    """One person per (consent, suppression, state): {lead_id: that triple}."""
    found = {}
    for what in MARKETING:
        triples = [(what, reason, state) for reason in SUPPRESSIONS for state in STATES]
        group = dict(zip(people(len(triples)), triples, strict=True))
        _say(list(group), what, now)
        found |= group
    address = dict(Lead.objects.values_list("lead_id", "email"))
    Suppression.objects.bulk_create(
        Suppression(channel="email", value=address[lead_id], reason=reason, at=now)
        for lead_id, (_what, reason, _state) in found.items()
        if reason
    )
    for state, columns in STATES.items():
        if columns:
            Lead.objects.filter(pk__in=[one for one, triple in found.items() if triple[2] == state]).update(**columns)
    return found


def _expected(crowd, table) -> dict[int, str]:
    return {
        lead_id: table[what][SUPPRESSIONS.index(reason)] if state in GOES_ON else "lead_inactive"
        for lead_id, (what, reason, state) in crowd.items()
    }


@pytest.mark.parametrize("phase", ["", "latent", "deciding"])
@pytest.mark.parametrize(("kind", "table"), [("marketing", MARKETING), ("operational", OPERATIONAL)])
def test_every_person_gets_the_verdict_of_the_table(message, crowd, queue, now, kind, table, phase):
    """The phase a person stands in opens and closes nothing (a guard against mail that does not fit it is to come)."""
    if phase:
        phases.ready_made(now)
        phases.move(list(crowd), phase_id=phases.phase("interest", phase).id, reason="試験", now=now)
    Message.objects.update(kind=kind)
    queue(message, list(crowd))

    going, judged = Outbox("test").claim(10_000, clock.now())

    expected = _expected(crowd, table)
    found = {row.lead_id: row.reason if row.state == "skipped" else "" for row in Delivery.objects.all()}
    wrong = {crowd[one]: (found[one], expected[one]) for one in crowd if found[one] != expected[one]}
    assert not wrong
    assert judged == len(crowd)
    assert {job.lead_id for job in going} == {one for one, verdict in expected.items() if verdict == ""}


@pytest.mark.parametrize(("kind", "table"), [("marketing", MARKETING), ("operational", OPERATIONAL)])
def test_the_stop_of_an_erased_person_holds_for_who_comes_with_their_address(message, crowd, queue, now, kind, table):
    """Of their address only the hash is kept, and it stops as the address did."""
    StopKept.objects.bulk_create(
        StopKept(channel="email", digest=sha256(one.value.encode()).digest(), reason=one.reason, at=now)
        for one in Suppression.objects.all()
    )
    Suppression.objects.all().delete()
    Message.objects.update(kind=kind)
    queue(message, list(crowd))
    Outbox("test").claim(10_000, clock.now())
    found = {row.lead_id: row.reason if row.state == "skipped" else "" for row in Delivery.objects.all()}
    assert found == _expected(crowd, table)


@pytest.mark.parametrize(("kind", "table"), [("marketing", MARKETING), ("operational", OPERATIONAL)])
def test_the_preview_of_a_broadcast_counts_the_same_verdicts(message, crowd, now, kind, table):
    Message.objects.update(kind=kind)
    segment = Segment.objects.create(name="全員", tree={}, built_at=now, created_at=now, updated_at=now)
    SegmentMember.objects.bulk_create(
        SegmentMember(segment_id=segment.pk, lead_id=lead_id, since=now) for lead_id in crowd
    )
    found = broadcasts.gate_preview(message.pk, segment.pk, now)
    expected = Counter(_expected(crowd, table).values())
    assert (found.going, found.skipped) == (expected.pop(""), dict(expected))
