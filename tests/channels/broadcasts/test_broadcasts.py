"""Broadcasts: from the wizard to the report; held, gone on, stopped, ended."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from hagukumi.accounts.models import Workspace
from hagukumi.channels.broadcasts import services
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail.services import Outbox
from hagukumi.channels.outbox import rules
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.kit import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(now):
    return Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)


def put_in(segment, ids, now):
    SegmentMember.objects.bulk_create(SegmentMember(lead_id=i, segment_id=segment.pk, since=now) for i in ids)


def claim(now=None) -> list:
    return Outbox("test").claim(100, now or clock.now())[0]


def verdicts() -> dict[int, tuple[str, str]]:
    return {row.lead_id: (row.state, row.reason) for row in Delivery.objects.all()}


@pytest.fixture
def broadcast(message, now):
    everybody = Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)
    return Broadcast.objects.create(message=message, segment=everybody, state="sending", created_at=now)


def test_a_paused_broadcast_is_held_until_it_is_resumed(broadcast, message, consenting, queue, now):
    (lead,) = consenting(1)
    queue(message, [lead], "b1", broadcast_id=broadcast.pk)
    Delivery.objects.update(due_at=now)
    assert services.pause(broadcast.pk, now)
    assert claim(now) == []
    assert verdicts() == {lead: ("queued", "")}
    assert Delivery.objects.get().due_at == rules.UNTIL_RESUMED
    assert services.resume(broadcast.pk, now)
    assert [job.lead_id for job in claim(now)] == [lead]


def test_a_cancelled_broadcast_sends_nothing_of_what_was_queued(broadcast, message, consenting, queue, now):
    """Also what a step queued in the moment of the cancelling."""
    (lead,) = consenting(1)
    type(broadcast).objects.update(state="cancelled")
    queue(message, [lead], "b1", broadcast_id=broadcast.pk)
    assert claim() == []
    assert verdicts() == {lead: ("skipped", "cancelled")}


def test_a_broadcast_begins_at_its_time_and_not_before(broadcast, message, consenting, now):
    put_in(broadcast.segment, consenting(1), now)
    type(broadcast).objects.update(state="scheduled", scheduled_at=now)
    assert services.step(now - timedelta(seconds=1)) == 0
    assert type(broadcast).objects.get().state == "scheduled"
    services.step(now)
    assert type(broadcast).objects.get().state == "sending"


def test_from_wizard_to_report(signed_in, marketer, message, segment, consenting, people, now):
    going, silent = consenting(3), people(2)
    put_in(segment, [*going, *silent], now)
    client = signed_in(marketer)

    plan = client.post(reverse("broadcast_new"), {"message": message.pk, "segment": segment.pk}, follow=True)
    assert plan.context["audience"].going == 3
    assert plan.context["audience"].skipped == {"no_consent": 2}
    assert (
        "がそろっています" in plan.content.decode() and reverse("message", args=[message.pk]) in plan.content.decode()
    )
    listed = client.get(reverse("messages")).content.decode()
    assert re.search(r'class="text-end"[^>]*>\s*—\s*</td>', listed), "before it starts nobody is counted"
    made = Broadcast.objects.get()
    client.post(reverse("broadcast_act", args=[made.pk, "confirm"]))
    assert services.step(clock.now()) == 6
    assert Broadcast.objects.get().state == "sending"
    assert Delivery.objects.filter(broadcast_id=made.pk, state="queued").count() == 5

    client.post(reverse("broadcast_act", args=[made.pk, "pause"]))
    client.post(reverse("broadcast_act", args=[made.pk, "resume"]))
    Delivery.objects.filter(lead_id__in=going[:1]).update(state="unknown", reason="in_doubt")
    report = client.get(reverse("broadcast", args=[made.pk]))
    row = report.context["row"]
    assert row["audience"] == sum(row[state] for state in rules.STATES) == 5
    assert "要確認" in report.content.decode()
    assert client.get(reverse("broadcast_csv", args=[made.pk])).content.startswith(b"\xef\xbb\xbf")

    doubtful = Delivery.objects.get(state="unknown")
    client.post(reverse("delivery_resend", args=[doubtful.lead_id, doubtful.id]))
    assert Delivery.objects.filter(state="queued").count() == 5
    client.post(reverse("broadcast_act", args=[made.pk, "cancel"]))
    assert set(Delivery.objects.values_list("state", "reason")) == {("skipped", "cancelled")}
    assert services.step(clock.now()) == 0


def test_a_broadcast_ends_when_nothing_is_left(message, segment, consenting, now):
    put_in(segment, consenting(2), now)
    made = Broadcast.objects.create(
        message=message, segment=segment, state="scheduled", scheduled_at=now, created_at=now
    )
    services.step(now)
    Delivery.objects.update(state="sent")
    services.step(now)
    assert Broadcast.objects.get(pk=made.pk).state == "done"


def test_a_broadcast_has_a_last_day_for_what_the_cap_puts_off(signed_in, marketer, message, segment, consenting, now):
    put_in(segment, consenting(2), now)
    Workspace.objects.update(daily_mail_cap=1)
    Delivery.objects.create(
        lead_id=SegmentMember.objects.first().lead_id, message_id=message.pk, occurrence="t0", id=900001, state="sent",
        queued_at=now, due_at=now, sent_at=clock.now(),
    )  # fmt: skip
    row = {"message": message.pk, "segment": segment.pk, "carry_until": "2026-11-30"}
    answer = signed_in(marketer).post(reverse("broadcast_new"), row)
    made = Broadcast.objects.get()
    assert made.carry_until.isoformat() == "2026-11-30T15:00:00+00:00"
    assert "1 名には、翌日以降に送ります" in signed_in(marketer).get(answer["Location"]).content.decode()


def test_a_broadcast_that_finds_nobody_says_so(signed_in, marketer, message, segment, now):
    made = Broadcast.objects.create(
        message=message, segment=segment, state="scheduled", scheduled_at=now, created_at=now
    )
    services.step(now)
    assert Broadcast.objects.get().state == "empty"
    assert services.step(now) == 0
    client = signed_in(marketer)
    page = client.get(reverse("broadcast", args=[made.pk])).content.decode()
    assert "「全員」には誰もいませんでした" in page and "1通も送っていません" in page
    assert "送る相手なし" in client.get(reverse("messages")).content.decode()
    assert "完了" not in page


def test_a_broadcast_of_which_nothing_went_out_says_so(signed_in, marketer, message, segment, people, now):
    put_in(segment, people(2), now)
    made = Broadcast.objects.create(
        message=message, segment=segment, state="scheduled", scheduled_at=now, created_at=now
    )
    services.step(now)
    assert Outbox("test").claim(10, clock.now())[0] == []
    services.step(now)
    assert Broadcast.objects.get().state == "done"
    page = signed_in(marketer).get(reverse("broadcast", args=[made.pk])).content.decode()
    assert "1通も送られませんでした" in page and "配信への同意も" in page


def test_what_a_broadcast_still_lacks_is_named_with_its_way(signed_in, marketer, house, identity, now):
    """Neither a mail nor a segment: the wizard leads to both instead of offering two empty lists."""
    client = signed_in(marketer)
    page = client.get(reverse("broadcast_new")).content.decode()
    assert f'href="{reverse("message_new")}"' in page and f'href="{reverse("segment_new")}"' in page
    assert f'href="{reverse("sender_new")}"' not in page
    assert "「メール」がまだないため" in page
    assert client.post(reverse("broadcast_new"), {"message": "", "segment": ""}).status_code == 200
    assert not Broadcast.objects.exists()


@pytest.mark.parametrize(
    ("state", "reason", "offered"),
    [
        ("failed", "blocked", True),
        ("unknown", "in_doubt", True),
        ("skipped", "daily_cap", True),
        ("skipped", "sender_incomplete", True),
        ("skipped", "unsubscribed", False),
        ("skipped", "hard_bounce", False),
        ("skipped", "no_consent", False),
        ("sent", "", False),
    ],
)
def test_sending_again_is_offered_where_it_can_help(
    signed_in, marketer, message, segment, consenting, queue, now, state, reason, offered
):
    made = Broadcast.objects.create(message=message, segment=segment, state="done", created_at=now)
    queue(message, consenting(1), "b1", broadcast_id=made.pk)
    Delivery.objects.update(state=state, reason=reason, sent_at=now)
    row = Delivery.objects.get()
    page = signed_in(marketer).get(reverse("broadcast", args=[made.pk])).content.decode()
    assert (reverse("delivery_resend", args=[row.lead_id, row.id]) in page) is offered
