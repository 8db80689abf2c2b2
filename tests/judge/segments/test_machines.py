"""What a security gateway clicks is in the ledger, but moves nobody."""

from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.judge.segments import services as segments
from hagukumi.ledger.services import Fact, record

pytestmark = pytest.mark.django_db
CLICKED = {"type": "activity", "kinds": ["mail_clicked"]}


def members(tree, now):
    with connection.cursor() as cursor:
        cursor.execute(segments.members_sql(tree, now).as_string(None))
        return {row[0] for row in cursor.fetchall()}


def test_a_click_that_looks_like_a_machines_does_not_count(people, now):
    person, gateway, both = people(3)
    before = now - timedelta(hours=1)
    record(
        [
            Fact(person, "mail_clicked", before, 1),
            Fact(gateway, "mail_clicked", before, 1, details={"by": "suspect"}),
            Fact(both, "mail_clicked", before, 1, details={"by": "suspect"}),
            Fact(both, "mail_clicked", before, 1, details={"url": "https://www.example.co.jp/"}),
        ]
    )
    assert members(CLICKED, now) == {person, both}
    assert members({**CLICKED, "at_least": 2}, now) == set()
