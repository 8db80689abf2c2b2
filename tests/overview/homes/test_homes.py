"""Each role lands on today's work, and the numbers there are the ledger's."""

import re
from datetime import timedelta

import pytest

from hagukumi.accounts.models import Workspace
from hagukumi.channels.mail.models import Sender
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking.models import Site
from hagukumi.judge.phases import services as phases
from hagukumi.kit import clock
from hagukumi.ledger.services import Fact, record
from hagukumi.overview.homes import reads as home
from hagukumi.sales.handovers import services as handovers


def test_a_new_house_shows_its_first_steps(admin, signed_in):
    page = signed_in(admin).get("/").content.decode()
    assert "はじめの4つの手順" in page
    assert 'href="/imports/"' in page


def test_the_first_steps_stay_until_the_last_is_done(admin, people, signed_in, now, clock_at):
    began = Workspace.objects.create(id=1, name="青葉", set_up_at=clock.now()).set_up_at
    people(1, known_at=now)
    page = signed_in(admin).get("/").content.decode()
    assert "今日の育成" in page and "はじめの4つの手順" in page and page.count("はじめる") == 3
    clock_at(began + timedelta(days=30))
    assert "はじめの4つの手順" not in signed_in(admin).get("/").content.decode()
    clock_at(began)
    Form.objects.create(slug="a", name="a", kind="inquiry", state="open", created_at=now)
    Site.objects.create(origin="https://a.example", name="a", created_at=now, last_seen_at=now)
    Sender.objects.create(name="a", email="a@example.jp", legal_name="a", postal_address="b", contact="c")
    assert "はじめの4つの手順" not in signed_in(admin).get("/").content.decode()


def test_the_figure_and_the_list_speak_of_the_same_people(people, marketer, signed_in, now):
    phases.ready_made(now)
    latent, aware, considering = (phases.phase("interest", key).id for key in ("latent", "aware", "considering"))
    ids = people(14, known_at=now)
    record(
        [
            Fact(lead, "phase_moved", clock.now() - timedelta(seconds=n), to, details={"from": latent, "to": to})
            for n, lead in enumerate(ids)
            for to in (aware, considering)  # twice each: people are counted, not moves
        ]
    )
    day = home.Day.of(clock.now())
    moves = home.moves(day, days=2)
    assert [row["lead_id"] for row in moves] == [lead for lead in ids[:12] for _twice in range(2)]
    assert {row["moved"] for row in moves} == {14} and home.counts(day)["moved"] == 14
    page = " ".join(signed_in(marketer).get("/").content.decode().split())
    assert "14名のうち新しい順に12名" in page


@pytest.mark.parametrize("role", ["marketing", "sales"])
def test_every_figure_leads_to_its_screen(role, marketer, seller, people, signed_in):
    people(1)
    client = signed_in(marketer if role == "marketing" else seller)
    tiles = re.findall(r'<div class="figure".*?</div>', client.get("/").content.decode(), re.DOTALL)
    addresses = [re.search(r'href="([^"]+)"', tile) for tile in tiles]
    assert len(tiles) == {"marketing": 6, "sales": 4}[role] and all(addresses)
    assert {client.get(address[1]).status_code for address in addresses} == {200}


def test_today_begins_at_midnight_in_tokyo(people, now):
    one, two, three = people(3)
    midnight = home.Day.of(now).since
    record(
        [
            Fact(one, "score_crossed", midnight - timedelta(seconds=1), amount=30),
            Fact(two, "score_crossed", midnight, amount=31),
            Fact(two, "score_crossed", midnight + timedelta(hours=1), amount=32),
            Fact(three, "form_submitted", now),
            Fact(three, "lead_created", now + timedelta(seconds=1)),
        ]
    )
    day = home.Day.of(now)
    assert home.counts(day) == {"leads": 0, "answers": 1, "crossed": 1, "moved": 0, "handed": 0}
    assert [(row["lead_id"], row["amount"]) for row in home.moves(day)] == [(three, None), (two, 32), (two, 31)]


def test_marketing_sees_what_moved(people, marketer, signed_in, now):
    (lead,) = people(1, last_name="髙橋", known_at=now)
    record([Fact(lead, "score_crossed", clock.now(), amount=42)])
    page = signed_in(marketer).get("/").content.decode()
    assert "今日の育成" in page
    assert "髙橋" in page


def test_a_person_stands_once_with_all_that_happened(people, marketer, signed_in, now):
    (lead,) = people(1, last_name="髙橋")
    phases.ready_made(now)
    reached = [phases.phase(model, key).id for model, key in (("interest", "aware"), ("working", "connected"))]
    latent = phases.phase("interest", "latent").id
    moves = [Fact(lead, "phase_moved", clock.now(), phase, details={"from": latent, "to": phase}) for phase in reached]
    first = Fact(lead, "phase_moved", clock.now(), latent, details={"to": latent})
    record([first, *moves])
    record([Fact(lead, "score_crossed", clock.now(), amount=42)])
    page = signed_in(marketer).get("/").content.decode()
    assert page.count("髙橋") == 1
    assert "顕在" in page and "42 点" in " ".join(page.split())
    assert "接触済み" not in page  # the other models' moves follow from the same acts
    assert "潜在" not in page  # where one begins is no move


def test_sales_sees_the_desk_and_its_clock(people, seller, signed_in, now):
    (lead,) = people(1, last_name="渡邉")
    assert handovers.hand_over(lead, cause="スコアが30点に到達", now=now)
    page = signed_in(seller).get("/").content.decode()
    assert "今日の営業" in page
    assert "渡邉" in page
    assert "スコアが30点に到達" in page


def test_health_names_what_is_ill(admin, signed_in):
    page = signed_in(admin).get("/settings/health/").content.decode()
    assert "PostgreSQL" in page
    assert "計測サーバーが応答しません" in page


@pytest.mark.parametrize("path", ["/nowhere/", "/settings/nowhere/"])
def test_a_missing_page_speaks_the_readers_language(path, client, db):
    client.post("/language/", {"language": "en"})
    page = client.get(path)
    assert page.status_code == 404
    assert "Page not found" in page.content.decode()
