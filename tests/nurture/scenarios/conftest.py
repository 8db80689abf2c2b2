"""A scenario to test with: a mail, a wait, a question, and what follows from the answer."""

import pytest


@pytest.fixture
def message(db, now):
    """Makes a message that may be sent; returns its id."""
    from hagukumi.channels.mail.models import Message, Sender

    def make(name: str = "事例のご案内") -> int:
        sender, _ = Sender.objects.get_or_create(
            email="news@aoba.example.co.jp",
            defaults={
                "name": "青葉製作所", "legal_name": "株式会社青葉製作所", "postal_address": "東京都千代田区1-1",
                "contact": "03-1234-5678",
            },
        )  # fmt: skip
        return Message.objects.create(
            name=name, subject="導入事例のご紹介", mjml="こんにちは。", sender=sender, created_at=now, updated_at=now
        ).id

    return make


@pytest.fixture
def segment(db, now):
    """Makes a segment (never built: the tests say who enters); returns its id."""
    from hagukumi.judge.segments.models import Segment

    def make(name: str = "検討中") -> int:
        return Segment.objects.create(
            name=name, tree={"type": "tag", "tags": ["展示会"]}, built_at=now, created_at=now, updated_at=now
        ).id

    return make


@pytest.fixture
def put_in(now):
    """Tells the ledger that leads entered a segment, at `at`."""
    from hagukumi.ledger.services import Fact, record

    def tell(segment_id: int, lead_ids: list[int], at=None) -> None:
        record([Fact(lead_id, "segment_entered", at or now, segment_id) for lead_id in lead_ids])

    return tell


@pytest.fixture
def running(db, now):
    """Publishes a graph given as nodes and an entry; returns the scenario."""
    from hagukumi.nurture.scenarios import rules, services
    from hagukumi.nurture.scenarios.models import Scenario

    def make(entry: dict, *nodes: dict, name: str = "育成", **publish) -> Scenario:
        graph = rules.Graph.model_validate({"schema": 1, "entry": entry, "start": nodes[0]["id"], "nodes": nodes})
        scenario = services.create(name, now=now, graph=graph)
        services.publish(scenario.id, now=now, **publish)
        scenario.refresh_from_db()
        return scenario

    return make


@pytest.fixture
def tick(db):
    """One beat of the scenarios' step alone."""
    from django.db import transaction

    from hagukumi.ledger import services as ledger
    from hagukumi.nurture.scenarios import tick as module

    def beat(at, **limits) -> int:
        with transaction.atomic():
            ledger.open_beat_tables()
            ledger.take_pulses(at, 20_000)
            changed = module.step(at, **limits)
            ledger.record_pending()
        return changed

    return beat
