"""The public stop page: GET shows, POST acts, for whoever the recipient is by now."""

import pytest

from hagukumi.channels.mail.services import Outbox
from hagukumi.channels.outbox.models import Delivery
from hagukumi.channels.unsubscribe import kinds
from hagukumi.kit import clock, tokens
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import Suppression
from hagukumi.people.leads.models import Lead

pytestmark = pytest.mark.django_db


def standing(lead_id):
    return consent.standing(lead_id, Lead.objects.get(pk=lead_id).email)


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
