"""What is read without a fact (a company's sales, a page's meaning) changes scores as soon as somebody corrects it."""

from hagukumi.app import readymade
from hagukumi.judge.scoring import services as scoring
from hagukumi.people.companies.models import Company
from hagukumi.people.leads.models import Lead
from hagukumi.worker import heart


def test_correcting_a_company_rescores_its_people(marketer, signed_in, people, now):
    readymade.lay(now)
    company = Company.objects.create(
        name="青葉製作所", match_key="青葉製作所", industry="retail", created_at=now, updated_at=now
    )
    (lead_id, _other) = people(2)
    Lead.objects.filter(lead_id=lead_id).update(company=company)
    heart.settle(now)
    assert scoring.score_of(lead_id, now).attribute == 5 + 1
    form = {"name": "青葉製作所", "industry": "manufacturing", "sales_yen": "50000000000"}
    assert signed_in(marketer).post(f"/companies/{company.id}/edit/", form).status_code == 302
    assert heart.beat(now).pulses == 1, "its people are asked again, and nobody else"
    heart.settle(now)
    assert scoring.score_of(lead_id, now).attribute == 5 + 3 + 5
