"""The promise of sales: answered by the due time is in time, a moment later is late, and everybody can see it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hagukumi.accounts.models import Workspace
from hagukumi.kit import keyset
from hagukumi.sales.handovers import reads, services
from hagukumi.sales.handovers.models import Handover

pytestmark = pytest.mark.django_db
MADE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""Four hours of clock time later."""
SECOND = timedelta(seconds=1)


@pytest.fixture
def handed(people):
    """Hands `n` new leads over at MADE, to be answered until DUE; returns (lead_id, handover_id) of each."""
    Workspace.objects.create(name="青葉", sla_hours=4)

    def make(n: int) -> list[tuple[int, int]]:
        ids = people(n)
        assert all(services.hand_over(lead, cause="手動", now=MADE) for lead in ids)
        return [(lead, Handover.objects.get(lead_id=lead).id) for lead in ids]

    return make


@pytest.mark.parametrize(
    ("made", "hours", "due"),
    [
        (MADE, 4, DUE),
        (datetime(2026, 11, 20, 14, 30, tzinfo=UTC), 1, datetime(2026, 11, 20, 15, 30, tzinfo=UTC)),
        (datetime(2026, 11, 20, 8, 0, tzinfo=UTC), 24, datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),
        (datetime(2026, 12, 31, 14, 0, tzinfo=UTC), 48, datetime(2027, 1, 2, 14, 0, tzinfo=UTC)),
    ],
)
def test_an_answer_is_due_so_many_hours_later(people, made, hours, due):
    Workspace.objects.create(name="青葉", sla_hours=hours)
    (lead,) = people(1)
    services.hand_over(lead, cause="手動", now=made)
    assert Handover.objects.get().due_at == due


def test_an_answer_after_the_due_time_was_not_in_time(handed, seller):
    """Of six answers three came in time: the first, one a second before, and one at the very moment."""
    for (lead, number), answered in zip(
        handed(6),
        (MADE, DUE - SECOND, DUE, DUE + SECOND, DUE + timedelta(days=1), DUE + timedelta(days=2)),
        strict=True,
    ):
        if answered == DUE + timedelta(days=2):
            services.give_back(lead, number, user_id=seller.pk, reason="not_now", note="", now=answered)
        else:
            services.accept(lead, number, user_id=seller.pk, now=answered)
    counts = reads.counts(MADE, DUE + timedelta(days=3))
    assert counts == {
        "open": 0, "late": 0, "accepted": 5, "returned": 1, "in_time": 3, "answered": 6, "on_time": 0.5
    }  # fmt: skip


def test_only_answers_since_the_given_instant_are_counted(handed, seller):
    (first, one), (second, two) = handed(2)
    services.accept(first, one, user_id=seller.pk, now=DUE - 2 * SECOND)
    services.accept(second, two, user_id=seller.pk, now=DUE - SECOND)
    assert reads.counts(DUE - SECOND, DUE)["in_time"] == 1
    assert reads.counts(DUE - SECOND, DUE)["accepted"] == 1


@pytest.mark.parametrize(("at", "late"), [(MADE, False), (DUE, False), (DUE + SECOND, True)])
def test_the_desk_says_who_is_late(handed, at, late):
    handed(2)
    assert [row["is_late"] for row in reads.desk("open", at)[0]] == [late, late]
    assert reads.counts(MADE, at)["late"] == (2 if late else 0)


def test_what_was_answered_is_late_no_more(handed, seller):
    ((lead, number),) = handed(1)
    services.accept(lead, number, user_id=seller.pk, now=DUE + SECOND)
    assert [row["is_late"] for row in reads.desk("accepted", DUE + 2 * SECOND)[0]] == [False]


def test_the_most_urgent_stands_first(people):
    first, second, third = people(3)
    for lead, at in ((second, MADE), (third, MADE + SECOND), (first, MADE - SECOND)):
        services.hand_over(lead, cause="手動", now=at)
    assert [row["lead_id"] for row in reads.desk("open", MADE)[0]] == [first, second, third]


@pytest.mark.parametrize(("at", "late"), [(DUE - timedelta(minutes=1), False), (DUE + timedelta(minutes=1), True)])
def test_the_screens_show_it(handed, seller, signed_in, clock_at, at, late):
    ((lead, number),) = handed(1)
    clock_at(at)
    inside = signed_in(seller)
    desk, one, home = (inside.get(address) for address in ("/handovers/", f"/handovers/{lead}/{number}/", "/"))
    assert ("bg-red-lt" in desk.content.decode()) is late
    assert one.context["is_late"] is late
    assert ("超過" in home.content.decode().partition("<table")[2]) is late


def through(state, at):
    """Every page of the desk, as lists of handover ids."""
    pages, after = [], None
    while True:
        rows, following = reads.desk(state, at, after=after, size=2)
        pages.append([row["id"] for row in rows])
        if not (after := keyset.read(following, datetime, int)):
            return pages


def test_pages_of_those_that_wait_have_no_gap_and_no_repeat(handed):
    numbers = [number for _lead, number in handed(5)]  # all due at one instant
    assert through("open", MADE) == [numbers[:2], numbers[2:4], numbers[4:]]


def test_pages_of_the_answered_begin_with_the_last(handed, seller):
    made = handed(5)
    for place, (lead, number) in enumerate(made):
        services.accept(lead, number, user_id=seller.id, now=MADE + (place // 2) * SECOND)
    one, two, three, four, five = (number for _lead, number in made)
    assert through("accepted", MADE) == [[five, four], [three, two], [one]]


@pytest.mark.parametrize(("state", "at"), [("open", "due_at"), ("accepted", "answered_at")])
def test_a_deep_page_reads_no_more_than_the_first(state, at, db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO handover (lead_id, id, state, packet, created_at, due_at, answered_at)"
            " SELECT n, n, %s, '{}', %s, %s + n * interval '1 s', %s + n * interval '1 s'"
            " FROM generate_series(1, 20000) n",
            [state, MADE, MADE, MADE],
        )
        cursor.execute("ANALYZE handover")
        deep = MADE + timedelta(seconds=19_000 if state == "open" else 1_000)
        with CaptureQueriesContext(connection) as asked:
            reads.desk(state, MADE, after=(deep, 5))
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + asked.captured_queries[0]["sql"])
        (plan,) = cursor.fetchone()
    read = [node["Actual Rows"] for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "handover"]
    assert len(read) == 1 and read[0] <= 60


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)
