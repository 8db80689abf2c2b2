import pytest

from hagukumi.ledger.models import Activity
from hagukumi.sales.deals import services
from hagukumi.sales.deals.models import Deal

pytestmark = pytest.mark.django_db


def test_a_deal_is_opened_moved_and_won_once(people, seller, now):
    services.ready_made()
    (lead,) = people(1)
    deal = services.create_deal(
        lead, name="生産管理", amount_yen=None, stage="approach", owner_id=seller.id, expected_on=None, now=now
    )
    services.move_stage(lead, deal.id, "proposal", now=now)
    services.close_deal(lead, deal.id, won=True, amount_yen=3_000_000, reason="価格", now=now, user_id=seller.id)
    kept = Deal.objects.get(lead_id=lead)
    assert (kept.stage, kept.outcome, kept.amount_yen, kept.closed_at) == ("proposal", "won", 3_000_000, now)
    assert list(Activity.objects.filter(lead_id=lead).order_by("id").values_list("kind", flat=True)) == [83, 84, 85]
    with pytest.raises(services.AlreadyClosedError):
        services.close_deal(lead, deal.id, won=False, amount_yen=None, reason="価格", now=now, user_id=seller.id)


def test_a_deal_on_the_screen_from_opening_to_won(people, seller, signed_in, now):
    services.ready_made()
    (lead,) = people(1)
    client = signed_in(seller)
    made = client.post(f"/leads/{lead}/deals/new/", {"name": "導入", "amount_yen": "1200000", "stage": "approach"})
    deal = Deal.objects.get(lead_id=lead)
    assert made["Location"] == f"/deals/{lead}/{deal.id}/"
    client.post(f"/deals/{lead}/{deal.id}/stage/", {"stage": "closing"})
    assert "120万円" in client.get("/deals/").content.decode()
    client.post(f"/deals/{lead}/{deal.id}/close/", {"outcome": "won", "reason": "決裁", "amount_yen": "1100000"})
    assert Deal.objects.get(lead_id=lead).outcome == "won"
    assert "110万円" in client.get("/deals/").content.decode()
