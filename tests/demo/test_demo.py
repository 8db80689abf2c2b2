"""The demo company, small: what a year leaves behind hangs together."""

import json

import pytest
from django.db import connection
from django.db.models import Count

from hagukumi.accounts.models import User
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.tracking.models import Inbox
from hagukumi.demo import company
from hagukumi.ledger.models import Activity, Pulse, SetAside
from hagukumi.people.leads.models import Lead
from hagukumi.sales.deals.models import Deal
from hagukumi.sales.deals.rules import LOSS_REASONS
from hagukumi.sales.handovers.models import Handover

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_year_passes_and_nothing_is_left_over(now, tmp_path, settings):
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE activity"
        )  # Django's flush leaves what it does not manage: another test's sender wrote
    company.build(now, leads=60)
    assert Lead.objects.filter(known_at__isnull=False, merged_into=None).count() == 60
    assert not SetAside.objects.exists()
    assert not Pulse.objects.exists()
    assert not Inbox.objects.exists()
    assert list(Activity.objects.filter(at__gt=now).values("kind", "object_id", "details")[:4]) == []
    states = dict(Delivery.objects.values_list("state").annotate(Count("id")))
    assert set(states) <= {"sent", "failed", "skipped", "queued"}
    assert states["sent"] > 100
    assert Activity.objects.filter(kind=10).count() == states["sent"]
    assert Handover.objects.count() == Activity.objects.filter(kind=80).count()
    assert Deal.objects.filter(outcome="won").count() == Activity.objects.filter(kind=85).count()
    told = json.loads((tmp_path / "sign-in.json").read_text())
    assert [one["role"] for one in told] == ["admin", "marketing", "sales", "sales"]
    assert User.objects.get(email=told[0]["email"]).check_password(told[0]["password"])
    assert set(Deal.objects.filter(outcome="lost").values_list("reason", flat=True)) <= LOSS_REASONS.keys()
