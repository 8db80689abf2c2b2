"""Forms: built by staff, filled in by strangers, turned into people by the digest."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hagukumi.collect.content.models import Content
from hagukumi.collect.forms import kinds, rules, services
from hagukumi.collect.forms.models import Form, FormVersion, Submission
from hagukumi.collect.tracking import digest
from hagukumi.collect.tracking import kinds as web
from hagukumi.collect.tracking import services as tracking
from hagukumi.collect.tracking.models import Drop, Inbox
from hagukumi.kit import answers, clock
from hagukumi.ledger import services as ledger
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consents
from hagukumi.people.consent.models import Consent, ConsentText
from hagukumi.people.identity import services as identity
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.people.sources.models import Source
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
PERSON = {
    "company_name": "株式会社青葉製作所", "last_name": "佐藤", "first_name": "花子", "email": "sato@aoba.example.co.jp",
}  # fmt: skip


@pytest.fixture
def form(db, now):
    """An open download form with a source."""
    source = Source.objects.create(name="資料請求", type="web", consent_basis="", created_at=now)
    made = services.create(name="資料請求", slug="catalog", kind="download", now=now)
    Form.objects.filter(pk=made.pk).update(source=source)
    made.refresh_from_db()
    assert services.set_state(made, "open", now) == []
    made.refresh_from_db()
    return made


def answer(form, now, values=None, *, consent=True, visitor=""):
    details = {"answers": values or PERSON, "consent": consent, "language": "ja"}
    return tracking.put_in_inbox("form", now=now, visitor=visitor, object_id=form.version_id, details=details)


def test_an_answer_makes_a_person_with_source_consent_and_fact(form, now):
    event = answer(form, now)
    beat(now)
    lead = Lead.objects.get()
    assert (lead.last_name, lead.company_name, lead.email) == ("佐藤", "株式会社青葉製作所", "sato@aoba.example.co.jp")
    assert lead.known_at == now
    assert lead.source_id == form.source_id
    given = Submission.objects.get()
    assert (given.lead_id, given.form_id, given.event_id, given.answers) == (lead.lead_id, form.pk, event, PERSON)
    consent = Consent.objects.get()
    assert (consent.basis, consent.text_id) == ("optin", given.consent_text_id)
    assert ConsentText.objects.get(pk=given.consent_text_id).text == rules.CONSENT_TEXT
    fact = Activity.objects.get(kind=kinds.FORM_SUBMITTED.code)
    assert (fact.lead_id, fact.object_id) == (lead.lead_id, form.pk)


def test_without_a_tick_there_is_no_consent(form, now):
    answer(form, now, consent=False)
    beat(now)
    assert not Consent.objects.exists()
    assert Submission.objects.get().consent_text_id is None


def test_the_visitor_becomes_the_person_with_the_earlier_history(form, now):
    seen = now - timedelta(days=3)
    Inbox.objects.create(event_id="6ba7b810-9dad-41d1-80b4-00c04fd430c8", at=seen, kind="view", visitor="visitor-0001",
                         url="https://www.aoba.example.co.jp/")  # fmt: skip
    beat(now)
    answer(form, now, visitor="visitor-0001")
    settle(now)
    person = Lead.objects.get(known_at__isnull=False)
    view = Activity.objects.get(kind=web.PAGE_VIEW.code)
    assert (view.lead_id, view.at) == (person.lead_id, seen)
    assert LeadIdentity.objects.get(kind="visitor").lead_id == person.lead_id


def test_the_same_address_again_is_the_same_person(form, now):
    answer(form, now)
    beat(now)
    answer(form, now, {**PERSON, "email": "SATO@aoba.example.co.jp", "department": "購買部"})
    beat(now)
    assert Lead.objects.get().department == "購買部"
    assert Submission.objects.count() == 2


def test_an_answer_that_nobody_can_be_found_for_is_kept(form, now):
    answer(form, now, {"company_name": "青葉"})
    answer(form, now, PERSON)
    beat(now)
    assert Submission.objects.count() == 2
    assert Lead.objects.filter(known_at__isnull=True).count() == 1


def test_an_answer_that_the_leads_room_refuses_holds_up_nobody(form, now, monkeypatch):
    real = identity.upsert_people

    def picky(rows, **terms):
        for index, row in enumerate(rows):
            if row["last_name"] == "断":
                raise identity.RowError(index, "ambiguous")
        return real(rows, **terms)

    monkeypatch.setattr(identity, "upsert_people", picky)
    for number, name in enumerate(("佐藤", "断", "鈴木")):
        answer(form, now, {**PERSON, "last_name": name, "email": f"p{number}@aoba.example.co.jp"})
    beat(now)
    assert Submission.objects.count() == 3
    assert set(Lead.objects.filter(known_at__isnull=False).values_list("last_name", flat=True)) == {"佐藤", "鈴木"}


def test_statements_do_not_grow_with_answers(form, now):
    def statements(n):
        for number in range(n):
            answer(form, now, {**PERSON, "email": f"p{n}-{number}@aoba.example.co.jp"}, visitor=f"visitor-{n}-{number}")
        ledger.open_beat_tables()
        with CaptureQueriesContext(connection) as seen:
            digest.step(now)
        return len(seen)

    statements(3)
    assert statements(5) == statements(60)


def test_versions_never_change(form, now):
    first = form.version
    same = services.save(form, answers.definition(first.definition), consent_text=rules.CONSENT_TEXT, now=now)
    assert same.pk == first.pk
    changed = services.save(form, rules.starter("inquiry"), consent_text="別の文面", now=now)
    assert (changed.number, changed.consent_text.version) == (2, 2)
    assert FormVersion.objects.get(pk=first.pk).definition == first.definition


def test_a_form_without_questions_is_not_opened(db, now):
    form = services.create(name="x", slug="x", kind="survey", now=now)
    services.save(form, answers.Definition(title_ja="x"), consent_text="", now=now)
    form.refresh_from_db()
    assert services.set_state(form, "open", now) == ["no_fields"]


# -- the public page ----------------------------------------------------------------------------------------------


@pytest.fixture
def stranger():
    return Client(enforce_csrf_checks=True)


def page_fields(response):
    found = dict(re.findall(r'name="(_\w+)"\s+value="([^"]*)"', response.content.decode()))
    return {"_started": found["_started"], "_language": found["_language"]}


@pytest.fixture
def at(monkeypatch, tmp_path):
    """Moves the house's clock by seconds."""
    path = tmp_path / "clock"
    monkeypatch.setenv("HAGUKUMI_CLOCK", str(path))

    def move(seconds):
        path.write_text(str(seconds))

    return move


def test_the_hosted_page_takes_an_answer_without_javascript(form, stranger, at):
    response = stranger.get("/f/catalog")
    assert response.status_code == 200
    assert "frame-ancestors 'self'" in response.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in response.headers
    at(5)
    sent = stranger.post("/f/catalog", {**page_fields(response), **PERSON, "_consent": "on"})
    assert sent.status_code == 302
    assert sent["Location"].startswith("/f/catalog/thanks")
    assert stranger.get(sent["Location"]).status_code == 200
    settle(clock.now())
    assert Lead.objects.get().email == PERSON["email"]


def test_mistakes_come_back_beside_their_field_in_the_visitors_language(form, stranger, at):
    response = stranger.get("/f/catalog", headers={"Accept-Language": "en-US"})
    assert 'lang="en"' in response.content.decode()
    at(5)
    bad = stranger.post("/f/catalog", {**page_fields(response), **PERSON, "email": "<script>x</script>"})
    text = bad.content.decode()
    assert bad.status_code == 422
    assert "Please check the e-mail address" in text
    assert "<script>x</script>" not in text
    assert "佐藤" in text
    assert not Inbox.objects.exists()


def test_the_trap_tells_a_robot_nothing_and_counts_it(form, stranger, at):
    fields = page_fields(stranger.get("/f/catalog"))
    at(5)
    sent = stranger.post("/f/catalog", {**fields, **PERSON, "website_url": "https://spam.example"})
    assert sent.status_code == 302
    settle(clock.now())
    assert not Lead.objects.exists()
    assert Drop.objects.get().reason == "trap"


def test_a_closed_form_is_not_found(form, stranger, now):
    services.set_state(form, "closed", now)
    assert stranger.get("/f/catalog").status_code == 404


def test_the_file_behind_a_form(form, stranger, at, settings, tmp_path, now):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "content").mkdir()
    (tmp_path / "content/x.pdf").write_bytes(b"%PDF-1.7 yes")
    piece = Content.objects.create(
        title="総合カタログ", kind="catalog", file_name="総合カタログ.pdf", path="content/x.pdf", created_at=now
    )
    Form.objects.update(content=piece)
    fields = page_fields(stranger.get("/f/catalog"))
    at(5)
    thanks = stranger.get(stranger.post("/f/catalog", {**fields, **PERSON})["Location"]).content.decode()
    link = re.search(r'href="(/d/[^"]+)"', thanks).group(1)
    got = stranger.get(link)
    assert b"".join(got.streaming_content) == b"%PDF-1.7 yes"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    settle(clock.now())
    fact = Activity.objects.get(kind=kinds.CONTENT_DOWNLOADED.code)
    assert (fact.lead_id, fact.object_id) == (Lead.objects.get().lead_id, piece.pk)
    at(8 * 86_400)
    assert stranger.get(link).status_code == 410
    assert stranger.get(link[:-3] + "abc").status_code == 410


# -- staff's screens ----------------------------------------------------------------------------------------------


def test_the_builder_adds_moves_and_removes_without_saving(form, signed_in, marketer):
    client = signed_in(marketer)
    url = f"/forms/{form.pk}/edit/"
    page = client.get(url).content.decode()
    inputs = dict(re.findall(r'name="(f\d-(?:key|label_ja|label_en))" value="([^"]*)"', page))
    post = {**inputs, "rows": "6", "title_ja": "資料", "consent": "none", "do": "down-0"}
    moved = client.post(url, post, headers={"HX-Request": "true"}).content.decode()
    assert re.findall(r'name="f\d-key" value="([^"]*)"', moved)[:2] == ["last_name", "company_name"]
    assert 'name="rows" value="7"' in client.post(url, {**post, "do": "add-issue"}).content.decode()
    assert 'name="rows" value="5"' in client.post(url, {**post, "do": "remove-0"}).content.decode()
    form.refresh_from_db()
    assert form.version.number == 1


def test_saving_makes_a_version_that_the_page_shows(form, signed_in, marketer, stranger):
    post = {"rows": "1", "f0-label_ja": "<b>お名前</b>", "f0-maps_to": "last_name", "f0-type": "text",
            "f0-required": "1", "title_ja": "新しい題", "consent": "none", "do": "save"}  # fmt: skip
    response = signed_in(marketer).post(f"/forms/{form.pk}/edit/", post)
    assert response.status_code == 302
    text = stranger.get("/f/catalog").content.decode()
    assert "新しい題" in text
    assert "&lt;b&gt;お名前&lt;/b&gt;" in text
    assert "<b>お名前" not in text


def test_an_open_form_cannot_be_saved_empty(form, signed_in, marketer):
    response = signed_in(marketer).post(f"/forms/{form.pk}/edit/", {"rows": "0", "do": "save"})
    assert response.status_code == 422
    assert "質問を1つ以上" in response.content.decode()


def test_answers_are_listed_and_exported_without_formulas(form, signed_in, marketer, now):
    answer(form, now, {**PERSON, "last_name": "<script>", "department": "=HYPERLINK(1)"})
    beat(now)
    client = signed_in(marketer)
    page = client.get(f"/forms/{form.pk}/answers/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page.replace('<script type="module"', "")
    csv = b"".join(client.get(f"/forms/{form.pk}/answers.csv").streaming_content).decode("utf-8-sig")
    assert csv.splitlines()[0].startswith("日時,リードID,同意,会社名")
    assert "'=HYPERLINK(1)" in csv


SCREENS = (
    "/forms/", "/forms/new/", "/content/", "/content/new/", "/tracking/", "/tracking/pages/", "/tracking/drops/",
    "/tracking/live/",
)  # fmt: skip


@pytest.mark.parametrize("path", SCREENS)
def test_screens_answer_empty_and_are_closed_to_sales(path, signed_in, marketer, seller, db):
    assert signed_in(marketer).get(path).status_code == 200
    assert signed_in(seller).get(path).status_code == 403


def test_making_a_form(signed_in, marketer, db):
    client = signed_in(marketer)
    response = client.post("/forms/new/", {"name": "展示会のアンケート", "kind": "survey"})
    form = Form.objects.get()
    assert response["Location"] == f"/forms/{form.pk}/edit/"
    assert form.slug == "survey"
    client.post(f"/forms/{form.pk}/state/", {"state": "open"})
    assert "公開中" in client.get("/forms/").content.decode()
    assert client.get(f"/forms/{form.pk}/").status_code == 200


def test_a_tick_by_whoever_fills_in_the_form_takes_nobodys_stop_back(form, now):
    answer(form, now)
    beat(now)
    lead = Lead.objects.get()
    consents.withdraw(lead.pk, address=lead.email, reason="unsubscribe", evidence="リンク", now=now)
    answer(form, now)
    beat(now + timedelta(days=1))
    assert Submission.objects.count() == 2
    assert not consents.standing(lead.pk, lead.email).may_mail
