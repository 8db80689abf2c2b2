"""Thousands of made-up requests over the whole description, right and wrong ones: the API never breaks (no 5xx)."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hagukumi.accounts import services as accounts
from hagukumi.accounts.rules import SCOPES
from hagukumi.app.wsgi import application
from hagukumi.integrations.api import auth
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.ledger import services as ledger
from hagukumi.people.leads.models import Lead

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def one_transaction():
    """Requests stay inside the test's transaction, as with Django's own client: none closes the connection."""
    hooks = (request_started, request_finished)
    for hook in hooks:
        hook.disconnect(close_old_connections)
    yield
    for hook in hooks:
        hook.connect(close_old_connections)


@pytest.fixture
def caller(one_transaction, admin, people, now, monkeypatch):
    """A token that may do everything, in a house where ids from 1 on mean something."""
    monkeypatch.setattr(auth, "REQUESTS_PER_MINUTE", 10**9)
    Lead.objects.update_or_create(
        lead_id=1, defaults={"last_name": "一番", "known_at": now, "created_at": now, "updated_at": now}
    )
    ids = [1, *(lead for lead in people(3) if lead != 1)]
    ledger.record([ledger.Fact(lead, "page_view", now, object_id=1) for lead in ids])
    segment = Segment.objects.create(id=1, name="全員", tree={}, created_at=now, updated_at=now)
    SegmentMember.objects.bulk_create(SegmentMember(lead_id=lead, segment_id=segment.id, since=now) for lead in ids)
    return accounts.issue_token("schemathesis", list(SCOPES), admin, now)[1]


schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application)


@schema.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_nothing_breaks(case, caller):
    case.call_and_validate(headers={"Authorization": f"Bearer {caller}"}, checks=CHECKS)
