"""Nothing in use is put away: whoever sends a mail, or is signed by a sender, is named."""

import pytest
from django.urls import reverse

from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import confirming, services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.judge.segments.models import Segment
from hagukumi.ledger.uses import InUseError, of
from hagukumi.nurture.scenarios import rules as scenario_rules
from hagukumi.nurture.scenarios import services as scenarios

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(now):
    return Segment.objects.create(
        name="見込み客", tree={"type": "tag", "tags": ["展示会"]}, created_at=now, updated_at=now, built_at=now
    )


@pytest.fixture
def broadcast(message, segment, now):
    def make(state: str) -> Broadcast:
        return Broadcast.objects.create(message=message, segment=segment, state=state, scheduled_at=now, created_at=now)

    return make


@pytest.fixture
def scenario(message, segment, now):
    """A scenario with this mail in it, as it was first published."""
    graph = scenario_rules.Graph.model_validate(
        {
            "schema": 1,
            "entry": {"type": "segment", "segment_id": segment.pk},
            "start": "n1",
            "nodes": [
                {"id": "n1", "type": "mail", "message_id": message.pk, "next": "n2"},
                {"id": "n2", "type": "end"},
            ],
        }
    )
    return scenarios.create("展示会のお礼", now=now, graph=graph)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("draft", False),
        ("scheduled", True),
        ("sending", True),
        ("paused", True),
        ("done", False),
        ("cancelled", False),
        ("empty", False),
    ],
)
def test_a_mail_that_a_broadcast_sends(signed_in, marketer, message, broadcast, state, kept):
    made = broadcast(state)
    page = signed_in(marketer).post(reverse("message_archive", args=[message.pk]), follow=True).content.decode()
    assert ("「事例」は使われているため、しまえません: 一斉配信「事例」" in page) is kept
    assert (Message.objects.get().archived_at is None) is kept
    assert [use.url for use in of("segment", made.segment_id)] == ([f"/messages/{made.pk}/"] if kept else [])


def test_a_mail_that_a_scenario_sends(signed_in, marketer, message, scenario, now):
    assert of("message", message.pk) == [], "a draft sends nothing"
    scenarios.publish(scenario.id, now=now)
    client = signed_in(marketer)
    page = client.post(reverse("message_archive", args=[message.pk]), follow=True).content.decode()
    assert "しまえません: シナリオ「展示会のお礼」" in page
    scenarios.pause(scenario.id, now)
    with pytest.raises(InUseError) as said:
        services.archive(message.pk, now)
    assert [(use.name, use.url) for use in said.value.uses] == [("展示会のお礼", f"/scenarios/{scenario.id}/")]
    assert Message.objects.get().archived_at is None


def test_the_mail_that_asks_for_confirmation_is_worded_anew_not_put_away(message, identity, now):
    asking = confirming._message(identity, now)
    with pytest.raises(InUseError, match="ダブルオプトイン"):
        services.archive(asking.pk, now)


def test_a_sender_that_signs_a_mail(signed_in, marketer, message, identity, now):
    client = signed_in(marketer)
    url = reverse("sender_archive", args=[identity.pk])
    page = client.post(url, follow=True).content.decode()
    assert "しまえません: メール「事例」" in page
    assert Sender.objects.get().archived_at is None
    services.archive(message.pk, now)
    assert client.post(url).status_code == 302
    assert Sender.objects.get().archived_at is not None
    assert "をしまいました" in client.get(reverse("senders")).content.decode()
    assert "青葉 育成チーム" not in client.get(reverse("senders")).content.decode()
    assert client.get(reverse("sender", args=[identity.pk])).status_code == 404
    assert client.get(reverse("message_new")).status_code == 302, "there is no sender any more"


def test_what_was_put_away_cannot_be_planned(signed_in, marketer, message, segment, now):
    services.archive(message.pk, now)
    answer = signed_in(marketer).post(reverse("broadcast_new"), {"message": message.pk, "segment": segment.pk})
    assert answer.status_code == 200 and not Broadcast.objects.exists()
    made = broadcasts.draft(message_id=message.pk, segment_id=segment.pk, at=None, now=now)
    with pytest.raises(broadcasts.NotReadyError):
        broadcasts.schedule(made, now)
