"""The ready-made phase models: a lead walks forward and back by its own acts, and by time."""

from datetime import timedelta

from hagukumi.judge.phases import services as phases
from hagukumi.judge.scoring import services as scoring
from hagukumi.judge.segments import services as segments
from hagukumi.kit import sql as named
from hagukumi.ledger.services import Fact, record
from hagukumi.worker.heart import beat, settle


def made(now):
    return segments.ready_made(now), scoring.ready_made(now), phases.ready_made(now)


def test_every_statement_prepares(db):
    assert named.prepare_all() > 30


def test_ready_made_is_idempotent(db, now):
    assert made(now) == (3, 1, 2)
    assert made(now) == (0, 0, 0)


def test_a_lead_walks(db, now, people):
    made(now)
    (lead,) = people(1)
    settle(now)
    assert phases.standing(lead)["key"] == "latent"
    for minute in range(3):
        record([Fact(lead, "page_view", now + timedelta(minutes=minute))])
    at = now + timedelta(minutes=5)
    settle(at)
    assert phases.standing(lead)["key"] == "aware"
    record([Fact(lead, "content_downloaded", at)])
    settle(at)
    assert phases.standing(lead)["key"] == "considering"
    later = at + timedelta(days=60, hours=1)
    settle(later)
    assert phases.standing(lead)["key"] == "aware"
    settle(later + timedelta(days=30, hours=1))
    assert phases.standing(lead)["key"] == "latent"
    quiet = beat(later + timedelta(days=31)).changed
    assert not any(quiet[step] for step in ("segments", "scoring", "phases"))
