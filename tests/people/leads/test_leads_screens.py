"""The screens of leads and companies: they open, they change what they say they change, they refuse what is wrong."""

from datetime import timedelta

import pytest

from hagukumi.judge.phases import services as phases
from hagukumi.ledger import kinds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.people.companies.models import Company
from hagukumi.people.consent import services as consent
from hagukumi.people.leads.models import Lead, LeadIdentity, LeadTag
from hagukumi.people.sources.models import Source
from hagukumi.sales.deals import services as deals
from hagukumi.sales.deals.models import Deal, DealStage
from hagukumi.sales.handovers import services as handovers
from hagukumi.sales.handovers.models import Handover
from hagukumi.worker import heart


@pytest.fixture
def house(people, now, marketer, signed_in):
    client = signed_in(marketer)
    ids = people(3)
    return client, ids


def test_the_list_opens_and_filters(house):
    client, _ids = house
    page = client.get("/leads/")
    assert page.status_code == 200
    assert "山田0" in page.content.decode()
    assert "3 件" in page.content.decode()
    empty = client.get("/leads/?q=いない人").content.decode()
    assert "条件に合うリードはいません" in empty


@pytest.mark.parametrize(
    "query",
    ["phase=x", "segment=99999999999999999999", "score_min=-1", "sort=zzz", "owner=abc", "tag=%00", "q=%00",
     "company=0", "company=99999999999999999999999", "complete=9", "state=merged"],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_breaks_nothing(house, query):
    assert house[0].get(f"/leads/?{query}").status_code == 200


@pytest.mark.parametrize("mark", ["x", "1~", "あ", "9" * 400, f"{2**63 - 1}~1", "%00", "1~2~3"])
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/leads/?after={}", "山田0"),
        ("/leads/?sort=score&after={}", "スコアが高い順"),
        ("/leads/{lead}/?before={}", "timeline-day"),
        ("/companies/?after={}", "企業"),
        ("/handovers/?after={}", "山田"),
    ],
)
def test_a_page_that_nobody_marked_is_the_first(house, path, shown, mark, now):
    client, ids = house
    handovers.hand_over(ids[0], cause="手動", now=now)
    answer = client.get(path.format(mark, lead=ids[0]))
    assert answer.status_code == 200 and shown in answer.content.decode()


def test_bulk_tag_says_first_whom_it_reaches_and_can_be_undone(house):
    client, ids = house
    preview = client.post("/leads/tag/", {"tag": "展示会", "ids": ids[:2]})
    assert "2 名に「展示会」を付けます" in preview.content.decode()
    assert not LeadTag.objects.exists()
    done = client.post("/leads/tag/", {"tag": "展示会", "ids": ids[:2], "apply": "1"})
    assert done.status_code == 302
    assert LeadTag.objects.count() == 2
    undo = done["Location"].split("undo=")[1]
    client.post("/leads/tag/undo/", {"undo": undo})
    assert not LeadTag.objects.exists()
    everybody = client.post("/leads/tag/", {"tag": "全員", "everybody": "1", "apply": "1"})
    assert everybody.status_code == 302
    assert LeadTag.objects.count() == 3


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_export_is_safe_to_open(house, people, encoding):
    people(1, last_name="=SUM(A1)", first_name="")
    body = house[0].get(f"/leads/export/?encoding={encoding}").content
    text = body.decode("utf-8-sig" if encoding == "utf-8" else "cp932")
    assert "'=SUM(A1)" in text
    assert len(text.splitlines()) == 5
    assert "03-1234-5678" in text


def test_characters_that_cp932_lacks_are_listed_first(house, people):
    people(1, last_name="𠮷田")
    page = house[0].get("/leads/export/?encoding=cp932")
    assert "𠮷" in page.content.decode()
    anyway = house[0].get("/leads/export/?encoding=cp932&anyway=1")
    assert "〓田" in anyway.content.decode("cp932")


def test_the_page_draws_every_kind(house, now):
    client, ids = house
    every = kinds.every()
    ledger.record([ledger.Fact(ids[0], kind.key, now, object_id=1, amount=5) for kind in every])
    text = client.get(f"/leads/{ids[0]}/").content.decode()
    missing = [kind.key for kind in every if kind.label_ja not in text]
    assert not missing


@pytest.mark.parametrize("key", ["last_name", "email", "rank", "issue", "users_expected", "owner_id", "source_id"])
def test_each_fact_has_its_field(house, key):
    client, ids = house
    assert (
        'name="value"' in client.get(f"/leads/{ids[0]}/facts/{key}/", headers={"HX-Request": "true"}).content.decode()
    )
    assert client.get(f"/leads/{ids[0]}/facts/{key}/").status_code == 200
    assert client.get(f"/leads/{ids[0]}/facts/{key}/?show=1").status_code == 200


def test_a_fact_is_edited_in_place(house, now):
    client, ids = house
    lead = ids[0]
    htmx = {"HX-Request": "true"}
    saved = client.post(f"/leads/{lead}/facts/title/", {"value": "取締役部長"}, headers=htmx)
    assert saved.status_code == 200
    assert "取締役部長" in saved.content.decode()
    assert Lead.objects.get(lead_id=lead).rank == "exec"
    assert {fact.details["field"] for fact in Activity.objects.filter(lead_id=lead, kind=32)} == {"title", "rank"}
    client.post(f"/leads/{lead}/facts/title/", {"value": "取締役部長"}, headers=htmx)
    assert Activity.objects.filter(lead_id=lead, kind=32).count() == 2


def test_the_address_takes_its_identity_along(house):
    client, ids = house
    old = Lead.objects.get(lead_id=ids[0]).email
    client.post(f"/leads/{ids[0]}/facts/email/", {"value": "ＮＥＷ@Aoba.co.jp"})
    assert Lead.objects.get(lead_id=ids[0]).email == "new@aoba.co.jp"
    assert LeadIdentity.objects.get(kind="email", value="new@aoba.co.jp").lead_id == ids[0]
    assert not LeadIdentity.objects.filter(value=old).exists()
    taken = client.post(f"/leads/{ids[1]}/facts/email/", {"value": "new@aoba.co.jp"}, headers={"HX-Request": "true"})
    assert taken.status_code == 422
    assert "別のリード" in taken.content.decode()


def test_the_company_follows_its_name(house):
    client, ids = house
    client.post(f"/leads/{ids[0]}/facts/company_name/", {"value": "㈱みどり商事"})
    client.post(f"/leads/{ids[1]}/facts/company_name/", {"value": "株式会社 みどり商事"})
    a, b = Lead.objects.filter(lead_id__in=ids[:2])
    assert a.company_id == b.company_id == Company.objects.get().id


@pytest.mark.parametrize(
    ("key", "value"),
    [("email", "not an address"), ("phone", "abc"), ("users_expected", "-3"), ("postal_code", "12"), ("rank", "king"),
     ("last_name", "あ" * 61), ("prefecture", "カリフォルニア")],
)  # fmt: skip
def test_what_is_wrong_is_said_next_to_the_field(house, key, value):
    client, ids = house
    answer = client.post(f"/leads/{ids[0]}/facts/{key}/", {"value": value}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.content.decode()


@pytest.mark.parametrize("key", ["lead_id", "merged_into", "fields.none", "known_at", "missing"])
def test_other_columns_are_nobodys_to_edit(house, key):
    client, ids = house
    assert client.post(f"/leads/{ids[0]}/facts/{key}/", {"value": "1"}).status_code == 404


def test_how_a_call_went_is_said_in_english_too(house, marketer):
    client, ids = house
    client.post(f"/leads/{ids[0]}/note/", {"text": "", "result": "talked", "minutes": "3"})
    client.post("/language/", {"language": "en"})
    page = client.get(f"/leads/{ids[0]}/").content.decode()
    assert "Talked" in page and "話せた" not in page


def test_notes_calls_tags_states_consent(house):
    client, ids = house
    base = f"/leads/{ids[0]}"
    client.post(f"{base}/note/", {"text": "来期に検討"})
    client.post(f"{base}/note/", {"text": "不在", "result": "absent", "minutes": "3"})
    client.post(f"{base}/tag/", {"tag": "重点"})
    client.post(f"{base}/state/", {"state": "left", "reason": "退職の連絡"})
    client.post(f"{base}/consent/", {"basis": "optin", "evidence": "電話で確認"})
    text = client.get(f"{base}/").content.decode()
    for words in ("来期に検討", "不在", "重点", "離職", "配信できる", "退職の連絡"):
        assert words in text
    client.post(f"{base}/consent/", {"basis": "optout"})
    assert "配信停止" in client.get(f"{base}/").content.decode()
    client.post(f"{base}/consent/", {"basis": "optin", "evidence": " "})
    assert not consent.standing(ids[0], Lead.objects.get(pk=ids[0]).email).may_mail
    client.post(f"{base}/consent/", {"basis": "optin", "evidence": "11/20 電話で再開のご希望"})
    assert consent.standing(ids[0], Lead.objects.get(pk=ids[0]).email).may_mail
    client.post(f"{base}/tag/", {"tag": "重点", "off": "1"})
    assert not LeadTag.objects.exists()


@pytest.mark.parametrize(
    "path", ["/leads/999/", "/leads/99999999999999999999/", "/companies/999/", "/companies/99999999999999999999/"]
)
def test_nobody_there_is_404(house, path):
    assert house[0].get(path).status_code == 404


def test_a_merged_persons_address_leads_on(house):
    client, ids = house
    Lead.objects.filter(lead_id=ids[0]).update(merged_into=ids[1], state="merged")
    assert client.get(f"/leads/{ids[0]}/")["Location"] == f"/leads/{ids[1]}/"


def test_hostile_text_is_shown_as_text(house, people):
    (bad,) = people(1, last_name="<script>alert(1)</script>", company_name='"><img src=x>')
    client, _ids = house
    for page in ("/leads/", f"/leads/{bad}/"):
        text = client.get(page).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_companies(house, now):
    client, ids = house
    for lead in ids:
        client.post(f"/leads/{lead}/facts/company_name/", {"value": "株式会社 青葉製作所"})
    ledger.record([ledger.Fact(ids[0], kind, now, object_id=1) for kind in ("page_view", "scroll")])
    heart.beat(now)
    found = Company.objects.get()
    listed = client.get("/companies/?q=青葉").content.decode()
    assert "青葉製作所" in listed
    assert "青葉製作所" not in client.get("/companies/?q=みどり").content.decode().split("<tbody>")[-1]
    page = client.get(f"/companies/{found.id}/").content.decode()
    assert "山田0" in page
    assert "ページ閲覧" in page and "スクロール" not in page
    form = {"name": "青葉製作所株式会社", "industry": "manufacturing", "sales_yen": "1200000000", "employees": "350"}
    assert client.post(f"/companies/{found.id}/edit/", form).status_code == 302
    found.refresh_from_db()
    assert (found.form_position, found.employees) == ("back", 350)
    assert "12億円" in client.get(f"/companies/{found.id}/").content.decode()
    wrong = client.post(f"/companies/{found.id}/edit/", {**form, "corporate_number": "1234567890123"})
    assert "検査数字" in wrong.content.decode()
    assert client.get(f"/leads/?company={found.id}").content.decode().count("data-row ") == 3


@pytest.mark.parametrize("size", [3, 40])
def test_pages_cost_the_same_for_few_and_many(people, now, marketer, signed_in, size, django_assert_max_num_queries):
    client = signed_in(marketer)
    ids = people(size)
    ledger.record([ledger.Fact(ids[0], "page_view", now, object_id=n) for n in range(size)])
    with django_assert_max_num_queries(24):
        client.get("/leads/")
    with django_assert_max_num_queries(32):
        client.get(f"/leads/{ids[0]}/")


def test_a_lead_is_offered_to_sales_until_sales_has_it(house, seller, now):
    client, (lead, *_others) = house

    def head() -> str:
        return client.get(f"/leads/{lead}/").content.decode()

    assert "営業へ引き渡す" in head()
    deals.ready_made()
    handovers.hand_over(lead, cause="手動", now=now)
    assert "営業の回答待ち" in head() and "営業へ引き渡す" not in head()
    handovers.accept(lead, Handover.objects.get(lead_id=lead).id, user_id=seller.id, now=now)
    assert "営業が受け入れ済み" in head() and "営業へ引き渡す" not in head()
    stage = DealStage.objects.earliest("position").key
    deal = deals.create_deal(
        lead, name="10台", amount_yen=None, stage=stage, owner_id=seller.id, expected_on=None, now=now
    )
    assert "商談中" in head() and "営業へ引き渡す" not in head()
    closing = {"amount_yen": None, "reason": "価格", "user_id": seller.id}
    deals.close_deal(lead, deal.id, won=False, now=now + timedelta(days=1), **closing)
    assert "営業へ引き渡す" in head()
    Deal.objects.filter(id=deal.id).update(outcome="won")
    assert "受注済み" in head() and "営業へ引き渡す" not in head()


@pytest.mark.parametrize(
    ("language", "why"),
    [("ja", "営業からの差し戻し（予算がない）"), ("en", "Returned by sales (No budget)")],
)
def test_a_return_says_its_reason_in_words(house, seller, marketer, now, language, why):
    client, (lead, *_others) = house
    phases.ready_made(now)
    heart.settle(now)
    phases.move([lead], phase_id=phases.phase("interest", "considering").id, reason="試験", now=now)
    handovers.hand_over(lead, cause="手動", now=now)
    handover = Handover.objects.get(lead_id=lead)
    handovers.give_back(lead, handover.id, user_id=seller.id, reason="no_budget", note="", now=now)
    client.post("/language/", {"language": language})
    for page in (f"/leads/{lead}/", "/phases/"):
        text = client.get(page).content.decode()
        assert why in text and "no_budget" not in text


def test_a_source_opens_where_its_reader_may_go(house, seller, signed_in, now):
    source = Source.objects.create(name="展示会", type="exhibition", created_at=now)
    Lead.objects.filter(lead_id=house[1][0]).update(source=source)
    people = f"/leads/?source={source.id}"
    edit = f"/sources/{source.id}/"
    shown = {}
    for name, client in (("marketing", house[0]), ("sales", signed_in(seller))):
        shown[name] = client.get("/sources/").content.decode()
        assert people in shown[name]
        assert client.get(people).status_code == 200
    assert edit in shown["marketing"]
    assert edit not in shown["sales"] and "/sources/new/" not in shown["sales"]


def test_only_those_who_may_import_are_led_there(house, seller, signed_in):
    assert 'btn" href="/imports/"' in house[0].get("/leads/").content.decode()
    assert "/imports/" not in signed_in(seller).get("/leads/").content.decode()


def test_a_filter_without_records_is_not_an_empty_life(house, now):
    client, (lead, *_others) = house
    ledger.record([ledger.Fact(lead, "page_view", now, object_id=1)])
    assert "まだ何も起きていません" not in client.get(f"/leads/{lead}/").content.decode()
    filtered = client.get(f"/leads/{lead}/?group=seminar").content.decode()
    assert "この種類の記録はありません" in filtered and "まだ何も起きていません" not in filtered
