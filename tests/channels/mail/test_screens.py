"""配信 on the screen: write, preview, check, send, watch; and the public stop page."""

import re

import pytest
from django.urls import reverse

from hagukumi.accounts.models import AuditEntry, Workspace
from hagukumi.channels.mail import kinds, rules, services
from hagukumi.channels.mail.models import Broadcast, Delivery, Message, Sender
from hagukumi.channels.mail.services import Outbox
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.kit import clock, tokens
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import Suppression
from hagukumi.people.leads.models import Lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(now):
    return Segment.objects.create(name="全員", tree={"all": []}, created_at=now, updated_at=now, built_at=now)


def put_in(segment, ids, now):
    SegmentMember.objects.bulk_create(SegmentMember(lead_id=i, segment_id=segment.pk, since=now) for i in ids)


def standing(lead_id):
    return consent.standing(lead_id, Lead.objects.get(pk=lead_id).email)


@pytest.fixture
def given(message):
    fields = ("name", "kind", "subject", "preheader", "mjml", "text")
    return {name: getattr(message, name) for name in fields} | {"sender": message.sender_id}


@pytest.mark.parametrize("name", ["messages", "message_templates", "message_new", "senders", "sender_new", "mail_kpi"])
def test_screens_open(signed_in, marketer, message, name):
    assert signed_in(marketer).get(reverse(name)).status_code == 200


def test_a_template_is_saved_and_its_mistakes_are_named(signed_in, marketer, message, given):
    client = signed_in(marketer)
    url = reverse("message", args=[message.pk])

    wrong = client.post(url, given | {"mjml": "こんにちは\n{{ 名字 }}"})
    assert "2行目の「名字」という差し込み項目はありません" in wrong.content.decode()
    broken = client.post(url, given | {"subject": "{{ 姓 "})
    assert "1行目の差し込みに誤りがあります" in broken.content.decode()
    assert client.post(url, given | {"subject": "新しい件名"}).status_code == 302
    assert Message.objects.get().subject == "新しい件名"


def test_a_message_in_flight_is_not_changed(signed_in, marketer, message, given, segment, now):
    Broadcast.objects.create(message=message, segment=segment, state="sending", created_at=now)

    answer = signed_in(marketer).post(reverse("message", args=[message.pk]), given | {"subject": "変更"})

    assert "配信中" in answer.content.decode()
    assert Message.objects.get().subject == message.subject


def test_the_preview_is_sandboxed_and_escapes_the_persons_data(signed_in, marketer, given, people):
    (lead,) = people(1, last_name="<script>alert(1)</script>")

    answer = signed_in(marketer).post(reverse("message_preview"), given | {"lead": lead})

    html = answer.content.decode()
    assert "<script" not in html and "&lt;script&gt;alert(1)&lt;&#x2f;script&gt; 様" in html
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    parts = signed_in(marketer).post(reverse("message_check"), given | {"lead": lead})
    assert "<script" not in parts.content.decode()


@pytest.mark.parametrize("item", ["legal_name", "postal_address", "contact"])
def test_a_missing_display_item_is_named_and_stops_the_broadcast(
    signed_in, marketer, message, segment, consenting, now, item
):
    put_in(segment, consenting(1), now)
    Sender.objects.update(**{item: " "})
    draft = Broadcast.objects.create(message=message, segment=segment, created_at=now)
    client = signed_in(marketer)

    page = client.get(reverse("broadcast", args=[draft.pk])).content.decode()
    client.post(reverse("broadcast_act", args=[draft.pk, "confirm"]))

    assert f"「{rules.DISPLAY_ITEMS[item]}」が未登録です" in page
    assert "がそろっています" not in page
    assert Broadcast.objects.get().state == "draft"
    assert [p for p in services.problems(Message.objects.get()) if str(rules.DISPLAY_ITEMS[item]) in p]


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


def test_get_never_unsubscribes_and_post_does_once(client, message, consenting, queue, now):
    (lead,) = consenting(1, email="yamada@aoba.example.jp")
    queue(message, [lead])
    delivery = Delivery.objects.get()
    url = f"/u/{tokens.seal('unsubscribe', lead, delivery.id)}"

    page = client.get(url).content.decode()
    assert "y***@aoba.example.jp" in page and "yamada" not in page
    assert "株式会社青葉" in page
    assert "育み" not in page, "the recipient knows the sender, not its software"
    assert standing(lead).may_mail

    for _ in range(2):
        assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not standing(lead).may_mail
    facts = Activity.objects.filter(lead_id=lead, kind=kinds.UNSUBSCRIBED.code)
    assert list(facts.values_list("object_id", flat=True)) == [message.pk]

    assert "停止されています" in client.get(url).content.decode()
    client.post(url, {"act": "resume"})
    assert standing(lead).may_mail


def test_the_old_mail_of_a_merged_person_stops_mail_to_who_they_are_now(client, message, consenting, queue, now):
    """Two cards of one person became one lead, then it and a third: the link in the first one's mail is theirs."""
    first, second, third = (consenting(1, email=f"{name}@aoba.example.jp")[0] for name in ("old", "mid", "new"))
    queue(message, [first])
    Delivery.objects.update(state="sent", address="old@aoba.example.jp")
    url = f"/u/{tokens.seal('unsubscribe', first, Delivery.objects.get().id)}"
    for gone, kept in ((first, second), (second, third)):
        Lead.objects.filter(pk=gone).update(state="merged", merged_into=kept)

    assert "配信を停止" in client.get(url).content.decode()
    assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert standing(third).granted is False
    assert Suppression.objects.filter(value="old@aoba.example.jp", reason="unsubscribe").exists()
    stopped = Activity.objects.filter(kind=kinds.UNSUBSCRIBED.code).values_list("lead_id", "object_id")
    assert list(stopped) == [(third, message.pk)]
    queue(message, [third], "later")
    assert Outbox("test").claim(10, clock.now())[0] == []
    assert Delivery.objects.get(lead_id=third).reason == "unsubscribed"

    client.post(url, {"act": "resume"})
    assert standing(third).granted is True


def test_a_stranger_cannot_stop_anothers_mail(client, message, consenting, queue):
    """A forwarded mail carries only its own recipient's link; ids cannot be guessed without the seal."""
    first, second = consenting(2)
    queue(message, [first, second])
    mine = Delivery.objects.get(lead_id=first)
    token = tokens.seal("unsubscribe", first, mine.id)
    other = tokens.seal("open", second, Delivery.objects.get(lead_id=second).id)

    assert client.post(f"/u/{other}").status_code == 404
    assert client.post(f"/u/{token[:-2]}").status_code == 404
    assert client.post(f"/u/{tokens.seal('unsubscribe', second, mine.id)}").status_code == 404
    assert standing(second).may_mail


def test_the_stop_page_needs_no_cookie_and_speaks_english(message, consenting, queue):
    from django.test import Client

    (lead,) = consenting(1)
    queue(message, [lead])
    strict = Client(enforce_csrf_checks=True)
    url = f"/u/{tokens.seal('unsubscribe', lead, Delivery.objects.get().id)}"
    assert strict.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    strict.cookies["hagukumi_language"] = "en"
    assert strict.get(url)["Content-Language"] == "en"


def test_what_looks_like_a_slip_is_saved_only_when_the_writer_says_so(signed_in, marketer, message, given):
    client = signed_in(marketer)
    url = reverse("message", args=[message.pk])
    slip = given | {"mjml": "%姓% 様\n\n[見る](https://a.jp/b c)"}
    page = client.post(url, slip).content.decode()
    assert "「%姓%」は差し込まれず" in page and "空白があり" in page and "as_typed" in page
    assert Message.objects.get().mjml == message.mjml
    assert "%姓%" in client.post(reverse("message_check"), slip).content.decode()
    assert client.post(url, slip | {"as_typed": "on"}).status_code == 302
    assert Message.objects.get().mjml.startswith("%姓%")


def test_an_operational_mail_says_whom_it_reaches_and_keeps_its_reason(
    signed_in, marketer, message, given, consenting, segment, now
):
    stopped, other, elsewhere = consenting(3)
    for lead in (stopped, elsewhere):
        address = Lead.objects.get(pk=lead).email
        consent.withdraw(lead, address=address, reason="unsubscribe", evidence="", now=now)
    put_in(segment, [stopped, other], now)
    client = signed_in(marketer)
    url = reverse("message", args=[message.pk])
    operational = given | {"kind": "operational"}
    assert "配信停止の 2 名にも届きます" in client.post(url, operational).content.decode()
    assert Message.objects.get().kind == "marketing"
    assert "配信停止の 2 名にも届きます" in client.post(reverse("message_check"), operational).content.decode()
    assert client.post(url, operational | {"kind_reason": "ご契約の更新手続き"}).status_code == 302
    assert Message.objects.get().kind_reason == "ご契約の更新手続き"
    draft = Broadcast.objects.create(message=message, segment=segment, created_at=now)
    page = client.get(reverse("broadcast", args=[draft.pk])).content.decode()
    assert "配信停止の 1 名にも届きます" in page and "ご契約の更新手続き" in page
    client.post(url, given | {"kind_reason": "残らない"})
    assert Message.objects.get().kind_reason == ""


def test_a_free_mail_address_is_refused_as_sender(signed_in, marketer, identity):
    fields = ("name", "reply_to", "legal_name", "postal_address", "contact")
    row = {name: getattr(identity, name) for name in fields} | {"email": "aoba@gmail.com"}
    page = signed_in(marketer).post(reverse("sender", args=[identity.pk]), row).content.decode()
    assert "gmail.com は無料メールのアドレスです" in page


def test_suppressed_addresses_are_shown_with_their_source_and_lifted_with_a_reason(
    signed_in, marketer, seller, message, consenting, now
):
    (stopped,) = consenting(1, email="stop@aoba.example.jp")
    consent.suppress("gone@aoba.example.jp", reason="hard_bounce", source="550 5.1.1 <x> unknown", now=now)
    consent.withdraw(stopped, address="stop@aoba.example.jp", reason="unsubscribe", evidence="/u/ delivery 7", now=now)
    client = signed_in(marketer)
    url, lift = reverse("suppressions"), reverse("suppression_lift")
    page = client.get(url).content.decode()
    assert "gone@aoba.example.jp" in page and "550 5.1.1 &lt;x&gt; unknown" in page and "/u/ delivery 7" in page
    assert "stop@" not in client.get(url, {"reason": "hard_bounce"}).content.decode()
    assert "gone@" not in client.get(url, {"q": "STOP@"}).content.decode()
    client.post(lift, {"address": "gone@aoba.example.jp", "why": "  "})
    assert Suppression.objects.count() == 2
    client.post(lift, {"address": "gone@aoba.example.jp", "why": "電話で確認"})
    assert list(Suppression.objects.values_list("value", flat=True)) == ["stop@aoba.example.jp"]
    told = AuditEntry.objects.get(action="suppression.lifted").details
    assert (told["address"], told["reason"], told["was"]) == ("gone@aoba.example.jp", "電話で確認", "hard_bounce")
    client.post(lift, {"address": "stop@aoba.example.jp", "why": "名簿の整理"})
    assert not standing(stopped).may_mail, "the person's own word stays"
    assert signed_in(seller).get(url).status_code == 403


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
