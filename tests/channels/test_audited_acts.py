"""Every act of staff on what goes out stands in the audit log: made in the verb, whichever door led there."""

import pytest
from django.urls import reverse

from hagukumi.accounts.models import AuditEntry
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.people.consent import services as consent

pytestmark = pytest.mark.django_db


class Desk:
    """Somebody at the screens, and the things that they act upon."""

    def __init__(self, client, message, segment, lead, now):
        self.client, self.message, self.segment, self.lead, self.now = client, message, segment, lead, now

    def post(self, name, /, *args, **data):
        answer = self.client.post(reverse(name, args=args), data)
        assert answer.status_code in (200, 302), answer.status_code
        return answer

    def broadcast(self, state, **more):
        return Broadcast.objects.create(
            message=self.message, segment=self.segment, state=state, created_at=self.now, **more
        )

    def failed(self, made):
        Delivery.objects.create(
            lead_id=self.lead, message_id=self.message.pk, occurrence="b", id=900001, broadcast_id=made.pk,
            state="failed", reason="blocked", queued_at=self.now, due_at=self.now,
        )  # fmt: skip


@pytest.fixture
def desk(signed_in, marketer, message, consenting, now):
    segment = Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)
    (lead,) = consenting(1)
    SegmentMember.objects.create(lead_id=lead, segment_id=segment.pk, since=now)
    return Desk(signed_in(marketer), message, segment, lead, now)


def given(row, *names):
    return {name: getattr(row, name) for name in names}


TEMPLATE = ("name", "kind", "subject", "preheader", "mjml", "text")
IDENTITY = ("name", "email", "reply_to", "legal_name", "postal_address", "contact")


def new_template(desk):
    desk.post("message_new", **given(desk.message, *TEMPLATE) | {"sender": desk.message.sender_id, "name": "二通目"})
    return {"name": "二通目"}


def changed_template(desk):
    form = given(desk.message, *TEMPLATE) | {"sender": desk.message.sender_id, "subject": "新しい件名"}
    desk.post("message", desk.message.pk, **form)
    return {"changes": {"subject": [desk.message.subject, "新しい件名"]}}


def archived_template(desk):
    desk.post("message_archive", desk.message.pk)
    return {"name": "事例"}


def new_sender(desk):
    desk.post("sender_new", **given(desk.message.sender, *IDENTITY) | {"name": "別の差出人"})
    return {"name": "別の差出人"}


def changed_sender(desk):
    form = given(desk.message.sender, *IDENTITY) | {"contact": "03-0000-0000"}
    desk.post("sender", desk.message.sender_id, **form)
    return {"changes": {"contact": ["https://aoba.example.jp/contact", "03-0000-0000"]}}


def drafted(desk):
    desk.post("broadcast_new", message=desk.message.pk, segment=desk.segment.pk)
    return {"at": None}


def confirmed(desk):
    desk.post("broadcast_act", desk.broadcast("draft").pk, "confirm")
    return {}


def paused(desk):
    desk.post("broadcast_act", desk.broadcast("sending").pk, "pause")
    return {}


def resumed(desk):
    desk.post("broadcast_act", desk.broadcast("paused").pk, "resume")
    return {}


def cancelled(desk):
    made = desk.broadcast("sending")
    desk.failed(made)
    Delivery.objects.update(state="queued", reason="")
    desk.post("broadcast_act", made.pk, "cancel")
    return {"count": 1}


def resent(desk):
    made = desk.broadcast("done")
    desk.failed(made)
    desk.post("broadcast_resend", made.pk, reason="blocked")
    return {"reason": "blocked", "count": 1}


def exported(desk):
    made = desk.broadcast("done")
    desk.failed(made)
    url = reverse("broadcast_csv", args=[made.pk])
    assert "blocked" not in desk.client.get(f"{url}?state=sent").content.decode()
    AuditEntry.objects.filter(action="broadcast.exported").get(details__count=0)
    desk.client.get(f"{url}?state=failed&reason=blocked")
    return {"count": 1, "filter": {"state": "failed", "reason": "blocked"}}


def one_resent(desk):
    desk.failed(desk.broadcast("done"))
    desk.post("delivery_resend", desk.lead, 900001)
    return {"lead_id": desk.lead}


def lifted(desk):
    consent.suppress("gone@aoba.example.jp", reason="hard_bounce", source="550", now=desk.now)
    desk.post("suppression_lift", address="gone@aoba.example.jp", why="電話で確認")
    return {"address": "gone@aoba.example.jp", "reason": "電話で確認", "was": "hard_bounce", "source": "550"}


@pytest.mark.parametrize(
    ("act", "action"),
    [
        (new_template, "message.saved"),
        (changed_template, "message.saved"),
        (archived_template, "message.archived"),
        (new_sender, "sender.saved"),
        (changed_sender, "sender.saved"),
        (drafted, "broadcast.drafted"),
        (confirmed, "broadcast.confirm"),
        (paused, "broadcast.pause"),
        (resumed, "broadcast.resume"),
        (cancelled, "broadcast.cancel"),
        (resent, "broadcast.resent"),
        (exported, "broadcast.exported"),
        (one_resent, "delivery.resent"),
        (lifted, "suppression.lifted"),
    ],
)
def test_the_act_stands_in_the_log(desk, marketer, act, action):
    expected = act(desk)
    entry = AuditEntry.objects.filter(action=action).latest("id")
    assert (entry.user_id, entry.door) == (marketer.pk, "screen")
    assert {key: entry.details[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("state", "act"), [("done", "pause"), ("draft", "resume"), ("cancelled", "cancel"), ("sending", "confirm")]
)
def test_what_came_to_nothing_is_no_act(desk, state, act):
    desk.post("broadcast_act", desk.broadcast(state).pk, act)
    assert not AuditEntry.objects.filter(object_kind="broadcast").exists()
    assert Broadcast.objects.get().state == state


def test_the_system_starts_and_ends_a_broadcast_and_is_nobody(desk, now):
    from hagukumi.channels.broadcasts import services

    desk.broadcast("scheduled", scheduled_at=now)
    services.step(now)
    assert Broadcast.objects.get().state == "sending"
    assert not AuditEntry.objects.filter(object_kind="broadcast").exists()
    assert Message.objects.count() == Sender.objects.count() == 1
