"""Double opt-in: who had stopped mail, or whose form asks for it, agrees by a mail to the address alone."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from hagukumi.accounts.models import Workspace
from hagukumi.channels.mail import confirming
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.mail.outbox import Outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.forms import services as forms
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking import services as tracking
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import kinds
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import AddressCheck, Consent
from hagukumi.people.leads.models import Lead
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
ADDRESS = "sato@aoba.example.co.jp"


@pytest.fixture
def form(db, now):
    Workspace.objects.create(id=1, name="若葉")
    Sender.objects.create(
        name="若葉",
        email="info@wakaba.example.co.jp",
        legal_name="株式会社若葉",
        postal_address="東京都",
        contact="03-1234-5678",
    )
    made = forms.create(name="資料請求", slug="catalog", kind="download", now=now)
    made.refresh_from_db()
    forms.set_state(made, "open", now)
    made.refresh_from_db()
    return made


def answer(form, now, *, name="佐藤", consent=True):
    given = {"company_name": "青葉 evil", "last_name": name, "first_name": "花子", "email": ADDRESS}
    tracking.put_in_inbox(
        "form", now=now, object_id=form.version_id, details={"answers": given, "consent": consent, "language": "ja"}
    )
    settle(now)


def stopped(now):
    lead = Lead.objects.get()
    consent.withdraw(lead.pk, address=ADDRESS, reason="unsubscribe", evidence="リンク", now=now)
    return lead


def mails(now):
    """The mails that go out now, as (subject and text) of each."""
    outbox = Outbox("test")
    outbox.enter([], now)
    jobs, _judged = outbox.claim(50, now)
    found = []
    for job in jobs:
        _version, compiled, name, _email = outbox._compiled[job.message_id]
        from hagukumi.channels.mail.values import values_of

        done = compiled.render(values_of(job.facts, name, compiled.names), job.lead_id, job.id)
        found.append((job, f"{done.subject}\n{done.html}\n{done.text}"))
    return found


def link_of(text):
    """The confirmation address behind the button, through the click redirect as a mail client follows it."""
    from hagukumi.kit import tokens

    for token in re.findall(r"/c/([\w-]+)", text):
        _numbers, target = tokens.unseal("click", token)
        if "/k/" in target:
            return "/k/" + target.rpartition("/k/")[2]
    raise AssertionError("no link to confirm")


def test_a_box_ticked_by_anybody_asks_and_lifts_nothing(form, now):
    answer(form, now)
    lead = stopped(now)
    later = now + timedelta(days=1)
    answer(form, later)
    assert not consent.standing(lead.pk, ADDRESS).may_mail
    assert Activity.objects.filter(kind=kinds.CONSENT_ASKED.code).count() == 1
    message = Message.objects.get(purpose="confirm")
    assert Delivery.objects.get(message_id=message.pk).lead_id == lead.pk
    settle(later)
    assert Delivery.objects.filter(message_id=message.pk).count() == 1


def test_the_owner_of_the_address_agrees_in_their_own_hand(form, now):
    answer(form, now)
    lead = stopped(now)
    later = now + timedelta(days=1)
    answer(form, later)
    ((_job, text),) = mails(later)
    link = link_of(text)
    stranger = Client()
    shown = stranger.get(link)
    assert shown.status_code == 200 and "s***@aoba.example.co.jp" in shown.content.decode()
    assert not consent.standing(lead.pk, ADDRESS).may_mail, "a scanner that follows the link agrees to nothing"
    assert "受信を確定しました" in stranger.post(link).content.decode()
    assert consent.standing(lead.pk, ADDRESS).may_mail
    kept = Consent.objects.filter(granted=True).latest("at")
    assert (
        kept.basis == "optin" and kept.text_id == form.version.consent_text_id and "confirmed by mail" in kept.evidence
    )
    assert Activity.objects.filter(kind=kinds.CONSENT_CONFIRMED.code).count() == 1


@pytest.mark.parametrize("token", ["x", "", "あ", "A" * 40])
def test_a_link_of_nobody_agrees_to_nothing(token, db):
    assert Client().get(f"/k/{token}x").status_code == 404
    assert Client().post(f"/k/{token}x").status_code == 404


def test_a_link_of_another_purpose_agrees_to_nothing(form, now):
    from hagukumi.kit import tokens

    answer(form, now)
    stopped(now)
    answer(form, now + timedelta(days=1))
    ((job, _text),) = mails(now + timedelta(days=1))
    assert Client().post(f"/k/{tokens.seal('unsubscribe', job.lead_id, job.id)}").status_code == 404


def test_the_mail_to_an_address_that_nobody_has_shown_to_be_theirs_says_nothing_that_was_typed(form, now):
    Message.objects.create(
        name="お礼",
        kind="operational",
        subject="{{ 姓 }} 様、{{ 会社名 }}",
        mjml="{{ 氏名 }} 様 {{ 会社名 }}",
        created_at=now,
        updated_at=now,
        sender=Sender.objects.get(),
    )
    answer(form, now, name="賞金はこちら", consent=False)

    def sent(occurrence):
        lead, message = Lead.objects.get(), Message.objects.get(name="お礼")
        Delivery.objects.create(
            lead_id=lead.pk, message_id=message.pk, occurrence=occurrence, id=len(occurrence), queued_at=now, due_at=now
        )
        (text,) = (text for job, text in mails(now) if job.id == len(occurrence))  # beside the one that asks
        return text

    text = sent("x")
    assert "賞金" not in text and "青葉 evil" not in text and "ご担当者" in text
    consent.ask(
        __import__("psycopg").sql.SQL("SELECT lead_id, email AS address FROM lead"),
        text_id=None,
        evidence="",
        stopped_only=False,
        now=now,
    )
    assert consent.confirm(Lead.objects.get().pk, address=ADDRESS, evidence="", now=now)
    assert "賞金はこちら" in sent("xy")


def test_an_address_that_is_known_otherwise_is_spoken_to_by_name(form, people, now):
    people(1, email=ADDRESS, last_name="山田")
    answer(form, now)
    assert not AddressCheck.objects.exists()


def test_double_opt_in_is_a_switch_of_the_form_and_of_its_purpose(form, now):
    for by_form, by_purpose, asked in ((None, [], 0), (None, ["download"], 1), (False, ["download"], 0), (True, [], 1)):
        Lead.objects.all().delete()
        AddressCheck.objects.all().delete()
        Form.objects.update(double_optin=by_form)
        Workspace.objects.update(double_optin=by_purpose)
        answer(form, now, name=f"{by_form}")
        assert AddressCheck.objects.filter(asked_at__isnull=False).count() == asked, (by_form, by_purpose)
        lead = Lead.objects.latest("lead_id")
        assert consent.standing(lead.pk, ADDRESS).may_mail == (not asked)
        from hagukumi.people.leads.models import LeadIdentity

        LeadIdentity.objects.all().delete()


def test_an_address_that_never_answers_is_not_asked_for_ever(form, now):
    answer(form, now)
    stopped(now)
    for day in range(1, 40):
        answer(form, now + timedelta(days=day))
    message = Message.objects.get(purpose="confirm")
    assert Delivery.objects.filter(message_id=message.pk).count() == consent.ASK_MOST


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint"])
def test_who_complained_or_bounced_is_not_even_asked(reason, form, now):
    answer(form, now)
    consent.suppress(ADDRESS, reason=reason, source="x", now=now)
    answer(form, now + timedelta(days=1))
    assert not Message.objects.filter(purpose="confirm").exists()


def test_without_a_sender_they_wait(form, now):
    Sender.objects.all().delete()
    answer(form, now)
    stopped(now)
    answer(form, now + timedelta(days=1))
    assert AddressCheck.objects.get().waiting
    assert confirming.queue_asked(now) == 0
    Sender.objects.create(name="x", email="x@example.co.jp", legal_name="x", postal_address="x", contact="x")
    beat(now + timedelta(days=2))
    assert not AddressCheck.objects.get().waiting
    assert Delivery.objects.count() == 1
