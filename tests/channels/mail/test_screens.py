"""配信 on the screen: write, preview, check, send, watch; and the public stop page."""

import pytest
from django.urls import reverse

from hagukumi.accounts.models import AuditEntry
from hagukumi.channels.broadcasts.models import Broadcast
from hagukumi.channels.mail import rules, services
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.judge.segments.models import Segment, SegmentMember
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


def test_a_new_mail_begins_in_its_writers_language(signed_in, marketer, identity):
    client = signed_in(marketer)
    assert "いつもお世話になっております" in client.get(reverse("message_new")).content.decode()
    type(marketer).objects.filter(pk=marketer.pk).update(language="en")
    page = client.get(reverse("message_new")).content.decode()
    assert "Dear {{ last_name }}" in page and "いつもお世話" not in page
