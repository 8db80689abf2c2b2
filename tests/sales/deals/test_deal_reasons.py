"""Why a deal was lost: an agreed reason is kept as a code, chosen in any language and read in one's own."""

import pytest
from django.utils import translation

from hagukumi.ledger.models import Activity
from hagukumi.sales.deals import rules, services
from hagukumi.sales.deals.models import Deal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "kept", "japanese", "english"),
    [
        ("競合に決定", "competitor", "競合に決定", "Chose a competitor"),
        (" Chose a competitor ", "competitor", "競合に決定", "Chose a competitor"),
        ("competitor", "competitor", "競合に決定", "Chose a competitor"),
        ("社長の一声", "社長の一声", "社長の一声", "社長の一声"),
        ("", "", "", ""),
    ],
)
def test_an_agreed_reason_is_a_code(typed, kept, japanese, english):
    assert rules.reason_key(typed) == kept
    for language, said in (("ja", japanese), ("en", english)):
        with translation.override(language):
            assert rules.reason(kept) == said
            assert rules.reason(typed.strip()) == said  # kept before reasons had codes


def test_each_screen_says_it_in_the_readers_language(people, seller, signed_in, now):
    (lead,) = people(1)
    deal = services.create_deal(
        lead, name="更新", amount_yen=10, stage="approach", owner_id=seller.id, expected_on=None, now=now
    )
    client = signed_in(seller)
    client.post(f"/deals/{lead}/{deal.id}/close/", {"outcome": "lost", "reason": "競合に決定", "amount_yen": ""})
    assert Deal.objects.get(id=deal.id).reason == "competitor"
    assert Activity.objects.get(kind=86).details["reason"] == "competitor"
    seller.language = "en"
    seller.save()
    english = signed_in(seller)
    for address in (f"/deals/{lead}/{deal.id}/", f"/leads/{lead}/"):
        page = english.get(address).content.decode()
        assert "Chose a competitor" in page and "競合に決定" not in page
