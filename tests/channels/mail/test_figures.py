"""Each shown number equals plain SQL over the ledger."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from hagukumi.channels.mail import services
from hagukumi.channels.mail.models import Message
from hagukumi.collect.forms import kinds as form_kinds
from hagukumi.ledger import services as ledger
from hagukumi.ledger.services import Fact

pytestmark = pytest.mark.django_db
ANSWERED = form_kinds.FORM_SUBMITTED.code


@pytest.fixture
def history(message, people, now):
    """20 mails of one message, 5 of another; opens, clicks, answers in and out of time, stops, machines, failures."""
    other = Message.objects.create(
        name="別", subject="x", mjml="x", sender=message.sender, created_at=now, updated_at=now
    )
    ids = people(22)
    start = now - timedelta(days=20)
    facts = [Fact(lead, "mail_sent", start, object_id=message.pk) for lead in ids[:20]]
    facts += [Fact(lead, "mail_sent", start, object_id=other.pk) for lead in ids[:5]]
    facts += [
        Fact(lead, "mail_failed", start, object_id=message.pk, details={"reason": "rejected"}) for lead in ids[20:]
    ]
    later = start + timedelta(hours=2)
    facts += [Fact(lead, "mail_opened", later, object_id=message.pk) for lead in [*ids[:9], *ids[:3]]]
    facts += [Fact(ids[10], "mail_opened", start, object_id=message.pk, details={"by": "suspect"})]
    facts += [Fact(lead, "mail_clicked", later, object_id=message.pk) for lead in ids[:4]]
    facts += [Fact(lead, "mail_clicked", start, object_id=message.pk, details={"by": "suspect"}) for lead in ids[11:13]]
    facts += [Fact(ids[0], "form_submitted", later + timedelta(days=6), object_id=1)]
    facts += [Fact(ids[1], "form_submitted", later + timedelta(days=8), object_id=1)]
    facts += [Fact(ids[12], "form_submitted", later, object_id=1)]
    facts += [Fact(ids[3], "unsubscribed", later, object_id=message.pk)]
    ledger.record(facts)
    return message, other


PLAIN = {
    "sent": "SELECT count(*) FROM activity WHERE kind = 10 AND object_id = %(m)s",
    "failed": "SELECT count(*) FROM activity WHERE kind = 13 AND object_id = %(m)s",
    "opened": "SELECT count(DISTINCT lead_id) FROM activity WHERE kind = 11 AND object_id = %(m)s AND details IS NULL",
    "clicked": "SELECT count(DISTINCT lead_id) FROM activity WHERE kind = 12 AND object_id = %(m)s AND details IS NULL",
    "unsubscribed": "SELECT count(DISTINCT lead_id) FROM activity WHERE kind = 14 AND object_id = %(m)s",
    "suspects": """SELECT count(*) FROM activity
        WHERE kind IN (11, 12) AND object_id = %(m)s AND details ->> 'by' = 'suspect'""",
    "converted": """SELECT count(DISTINCT c.lead_id)
        FROM activity c JOIN activity f ON f.lead_id = c.lead_id AND f.kind = 20
        AND f.at BETWEEN c.at AND c.at + interval '7 days'
        WHERE c.kind = 12 AND c.object_id = %(m)s AND c.details IS NULL""",
}


def test_the_figures_are_those_of_the_ledger(history, now):
    rows = services.by_message_and_month(now - timedelta(days=60), now, ANSWERED)
    for one in history:
        figures = services.total([row for row in rows if row.message_id == one.pk])
        for name, query in PLAIN.items():
            with connection.cursor() as cursor:
                cursor.execute(query, {"m": one.pk})
                assert getattr(figures, name) == cursor.fetchone()[0], name
    figures = services.total([row for row in rows if row.message_id == history[0].pk])
    assert (figures.sent, figures.failed, figures.opened, figures.clicked) == (20, 2, 9, 4)
    assert (figures.converted, figures.unsubscribed, figures.suspects) == (1, 1, 3)
    assert (figures.open_rate, figures.click_rate) == (9 / 20, 4 / 20)
    assert (figures.conversion_rate, figures.unsubscribe_rate) == (1 / 20, 1 / 20)


def test_the_screen_shows_them(history, signed_in, seller, monkeypatch, now):
    monkeypatch.setattr("hagukumi.kit.clock.now", lambda: now)
    page = signed_in(seller).get(reverse("mail_kpi"))
    assert page.context["total"].sent == 25
    assert "36.0%" in page.content.decode()  # 9 of 25 opened


def test_nothing_sent_has_no_rate(db, now):
    assert services.total([]).open_rate is None
