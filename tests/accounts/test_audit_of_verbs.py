"""No door forgets the audit log: the verbs of every room write it, whoever calls them."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from psycopg import sql

import hagukumi
from hagukumi.accounts import audit
from hagukumi.accounts.models import AuditEntry
from hagukumi.collect.content.models import Content
from hagukumi.collect.tracking.models import Site
from hagukumi.people.companies.models import Company
from hagukumi.people.consent import services as consent
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources.models import Source
from hagukumi.sales.deals import services as deals
from hagukumi.screens.settings.audit import wording

pytestmark = pytest.mark.django_db
AT = "203.0.113.9"


@pytest.fixture
def inside(signed_in, admin):
    """A client at an address of the world's."""
    client = signed_in(admin)
    client.defaults["REMOTE_ADDR"] = AT
    return client


def last(action):
    """The latest entry of an action: by whom it was, from where, what; None where there is none."""
    return AuditEntry.objects.filter(action=action).order_by("-id").first()


def test_an_export_of_leads_with_its_count_and_filter(inside, admin, people):
    people(3, prefecture="東京都")
    people(2, state="left")
    answer = inside.get("/leads/export/", {"q": "山田", "state": "active"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    entry = last("lead.list_exported")
    assert (entry.user, entry.door, entry.origin) == (admin, "screen", AT)
    assert entry.details["count"] == len(rows) - 1
    assert entry.details["filter"]["q"] == "山田"


def test_content_from_what_to_what(inside):
    inside.post("/content/new/", {"title": "カタログ", "kind": "catalog", "summary": ""})
    piece = Content.objects.get()
    pdf = SimpleUploadedFile("x.pdf", b"%PDF-1.7 x", content_type="application/pdf")
    inside.post(f"/content/{piece.pk}/", {"title": "総合カタログ", "kind": "catalog", "summary": "", "file": pdf})
    changes = last("content.saved").details["changes"]
    assert changes["title"] == ["カタログ", "総合カタログ"] and changes["file"] == ["", "x.pdf"]


def test_sites(inside):
    inside.post("/tracking/sites/", {"name": "本サイト", "origin": "https://www.example.co.jp"})
    site = Site.objects.first()
    if site is None:
        pytest.fail("the site was not added")
    assert last("site.added").details["name"] == "https://www.example.co.jp"
    inside.post(f"/tracking/sites/{site.pk}/remove/")
    assert last("site.removed").object_id == str(site.pk)


def test_sources_and_companies_from_what_to_what(inside, now):
    source = Source.objects.create(name="展示会", type="exhibition", cost_yen=100, created_at=now)
    inside.post(
        f"/sources/{source.pk}/",
        {"name": "展示会", "type": "exhibition", "cost_yen": "250", "consent_basis": source.consent_basis, "date": ""},
    )
    assert last("source.saved").details["changes"]["cost_yen"] == [100, 250]
    company = Company.objects.create(name="青葉", match_key="青葉", created_at=now, updated_at=now)
    with audit.acting(audit.Actor("screen", origin=AT)):
        from hagukumi.people.companies import services as companies

        company.industry = "manufacturing"
        companies.correct(company, now)
    assert last("company.saved").details["changes"]["industry"] == ["", "manufacturing"]


def test_deals_by_staff_and_not_what_the_system_does(people, now, admin):
    deals.ready_made()
    (lead,) = people(1)
    facts = {
        "name": "導入",
        "amount_yen": 100,
        "stage": "approach",
        "owner_id": admin.pk,
        "expected_on": None,
        "now": now,
    }
    deals.create_deal(lead, **facts)
    assert last("deal.created") is None
    with audit.acting(audit.Actor("screen", user_id=admin.pk, origin=AT)):
        deal = deals.create_deal(lead, **facts)
        deals.move_stage(lead, deal.id, "proposal", now=now)
        deals.close_deal(lead, deal.id, won=True, amount_yen=120, reason="", now=now, user_id=admin.pk)
    assert last("deal.moved").details["changes"] == {"stage": ["approach", "proposal"]}
    assert last("deal.closed").details["changes"] == {"outcome": ["", "won"], "amount_yen": [100, 120]}
    assert last("deal.closed").user == admin


def test_consent_by_staff_with_the_evidence_they_typed(inside, people):
    (lead,) = people(1)
    inside.post(f"/leads/{lead}/consent/", {"basis": "optin", "evidence": "11/20 電話で本人から"})
    entry = last("consent.granted")
    assert entry.object_id == str(lead) and "電話で本人から" in entry.details["evidence"]
    inside.post(f"/leads/{lead}/consent/", {"basis": "optout", "evidence": "11/21 電話"})
    assert last("consent.withdrawn").object_id == str(lead)


def test_the_person_s_own_word_is_no_act_of_staff(people, now):
    (lead,) = people(1)
    with audit.acting(audit.Actor("public", origin=AT)):
        consent.withdraw(lead, address="x@example.jp", reason="unsubscribe", evidence="/u/", now=now)
        select = sql.SQL("SELECT {}::bigint AS lead_id, 'x@example.jp' AS address").format(sql.Literal(lead))
        consent.grant_from(select, basis="optin", text_id=None, evidence="/u/", now=now, over_stop=True)
    assert not AuditEntry.objects.exists()


def test_an_upsert_by_api_names_the_token(client, admin, now):
    from hagukumi.accounts import services

    token, plain = services.issue_token("基幹システム", ["leads:write"], admin, now)
    body = {"email": "sato@aoba.example.co.jp", "last_name": "佐藤", "consent_basis": "card"}
    headers = {"Authorization": f"Bearer {plain}"}
    answer = client.post("/api/v1/leads", body, content_type="application/json", headers=headers, REMOTE_ADDR=AT)
    assert answer.status_code == 201
    entry = last("lead.upserted")
    assert (entry.token, entry.user, entry.door, entry.origin) == (token, admin, "api", AT)
    assert entry.object_id == str(Lead.objects.get().pk) and entry.details["created"] == 1
    assert last("consent.granted").token == token


def test_one_s_own_name_and_language(inside, admin):
    inside.post("/profile/", {"name": "運営 花子", "language": "ja"})
    assert last("member.profile_changed").details["changes"] == {"name": ["管理 花子", "運営 花子"]}
    inside.post("/language/", {"language": "en", "next": "/"})
    entry = last("member.profile_changed")
    assert (entry.user, entry.details["changes"]) == (admin, {"language": ["ja", "en"]})
    inside.post("/language/", {"language": "en", "next": "/"})
    assert AuditEntry.objects.filter(action="member.profile_changed").count() == 2


def test_the_source_that_an_upload_makes(inside, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("名刺.csv", "お名前,メールアドレス\r\n山田,y@example.jp\r\n".encode())
    given = {"source": "new", "basis": "none", "new-name": "展示会 2026", "new-type": "exhibition"}
    assert inside.post("/imports/new/", {"file": upload, **given}).status_code == 302
    assert last("source.saved").details["name"] == "展示会 2026"


def test_a_target(inside):
    rates = {f"rate_{stage}": "50" for stage in ("reacted", "mql", "sql", "deal", "won")}
    inside.post("/plan/save/", {"target": "12", **rates})
    inside.post("/plan/save/", {"target": "12", **rates})
    inside.post("/plan/save/", {"target": "20", **rates})
    told = [entry.details["changes"]["won_target"] for entry in AuditEntry.objects.filter(action="plan.saved")]
    assert told == [[None, 12], [12, 20]]


def test_every_action_that_is_written_down_has_its_words():
    written = re.compile(r'record\(\s*"(\w+\.\w+)"|audit\(\s*[\w.]+,\s*"(\w+\.\w+)"')
    house = Path(hagukumi.__file__).parent
    actions = {a or b for path in house.rglob("*.py") for a, b in written.findall(path.read_text(encoding="utf-8"))}
    assert len(actions) > 50 and actions <= wording.ACTIONS.keys()
