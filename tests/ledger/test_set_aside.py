"""A definition that breaks rests alone, is tried again after a rest that doubles, and is reinstated when it works."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from structlog.testing import capture_logs

from hagukumi.ledger import definitions, services
from hagukumi.ledger.models import Activity, SetAside
from hagukumi.ledger.services import Fact

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def fail(now, object_id=9, error="no such field: budget"):
    with definitions.turn("segment", now).attempt(object_id):
        services.record([Fact(1, "note", now)])
        raise ValueError(error)


def test_what_breaks_is_set_aside_with_its_cause_and_leaves_nothing_behind(now):
    fail(now)
    assert not Activity.objects.exists()
    assert definitions.broken("segment") == {9: "no such field: budget"}
    turn = definitions.turn("segment", now)
    assert (turn.skips(9), turn.skips(8), definitions.turn("score", now).skips(9)) == (True, False, False)


def test_the_rest_doubles_up_to_an_hour(now):
    rests = []
    for _ in range(8):
        fail(now)
        rests.append((SetAside.objects.get().retry_at - now) / MINUTE)
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]


def test_it_is_made_ready_and_tried_again_when_its_rest_is_over(now, monkeypatch):
    ready = []
    monkeypatch.setitem(definitions._OWNERS, "segment", definitions.Owner("segment", "", "", "", ready.append))
    fail(now)
    assert definitions.step(now + MINUTE - timedelta(microseconds=1)) == 0
    assert (definitions.step(now + MINUTE), ready) == (1, [9])
    turn = definitions.turn("segment", now + MINUTE)
    assert (turn.skips(9), turn.on_trial(9)) == (False, True)
    with turn.attempt(9):
        services.record([Fact(1, "note", now)])
    assert definitions.broken("segment") == {}
    assert Activity.objects.count() == 1


def test_somebody_may_ask_for_the_next_try_now(now):
    fail(now)
    assert definitions.try_again("segment", 9) is True
    assert definitions.try_again("segment", 8) is False
    assert definitions.step(now) == 1


def test_a_lost_database_is_no_fault_of_the_definition(now):
    with pytest.raises(OperationalError), definitions.turn("segment", now).attempt(9):
        raise OperationalError("server closed the connection")
    assert definitions.broken("segment") == {}


def test_the_traceback_is_told_once(now):
    with capture_logs() as told:
        fail(now)
        fail(now)
    assert [(one["log_level"], "exc_info" in one) for one in told] == [("error", True), ("warning", False)]


def test_an_administrator_asks_on_the_health_screen(admin, marketer, signed_in, now):
    fail(now)
    page = signed_in(admin).get("/settings/health/").content.decode()
    assert "no such field: budget" in page and 'href="/segments/9/"' in page
    assert signed_in(marketer).post("/settings/health/segment/9/again/").status_code == 403
    assert signed_in(admin).post("/settings/health/segment/9/again/").status_code == 302
    assert definitions.step(now) == 1
