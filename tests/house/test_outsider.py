"""The outsider: a member of the right role who has nothing to do with the thing. What may they see of it, and do to it?

Open work (handovers, deals, tags) belongs to the team: whoever has the role may take it up, and the log says who did.
What is settled, secret or one's own is closed to them, and no thing is reached through another one's address.
"""

import json

import pytest

from hagukumi.accounts import services as accounts
from hagukumi.accounts.models import AuditEntry, IdempotencyKey
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.outbox.models import Delivery
from hagukumi.judge.phases import services as phases
from hagukumi.judge.phases.models import PhaseRule
from hagukumi.judge.scoring.models import LeadScore, ScoreModel
from hagukumi.kit import tokens
from hagukumi.overview.homes import reads as homes
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead, LeadTag
from hagukumi.sales.deals import services as deals
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.handovers import services as handovers
from hagukumi.sales.handovers.models import Handover

pytestmark = pytest.mark.django_db


@pytest.fixture
def handed(people, now):
    """An open handover: (lead_id, its address)."""
    (lead,) = people(1)
    handovers.hand_over(lead, cause="手動", now=now)
    return lead, f"/handovers/{lead}/{Handover.objects.get(lead_id=lead).id}"


# -- handovers ------------------------------------------------------------------------------------------------


def test_an_open_handover_is_the_teams(handed, outsider, signed_in):
    lead, address = handed
    other = outsider("sales")
    assert signed_in(other).get(f"{address}/").context["may_answer"]
    signed_in(other).post(f"{address}/accept/")
    assert Lead.objects.get(pk=lead).owner_id == other.pk
    assert Handover.objects.get(lead_id=lead).answered_by_id == other.pk


def test_an_answered_handover_is_seen_by_the_team_and_changed_by_nobody(handed, seller, outsider, signed_in):
    lead, address = handed
    signed_in(seller).post(f"{address}/accept/")
    before = Handover.objects.values().get(lead_id=lead)
    for other in (outsider("sales"), outsider("admin")):
        inside = signed_in(other)
        page = inside.get(f"{address}/")
        assert (page.status_code, page.context["may_answer"]) == (200, False)
        inside.post(f"{address}/accept/")
        inside.post(f"{address}/return/", {"reason": "not_now", "note": "x"})
        assert Handover.objects.values().get(lead_id=lead) == before
        assert Lead.objects.get(pk=lead).owner_id == seller.pk


def test_a_handover_is_not_reached_through_another_person(handed, people, outsider, signed_in):
    lead, address = handed
    (stranger,) = people(1)
    wrong = address.replace(f"/{lead}/", f"/{stranger}/")
    inside = signed_in(outsider("sales"))
    assert inside.get(f"{wrong}/").status_code == 404
    inside.post(f"{wrong}/accept/")
    inside.post(f"{wrong}/return/", {"reason": "not_now", "note": ""})
    assert Handover.objects.get().state == "open"
    assert Lead.objects.get(pk=stranger).owner_id is None


def test_marketing_looks_at_a_handover_and_answers_none(handed, outsider, signed_in):
    lead, address = handed
    inside = signed_in(outsider("marketing"))
    assert inside.get(f"{address}/").context["may_answer"] is False
    assert [inside.post(f"{address}/{act}/").status_code for act in ("accept", "return")] == [403, 403]
    assert Handover.objects.get(lead_id=lead).state == "open"


# -- deals and homes ------------------------------------------------------------------------------------------


@pytest.fixture
def deal(people, seller, now):
    deals.ready_made()
    (lead,) = people(1)
    return deals.create_deal(
        lead, name="生産管理", amount_yen=100, stage="approach", owner_id=seller.pk, expected_on=None, now=now
    )


def test_an_open_deal_is_the_teams_and_stays_its_owners(deal, seller, outsider, signed_in):
    inside = signed_in(outsider("sales"))
    assert inside.get(f"/deals/{deal.lead_id}/{deal.id}/").context["may_edit"]
    inside.post(f"/deals/{deal.lead_id}/{deal.id}/stage/", {"stage": "proposal"})
    assert Deal.objects.values_list("stage", "owner_id").get() == ("proposal", seller.pk)


def test_a_closed_deal_is_changed_by_nobody(deal, seller, outsider, signed_in, now):
    deals.close_deal(deal.lead_id, deal.id, won=True, amount_yen=100, reason="価格", now=now, user_id=seller.pk)
    before = Deal.objects.values().get()
    inside = signed_in(outsider("sales"))
    assert inside.get(f"/deals/{deal.lead_id}/{deal.id}/").context["may_edit"] is False
    inside.post(f"/deals/{deal.lead_id}/{deal.id}/stage/", {"stage": "closing"})
    inside.post(f"/deals/{deal.lead_id}/{deal.id}/close/", {"outcome": "lost", "reason": "x", "amount_yen": "1"})
    assert Deal.objects.values().get() == before


def test_a_deal_is_not_reached_through_another_person(deal, people, outsider, signed_in):
    (stranger,) = people(1)
    inside = signed_in(outsider("sales"))
    assert inside.get(f"/deals/{stranger}/{deal.id}/").status_code == 404
    inside.post(f"/deals/{stranger}/{deal.id}/stage/", {"stage": "closing"})
    inside.post(f"/deals/{stranger}/{deal.id}/close/", {"outcome": "lost", "reason": "x", "amount_yen": ""})
    assert Deal.objects.values_list("stage", "outcome").get() == ("approach", "")


def test_a_home_shows_ones_own_work(deal, people, seller, outsider, now):
    """The deals are one's own; the hot list is one's own people and those whom nobody has."""
    other = outsider("sales")
    day = homes.Day.of(now)
    assert [row["id"] for row in homes.own_deals(seller.pk, day)] == [deal.id]
    assert homes.own_deals(other.pk, day) == []
    taken, free = people(2)
    Lead.objects.filter(pk=taken).update(owner=seller)
    model = ScoreModel.objects.create(name="スコア", created_at=now)
    for lead in (taken, free):
        LeadScore.objects.create(
            lead_id=lead, model_id=model.pk, version_id=1, attribute=10, behaviour=0, total=10, matched=[], at=now
        )
    assert {row["lead_id"] for row in homes.hot(seller.pk)} == {taken, free}
    assert {row["lead_id"] for row in homes.hot(other.pk)} == {free}


# -- tokens and the API ---------------------------------------------------------------------------------------


def test_anothers_token_is_known_by_name_and_ended_but_never_read(admin, outsider, signed_in, now):
    token, plain = accounts.issue_token("基幹システム", ["leads:read"], admin, now)
    other = outsider("admin")
    page = signed_in(other).get("/settings/tokens/").content.decode()
    assert "基幹システム" in page and token.prefix in page
    assert plain not in page and token.digest not in page
    signed_in(other).post(f"/settings/tokens/{token.pk}/revoke/")
    assert accounts.authenticate_token(plain, now) is None
    assert AuditEntry.objects.get(action="token.revoked").user == other


@pytest.mark.parametrize("role", ["marketing", "sales"])
def test_anothers_token_is_nothing_to_who_does_not_administer(admin, outsider, signed_in, now, role):
    token, plain = accounts.issue_token("基幹システム", ["leads:read"], admin, now)
    inside = signed_in(outsider(role))
    assert inside.get("/settings/tokens/").status_code == 403
    assert inside.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 403
    assert accounts.authenticate_token(plain, now) == token


def test_anothers_idempotency_key_is_not_ones_own(client, admin, outsider, now):
    """Two systems that number their requests alike: each is answered about its own person."""

    def post(plain: str, email: str):
        headers = {"Authorization": f"Bearer {plain}", "Idempotency-Key": "order-1"}
        return client.post("/api/v1/leads", json.dumps({"email": email}), "application/json", headers=headers)

    mine, theirs = (
        accounts.issue_token("x", ["leads:write"], member, now)[1] for member in (admin, outsider("marketing"))
    )
    first, second = post(mine, "a@midori.co.jp"), post(theirs, "b@midori.co.jp")
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in second
    same = post(theirs, "b@midori.co.jp")
    assert same["Idempotent-Replayed"] == "true" and same.json() == second.json() != first.json()
    assert IdempotencyKey.objects.count() == 2


# -- one's own ------------------------------------------------------------------------------------------------


def test_ones_profile_changes_nobody_else(marketer, outsider, signed_in):
    other = outsider("marketing")
    given = {"name": "新しい名", "language": "en", "id": marketer.pk, "pk": marketer.pk, "role": "admin"}
    signed_in(other).post("/profile/", {**given, "email": "x@example.co.jp", "save": "1"})
    marketer.refresh_from_db()
    other.refresh_from_db()
    assert (marketer.name, marketer.language, marketer.role) == ("育成 太郎", "ja", "marketing")
    assert (other.name, other.role, other.email) == ("新しい名", "marketing", "outsider.marketing@example.co.jp")


def test_an_invitation_opens_for_nobody_else(marketer, outsider, client):
    other = outsider("admin")
    (_uid, token), (uid, _token) = accounts.invitation(marketer), accounts.invitation(other)
    password = other.password
    address = f"/welcome/{uid}/{token}/"
    assert client.get(address).status_code == 410
    assert client.post(address, {"password": "correct-horse-battery-9"}).status_code == 410
    other.refresh_from_db()
    assert other.password == password


def test_a_bulk_act_is_undone_by_the_team_with_its_seal_and_by_nobody_without(people, outsider, signed_in, now):
    before, tagged = people(2)
    LeadTag.objects.create(lead_id=before, tag="展示会")
    leads.tag_from(leads.ids_sql([before, tagged]), "展示会", now=now)
    inside = signed_in(outsider("marketing"))
    micros = int(now.timestamp()) * 1_000_000
    for forged in ("", "x", f"{micros}", tokens.seal("unsubscribe", micros, text="展示会")):
        assert inside.post("/leads/tag/undo/", {"undo": forged}).status_code == 400
    assert LeadTag.objects.count() == 2
    inside.post("/leads/tag/undo/", {"undo": tokens.seal("undo-tag", micros, text="展示会")})
    assert list(LeadTag.objects.values_list("lead_id", flat=True)) == [before], "who had the tag before keeps it"


# -- things of other things -----------------------------------------------------------------------------------


def test_a_rule_is_not_reached_through_another_model(db, outsider, signed_in, now):
    phases.ready_made(now)
    rule = PhaseRule.objects.filter(model__key="interest").first()
    inside = signed_in(outsider("marketing"))
    assert inside.get(f"/phases/working/rules/{rule.id}/").status_code == 404
    assert inside.post(f"/phases/working/rules/{rule.id}/delete/").status_code == 404
    assert PhaseRule.objects.filter(id=rule.id).exists()


def test_a_mail_is_not_sent_again_through_another_person(people, outsider, signed_in, now):
    owner, stranger = people(2)
    sender = Sender.objects.create(
        name="青葉", email="news@aoba.example.jp", legal_name="株式会社青葉", postal_address="東京都1-1", contact="03-1"
    )
    message = Message.objects.create(name="事例", subject="x", mjml="x", sender=sender, created_at=now, updated_at=now)
    Delivery.objects.create(
        lead_id=owner, message_id=message.pk, occurrence="b1", id=7, state="failed", queued_at=now, due_at=now
    )
    inside = signed_in(outsider("marketing"))
    inside.post(f"/messages/resend/{stranger}/7/")
    assert Delivery.objects.get().state == "failed"
    inside.post(f"/messages/resend/{owner}/7/")
    assert Delivery.objects.get().state == "queued"
