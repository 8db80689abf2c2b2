"""Run as a program: fill a fresh house for the fault test; prints the segment's id. argv: how many people, the site."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from hagukumi.channels.mail.models import Message, Sender  # noqa: E402
from hagukumi.collect.tracking.models import Site  # noqa: E402
from hagukumi.judge.segments.models import Segment  # noqa: E402
from hagukumi.kit import clock  # noqa: E402
from hagukumi.nurture.scenarios import services  # noqa: E402
from hagukumi.nurture.scenarios.rules import Graph  # noqa: E402

PEOPLE = """
INSERT INTO lead (known_at, last_name, company_name, email, created_at, updated_at)
SELECT %(now)s, '山田', '青葉製作所', 'lead' || n || '@aoba.example.co.jp', %(now)s, %(now)s
FROM generate_series(1, %(people)s) n;
INSERT INTO lead_identity (kind, value, lead_id) SELECT 'email', email, lead_id FROM lead;
INSERT INTO consent_now (lead_id, channel, granted, basis, at)
SELECT lead_id, 'email', true, 'optin', %(now)s FROM lead;
"""


def fill(people: int, site: str) -> int:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"now": now, "people": people})
    Site.objects.create(origin=site, name="試験サイト", created_at=now)
    sender = Sender.objects.create(
        name="青葉製作所", email="news@aoba.example.co.jp", legal_name="株式会社青葉製作所",
        postal_address="東京都千代田区1-1", contact="03-1234-5678",
    )  # fmt: skip
    message = Message.objects.create(
        name="事例", subject="導入事例", mjml="こんにちは。", sender=sender, created_at=now, updated_at=now
    )
    segment = Segment.objects.create(
        name="来場者", tree={"type": "tag", "tags": ["来場"]}, built_at=now, created_at=now, updated_at=now
    )
    nodes = [
        {"id": "m1", "type": "mail", "message_id": message.id, "next": "t1"},
        {"id": "t1", "type": "tag", "tag": "送った", "next": "e1"},
        {"id": "e1", "type": "end"},
    ]
    entry = {"type": "segment", "segment_id": segment.id}
    graph = Graph.model_validate({"schema": 1, "entry": entry, "start": "m1", "nodes": nodes})
    services.publish(services.create("来場お礼", now=now, graph=graph).id, now=now)
    return segment.id


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(fill(int(sys.argv[1]), sys.argv[2]))
