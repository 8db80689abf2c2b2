"""Each role lands on today's work, and the numbers there are the ledger's."""

from datetime import timedelta

import pytest

from hagukumi.judge.phases import services as phases
from hagukumi.kit import clock
from hagukumi.ledger.services import Fact, record
from hagukumi.overview.homes import reads as home
from hagukumi.sales.handovers import services as handovers


def test_a_new_house_shows_its_first_steps(admin, signed_in):
    page = signed_in(admin).get("/").content.decode()
    assert "はじめの4つの手順" in page
    assert 'href="/imports/"' in page


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
