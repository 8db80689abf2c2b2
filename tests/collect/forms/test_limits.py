"""What strangers may do with a form: one answer a page, so many an hour, and no mail of their words to anybody."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hagukumi.accounts import throttle
from hagukumi.accounts.models import AuditEntry, Workspace
from hagukumi.collect.forms import limits, services
from hagukumi.collect.forms.models import Form, HeldAnswer, Submission
from hagukumi.collect.tracking import digest
from hagukumi.collect.tracking import services as tracking
from hagukumi.collect.tracking.models import Drop
from hagukumi.kit import answers
from hagukumi.ledger import services as ledger
from hagukumi.people.leads.models import Lead
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db
PERSON = {"company_name": "株式会社青葉製作所", "last_name": "佐藤", "first_name": "花子"}


@pytest.fixture
def form(db, now):
    made = services.create(name="資料請求", slug="catalog", kind="download", now=now)
    made.refresh_from_db()
    services.set_state(made, "open", now)
    made.refresh_from_db()
    return made


def answer(form, now, number=0, address="203.0.113.9", **more):
    given = {**PERSON, "email": f"p{number}@aoba.example.co.jp"}
    details = {"answers": given, "consent": False, "language": "ja", "from": address, **more}
    return tracking.put_in_inbox("form", now=now, object_id=form.version_id, details=details)


def test_sixty_posts_of_one_page_are_one_answer(form, monkeypatch, tmp_path):
    monkeypatch.setenv("HAGUKUMI_CLOCK", str(tmp_path / "clock"))
    stranger = Client()
    page = stranger.get("/f/catalog").content.decode()
    fields = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', page))
    (tmp_path / "clock").write_text("5")
    for number in range(60):
        sent = stranger.post("/f/catalog", {**fields, **PERSON, "email": f"p{number}@aoba.example.co.jp"})
        assert sent.status_code == 302
    from hagukumi.kit import clock

    settle(clock.now())
    assert Lead.objects.get().email == "p0@aoba.example.co.jp"
    assert Drop.objects.get(reason="repeat").count == 59


def test_two_pages_are_two_answers():
    tokens = {answers.started_token(3, 1_700_000_000) for _ in range(100)}
    assert len({answers.event_of(token) for token in tokens}) == 100


@pytest.mark.parametrize(
    ("column", "most", "address"),
    [
        ("per_caller", 3, lambda n: "203.0.113.9"),
        ("per_network", 3, lambda n: f"203.0.113.{n}"),
        ("per_network", 3, lambda n: f"2001:db8:1:{n}::1"),
        ("per_form", 3, lambda n: f"198.51.{n}.1"),
    ],
)
def test_what_is_too_much_waits_for_a_person(column, most, address, form, now):
    Form.objects.update(**{column: most})
    for number in range(5):
        answer(form, now, number, address(number))
        beat(now + timedelta(minutes=number))
    assert Lead.objects.count() == Submission.objects.count() == 3
    assert set(HeldAnswer.objects.values_list("reason", flat=True)) == {column.removeprefix("per_")}
    assert HeldAnswer.objects.count() == 2
    assert throttle.refused(now)[0]["refused"] == 2
    answer(form, now, 9, address(9))
    beat(now + timedelta(minutes=61))
    assert Lead.objects.count() == 4


def test_the_first_of_a_batch_go_on_and_others_are_not_touched(form, now):
    Form.objects.update(per_caller=3)
    for number in range(5):
        answer(form, now, number)
    answer(form, now, 7, "198.51.100.7")
    beat(now)
    assert {lead.email[:2] for lead in Lead.objects.all()} == {"p0", "p1", "p2", "p7"}


def test_statements_do_not_grow_with_callers(form, now):
    def statements(n, first):
        for number in range(first, first + n):
            answer(form, now, number, f"198.51.{number}.1")
        ledger.open_beat_tables()
        with CaptureQueriesContext(connection) as seen:
            digest.step(now)
        return len(seen)

    statements(3, 0)
    assert statements(5, 10) == statements(60, 20)


def test_where_a_form_asks_for_work_an_answer_without_it_waits(form, now):
    Form.objects.update(challenge="work")
    answer(form, now, 1)
    answer(form, now, 2, work=True)
    beat(now)
    assert Lead.objects.get().email == "p2@aoba.example.co.jp"
    assert HeldAnswer.objects.get().reason == "work"


def test_work_is_proven_by_the_page_it_was_done_for():
    token = answers.started_token(3, 1_700_000_000)
    counter = next(n for n in range(200_000) if answers.work_done(token, str(n), bits=10))
    assert answers.work_done(token, str(counter), bits=10)
    assert not all(answers.work_done(token + str(n), str(counter), bits=10) for n in range(8))
    for nonsense in ("", "x", "²", "-1", "9" * 13):
        assert not answers.work_done(token, nonsense, bits=0)


def test_staff_let_a_held_answer_in_or_throw_it_away(form, now, signed_in, marketer, seller):
    Form.objects.update(per_caller=1)
    for number in range(4):
        answer(form, now, number)
    beat(now)
    page = signed_in(marketer).get(f"/forms/{form.pk}/held/").content.decode()
    assert "203.0.113.9" in page and "p1@aoba.example.co.jp" in page and "同じ住所から多すぎる回答" in page
    first = HeldAnswer.objects.order_by("id").first()
    assert signed_in(seller).post(f"/forms/{form.pk}/held/", {"release": first.pk}).status_code == 403
    signed_in(marketer).post(f"/forms/{form.pk}/held/", {"release": first.pk})
    signed_in(marketer).post(f"/forms/{form.pk}/held/", {"discard": "all"})
    settle(now)
    assert not HeldAnswer.objects.exists()
    assert {lead.email[:2] for lead in Lead.objects.all()} == {"p0", "p1"}
    acts = AuditEntry.objects.filter(action__startswith="answer.").order_by("id")
    assert list(acts.values_list("action", flat=True)) == [
        "answer.released",
        "answer.discarded",
    ]


def test_a_held_answer_of_another_form_is_not_released_here(form, now):
    other = services.create(name="x", slug="other", kind="inquiry", now=now)
    Form.objects.update(per_caller=0)
    answer(form, now)
    beat(now)
    assert limits.discard(other.pk, now) == 0
    assert HeldAnswer.objects.count() == 1


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("last_name", "今すぐ https://evil.example/x"),
        ("last_name", "ｈｔｔｐｓ：／／evil.example"),
        ("first_name", "evil.com で"),
        ("last_name", "www.evil.example"),
        ("company_name", "賞金はこちら http://evil.example"),
        ("company_name", "evil.example/win"),
        ("last_name", "佐藤\n様"),
        ("company_name", "青葉\u202eABC"),
        ("last_name", "a\x00b"),
        ("department", "javascript:alert(1)"),
        ("title", "bit.ly/abc"),
    ],
)
def test_a_name_with_a_link_or_a_control_character_is_refused(column, text):
    assert answers.names_link(column, text)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("company_name", "価格.com"),
        ("company_name", "Booking.com Japan株式会社"),
        ("company_name", "株式会社ＡＢＣ．ＪＰ"),
        ("last_name", "J.R.スミス"),
        ("first_name", "St.John"),
        ("last_name", "佐藤　"),
        ("last_name", "De.la"[:2]),
        ("company_name", "A/B株式会社"),
        ("title", "課長/CTO"),
        ("department", "営業1部：東京"),
    ],
)
def test_a_name_that_is_one_is_taken(column, text):
    assert not answers.names_link(column, text)


def test_refused_names_are_said_beside_their_field(form, monkeypatch, tmp_path):
    stranger = Client()
    page = stranger.get("/f/catalog").content.decode()
    fields = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', page))
    sent = stranger.post(
        "/f/catalog", {**fields, **PERSON, "last_name": "http://evil.example", "email": "a@b.example.jp"}
    )
    assert sent.status_code == 422
    assert "リンクや特別な記号は入れられません" in sent.content.decode()


def test_both_doors_say_from_where(form, now):
    outcome = answers.Outcome({"last_name": "佐藤"}, consent=True)
    token = answers.started_token(3, 1_700_000_000)
    told = answers.details(outcome, "ja", "203.0.113.9", token, "")
    assert json.loads(json.dumps(told))["from"] == "203.0.113.9"
    assert told["work"] is False


def test_the_switches_of_a_form_are_kept(form, signed_in, marketer):
    Workspace.objects.get_or_create(id=1, defaults={"name": "若葉"})
    page = signed_in(marketer).post(
        f"/forms/{form.pk}/",
        {"name": "資料", "double_optin": "true", "challenge": "work", "per_caller": 5, "per_network": 6, "per_form": 7},
    )
    assert page.status_code == 302
    form.refresh_from_db()
    kept = (form.double_optin, form.challenge, form.per_caller, form.per_network, form.per_form)
    assert kept == (True, "work", 5, 6, 7)
