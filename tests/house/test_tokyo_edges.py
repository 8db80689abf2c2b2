"""The edges of days and months in Tokyo, as literal UTC instants, in every room that counts by day or month.

A Japanese day runs from 15:00 UTC of the day before to 15:00 UTC. Nothing here is computed by the house's own clock.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import sql

from hagukumi.accounts.models import Workspace
from hagukumi.channels.broadcasts import services as broadcasts
from hagukumi.channels.mail import services as mail
from hagukumi.channels.mail.models import Message, Sender
from hagukumi.channels.mail.services import Outbox
from hagukumi.channels.outbox import rules as outbox_rules
from hagukumi.channels.outbox.models import Delivery
from hagukumi.collect.forms.models import Form
from hagukumi.collect.tracking import rollup
from hagukumi.collect.tracking.models import Drop, Inbox, RollupDue
from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.kit import clock
from hagukumi.learn.reports import reads as reports
from hagukumi.ledger.models import ActivityDay
from hagukumi.ledger.services import Fact, record
from hagukumi.nurture.scenarios.nodes.wait import Wait
from hagukumi.overview.homes import reads as homes
from hagukumi.overview.timeline import reads as timeline
from hagukumi.people.consent import services as consent
from hagukumi.people.imports import services as imports
from hagukumi.people.leads import services as leads
from hagukumi.people.sources import services as sources
from hagukumi.people.sources.models import Source
from hagukumi.sales.deals import reads as deal_reads
from hagukumi.sales.deals.models import Deal
from hagukumi.worker.heart import beat, settle

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    """`11-20 14:59:59`: that instant of 2026, UTC."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


LAST_OF_19 = at("11-19 14:59:59")  # 23:59:59 of the 19th in Tokyo
FIRST_OF_20 = at("11-19 15:00:00")  # 00:00:00 of the 20th
MORNING_OF_20 = at("11-19 23:30:00")  # 08:30 of the 20th, while UTC still has the 19th
NOON_OF_20 = at("11-20 03:00:00")
LAST_OF_20 = at("11-20 14:59:59")
FIRST_OF_21 = at("11-20 15:00:00")
LAST_OF_OCTOBER = at("10-31 14:59:59")
FIRST_OF_NOVEMBER = at("10-31 15:00:00")
LAST_OF_NOVEMBER = at("11-30 14:59:59")
FIRST_OF_DECEMBER = at("11-30 15:00:00")
THROUGH_THE_20TH = (FIRST_OF_20, MORNING_OF_20, NOON_OF_20, LAST_OF_20)
THE_20TH = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (LAST_OF_19, "2026-11-19"), (FIRST_OF_20, "2026-11-20"), (MORNING_OF_20, "2026-11-20"),
        (LAST_OF_20, "2026-11-20"), (FIRST_OF_21, "2026-11-21"), (at("12-31 15:00:00"), "2027-01-01"),
    ],
)  # fmt: skip
def test_the_clock(instant, day):
    assert str(clock.jst_date(instant)) == day


def test_the_clocks_midnight():
    assert clock.jst_midnight(THE_20TH) == FIRST_OF_20
    assert clock.jst_midnight(date(2027, 1, 1)) == at("12-31 15:00:00")


# -- homes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", THROUGH_THE_20TH)
def test_the_day_of_a_home(now):
    assert homes.Day.of(now) == homes.Day(now, THE_20TH, FIRST_OF_20, FIRST_OF_21)


def test_what_a_home_counts_today_and_what_moved(people):
    yesterday, today, tomorrow = people(3)
    facts = [(yesterday, LAST_OF_19), (today, FIRST_OF_20), (tomorrow, FIRST_OF_21)]
    record([Fact(lead, "score_crossed", instant, amount=20) for lead, instant in facts])
    record([Fact(lead, "form_submitted", instant) for lead, instant in facts])
    for now in THROUGH_THE_20TH:
        day = homes.Day.of(now)
        assert homes.counts(day) == {"leads": 0, "answers": 1, "crossed": 1, "moved": 0, "handed": 0}
        assert {row["lead_id"] for row in homes.moves(day)} == {today}
    week = homes.moves(homes.Day.of(NOON_OF_20), days=7)
    assert {row["lead_id"] for row in week} == {yesterday, today}
    record([Fact(tomorrow, "score_crossed", at("11-13 14:59:59")), Fact(today, "score_crossed", at("11-13 15:00:00"))])
    week = homes.moves(homes.Day.of(NOON_OF_20), days=7)
    assert sorted(row["at"] for row in week)[0] == at("11-13 15:00:00")


@pytest.fixture
def message(now):
    sender = Sender.objects.create(
        name="青葉", email="news@aoba.example.jp", legal_name="株式会社青葉", postal_address="東京都1-1", contact="03-1"
    )
    return Message.objects.create(name="事例", subject="x", mjml="x", sender=sender, created_at=now, updated_at=now)


def _delivery(lead, message, occurrence, **row) -> None:
    row = {"queued_at": LAST_OF_19, "due_at": LAST_OF_19, "id": Delivery.objects.count() + 1, **row}
    Delivery.objects.create(lead_id=lead, message_id=message.pk, occurrence=occurrence, **row)


@pytest.mark.parametrize("now", THROUGH_THE_20TH)
def test_the_mails_of_a_home(people, message, now):
    (lead,) = people(1)
    for number, instant in enumerate((LAST_OF_19, FIRST_OF_20, LAST_OF_20, FIRST_OF_21)):
        _delivery(lead, message, f"s{number}", state="sent", sent_at=instant)
        _delivery(lead, message, f"k{number}", state="skipped", due_at=instant)
    _delivery(lead, message, "q1", state="queued", due_at=LAST_OF_20)
    _delivery(lead, message, "q2", state="queued", due_at=FIRST_OF_21)
    (row,) = homes.sends(homes.Day.of(now))
    assert (row["sent"], row["skipped"], row["waiting"]) == (2, 2, 1)


def _deal(lead, number, **row) -> None:
    Deal.objects.create(lead_id=lead, id=number, name=f"商談{number}", stage="approach", created_at=LAST_OF_19, **row)


def test_the_months_wins_of_a_home(people):
    (lead,) = people(1)
    wins = (LAST_OF_OCTOBER, FIRST_OF_NOVEMBER, LAST_OF_NOVEMBER)
    for number, instant in enumerate(wins, 1):
        _deal(lead, number, outcome="won", closed_at=instant, amount_yen=10**number)
    for now in (FIRST_OF_NOVEMBER, at("10-31 22:00:00"), NOON_OF_20, LAST_OF_NOVEMBER):
        counts = homes.deal_counts(homes.Day.of(now))
        assert (counts["won"], counts["won_yen"]) == (2, 1100)
    assert homes.deal_counts(homes.Day.of(FIRST_OF_DECEMBER))["won"] == 0


def test_a_deal_is_overdue_from_the_midnight_after_its_day(people, seller):
    (lead,) = people(1)
    _deal(lead, 1, owner_id=seller.pk, expected_on=date(2026, 11, 19))
    for now, overdue in ((LAST_OF_19, False), (FIRST_OF_20, True), (MORNING_OF_20, True)):
        day = homes.Day.of(now)
        assert [row["is_overdue"] for row in homes.own_deals(seller.pk, day)] == [overdue]
        assert [row["is_overdue"] for row in deal_reads.open_deals(day.today)] == [overdue]


def test_a_deal_is_overdue_on_the_screen(people, seller, signed_in, clock_at):
    (lead,) = people(1)
    _deal(lead, 1, owner_id=seller.pk, expected_on=date(2026, 11, 19))
    for now, overdue in ((LAST_OF_19 - timedelta(minutes=5), False), (MORNING_OF_20, True)):
        clock_at(now)
        columns = signed_in(seller).get("/deals/").context["columns"]
        assert [row["is_overdue"] for column in columns for row in column["rows"]] == ([overdue] if columns else [])
        assert [row["is_overdue"] for row in signed_in(seller).get("/").context["deals"]] == [overdue]


def test_the_weeks_answers_and_failed_imports_of_a_home(people, now):
    from hagukumi.collect.forms.models import Submission
    from hagukumi.people.imports.models import Import

    (lead,) = people(1)
    form = Form.objects.create(slug="i", name="お問い合わせ", kind="inquiry", state="open", created_at=now)
    edges = (at("11-13 14:59:59"), at("11-13 15:00:00"), NOON_OF_20)
    for number, instant in enumerate(edges, 1):
        Submission.objects.create(
            lead_id=lead, id=number, form_id=form.pk, form_version_id=1, answers={}, at=instant,
            event_id=f"00000000-0000-0000-0000-00000000000{number}",
        )  # fmt: skip
    source = Source.objects.create(name="名刺", type="card", created_at=now)
    for instant in (at("11-12 14:59:59"), at("11-12 15:00:00")):
        Import.objects.create(file_name="a.csv", state="failed", source=source, created_at=instant)
    for instant in (MORNING_OF_20, NOON_OF_20):
        assert [row["answers"] for row in homes.answered(homes.Day.of(instant))] == [2]
        assert homes.stuck(homes.Day.of(instant))["imports"] == 1


# -- reports --------------------------------------------------------------------------------------------------

NOVEMBER = reports.Window(date(2026, 11, 1), date(2026, 11, 30))


def test_a_window_holds_whole_days_of_tokyo():
    assert NOVEMBER.params == {"first": FIRST_OF_NOVEMBER, "last": FIRST_OF_DECEMBER, "source_id": None}


@pytest.fixture
def four(people):
    """Four people who became known, were handed over and won at the four edges of November."""
    source = Source.objects.create(name="展示会", type="exhibition", created_at=LAST_OF_OCTOBER)
    edges = (LAST_OF_OCTOBER, FIRST_OF_NOVEMBER, LAST_OF_NOVEMBER, FIRST_OF_DECEMBER)
    ids = [people(1, known_at=instant, source=source)[0] for instant in edges]
    for lead, instant in zip(ids, edges, strict=True):
        kinds = ("lead_created", "handover_created", "deal_created", "deal_won")
        record([Fact(lead, kind, instant, 1, 1000 if kind == "deal_won" else None) for kind in kinds])
    return ids


def test_november_of_the_funnel_and_of_each_source(four):
    until = at("12-10 00:00:00")
    assert [step.people for step in reports.funnel(NOVEMBER, until)] == [2, 2, 2, 2, 2, 2]
    (row,) = reports.source_yield(NOVEMBER)
    assert (row["leads"], row["won"], row["won_yen"]) == (2, 2, 2000)


def test_what_happened_in_november_and_month_by_month(four):
    assert reports.happened(NOVEMBER)["deal_won"]["facts"] == 2
    months = reports.monthly(reports.Window(date(2026, 10, 1), date(2026, 12, 31)))
    found = [(str(row["month"]), row["leads"], row["mql"], row["deals"], row["won"], row["won_yen"]) for row in months]
    assert found == [
        ("2026-10-01", 1, 1, 1, 1, 1000), ("2026-11-01", 2, 2, 2, 2, 2000), ("2026-12-01", 1, 1, 1, 1, 1000)
    ]  # fmt: skip
    assert [str(row["month"]) for row in reports.monthly(NOVEMBER)] == ["2026-11-01"]


def test_the_period_that_the_report_shows_first_ends_today(seller, signed_in, clock_at, db):
    clock_at(MORNING_OF_20)
    page = signed_in(seller).get("/funnel/").content.decode()
    assert 'value="2026-11-20"' in page and 'value="2025-11-01"' in page


def test_a_plan_is_of_the_month_in_tokyo(marketer, signed_in, clock_at, db):
    from hagukumi.learn.reports.models import Plan
    from hagukumi.learn.reports.rules import STAGES

    clock_at(at("10-31 15:30:00"))
    rates = {f"rate_{stage.key}": 50 for stage in STAGES[1:]}
    signed_in(marketer).post("/plan/save/", {"target": 3, **rates})
    assert Plan.objects.get().month == date(2026, 11, 1)


# -- mail -----------------------------------------------------------------------------------------------------


def test_a_mail_belongs_to_the_month_in_which_it_was_sent(people, message):
    ids = people(4)
    edges = (LAST_OF_OCTOBER, FIRST_OF_NOVEMBER, LAST_OF_NOVEMBER, FIRST_OF_DECEMBER)
    for kind in ("mail_sent", "mail_failed"):
        record([Fact(lead, kind, instant, message.pk) for lead, instant in zip(ids, edges, strict=True)])
    found = mail.by_message_and_month(at("10-01 00:00:00"), at("12-31 00:00:00"), 20)
    assert [(str(one.month), one.sent, one.failed) for one in found] == [
        ("2026-12-01", 1, 1), ("2026-11-01", 2, 2), ("2026-10-01", 1, 1)
    ]  # fmt: skip


def test_the_months_of_the_mail_figures_begin_in_tokyo(people, message, seller, signed_in, clock_at):
    """Three months in November begin with September, whose first midnight is 15:00 UTC of the 31st of August."""
    early, first = people(2)
    record([Fact(early, "mail_sent", at("08-31 14:59:59"), message.pk)])
    record([Fact(first, "mail_sent", at("08-31 15:00:00"), message.pk)])
    for now in (at("10-31 15:30:00"), NOON_OF_20):
        clock_at(now)
        assert signed_in(seller).get("/learn/mail/?months=3").context["total"].sent == 1
    clock_at(LAST_OF_OCTOBER - timedelta(minutes=5))
    assert signed_in(seller).get("/learn/mail/?months=3").context["total"].sent == 2


def _may_go(*lead_ids) -> None:
    Workspace.objects.update_or_create(pk=1, defaults={"name": "青葉", "daily_mail_cap": 1})
    addresses = leads.addresses_sql(list(lead_ids))
    consent.grant_from(addresses, basis="card", text_id=None, evidence="", now=at("01-01 00:00:00"))


@pytest.mark.parametrize("now", THROUGH_THE_20TH)
@pytest.mark.parametrize(("sent", "counts"), [(LAST_OF_19, False), (FIRST_OF_20, True)])
def test_the_daily_cap_is_of_the_day_in_tokyo(people, message, now, sent, counts):
    """One mail a day: what went out at 23:59:59 of the 19th leaves the 20th free, what went at midnight does not."""
    (lead,) = people(1)
    _may_go(lead)
    _delivery(lead, message, "before", state="sent", sent_at=sent)
    _delivery(lead, message, "now", state="queued", due_at=now)

    segment = Segment.objects.create(name="全員", tree={}, built_at=now, created_at=now, updated_at=now)
    SegmentMember.objects.create(segment_id=segment.pk, lead_id=lead, since=now)
    shown = broadcasts.gate_preview(message.pk, segment.pk, now)
    assert (shown.going, shown.skipped) == ((0, {"wait": 1}) if counts else (1, {}))

    jobs, _judged = Outbox("test").claim(10, now)
    assert len(jobs) == (0 if counts else 1)
    if counts:
        assert Delivery.objects.get(occurrence="now").due_at == at("11-21 00:00:00")  # 09:00 of the 21st


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (LAST_OF_19, "11-20 00:00:00"), (FIRST_OF_20, "11-21 00:00:00"), (MORNING_OF_20, "11-21 00:00:00"),
        (LAST_OF_20, "11-21 00:00:00"), (FIRST_OF_21, "11-22 00:00:00"),
    ],
)  # fmt: skip
def test_what_is_over_the_cap_waits_for_nine_in_the_morning(now, morning):
    assert outbox_rules.carry_over(now) == at(morning)


# -- tracking -------------------------------------------------------------------------------------------------


def test_the_roll_up_counts_days_of_tokyo(people):
    (lead,) = people(1)
    record([Fact(lead, "page_view", instant) for instant in (LAST_OF_19, FIRST_OF_20, LAST_OF_20, FIRST_OF_21)])
    expected = {("2026-11-19", 1), ("2026-11-20", 2), ("2026-11-21", 1)}

    def counted() -> set:
        return {(str(row.day), row.count) for row in ActivityDay.objects.filter(kind=1)}

    settle(FIRST_OF_21)
    settle(FIRST_OF_21 + timedelta(minutes=1))
    assert counted() == expected
    waiting = RollupDue.objects.filter(kind=1)
    assert {str(day) for day in waiting.values_list("day", flat=True)} == {day for day, _count in expected}
    ActivityDay.objects.all().delete()
    assert rollup.redo(THE_20TH, THE_20TH, FIRST_OF_21) == 1
    due = waiting.filter(due_at__lte=FIRST_OF_21)
    assert [str(day) for day in due.values_list("day", flat=True)] == ["2026-11-20"]
    settle(FIRST_OF_21 + timedelta(minutes=2))
    assert counted() == {("2026-11-20", 2)}


def test_drops_are_counted_by_days_of_tokyo(db):
    for number, instant in enumerate((LAST_OF_19, FIRST_OF_20, LAST_OF_20, FIRST_OF_21)):
        Inbox.objects.create(
            event_id=f"00000000-0000-0000-0000-00000000000{number}", at=instant, kind="view", drop_reason="bot",
            amount=1,
        )  # fmt: skip
    beat(FIRST_OF_21)
    assert {(str(row.day), row.count) for row in Drop.objects.all()} == {
        ("2026-11-19", 1), ("2026-11-20", 2), ("2026-11-21", 1)
    }  # fmt: skip


def test_the_tracking_screens_end_with_today(marketer, signed_in, clock_at, db):
    Drop.objects.create(day=THE_20TH, reason="bot", count=7)
    clock_at(MORNING_OF_20)
    assert "7" in signed_in(marketer).get("/tracking/drops/").content.decode()
    ActivityDay.objects.create(day=THE_20TH, kind=1, object_id=0, count=5, leads=5)
    chart = signed_in(marketer).get("/tracking/pages/").context["chart"]
    assert (chart["xAxis"]["data"][-1], chart["series"][0]["data"][-1]) == ("11/20", 5)


# -- people, scenarios, files ---------------------------------------------------------------------------------


def test_conditions_on_a_date_mean_days_of_tokyo(people):
    before, first, last, after = (
        people(1, known_at=instant)[0] for instant in (LAST_OF_19, FIRST_OF_20, LAST_OF_20, FIRST_OF_21)
    )

    def members(op: str) -> set[int]:
        tree = {"type": "field", "field": "known_at", "op": op, "value": "2026-11-20"}
        return set(_ids(segments.members_sql(tree, NOON_OF_20)))

    assert members("gte") == {first, last, after}
    assert members("lte") == {before, first, last}


def _ids(select: sql.Composed) -> list[int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(select.as_string(None))
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("values", "now", "due"),
    [
        ({"time": "00:00"}, LAST_OF_19, "11-19 15:00:00"),
        ({"time": "00:00"}, at("11-19 15:00:01"), "11-20 15:00:00"),
        ({"time": "09:00"}, MORNING_OF_20, "11-20 00:00:00"),
        ({"weekdays": (4,), "time": "08:00"}, LAST_OF_19, "11-19 23:00:00"),  # Friday in Tokyo, Thursday in UTC
        ({"weekdays": (0,)}, LAST_OF_20, "11-23 01:00:00"),  # Monday at ten
    ],
)
def test_a_wait_ends_at_an_hour_of_tokyo(values, now, due):
    wait = Wait.model_validate({"id": "w", "type": "wait", "next": "e", **values})
    assert wait.due_at(now) == at(due)


def test_a_date_in_a_file_is_a_day_of_tokyo(tmp_path, settings, now):
    from hagukumi.ledger.models import Activity

    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "a.csv"
    path.write_text(
        "お名前,御社名,メール,ブースでの会話メモ,回答日時\r\n"
        "山田 太郎,青葉,a@example.jp,価格,2026/11/20\r\n"
        "山田 次郎,青葉,b@example.jp,価格,2026/11/20 8:30\r\n"
    )
    source = sources.find_or_make("展示会", now=now)
    item = imports.run(imports.draft(path, file_name="a.csv", source=source, basis="", user_id=None, now=now).id)
    assert item.created == 2, item.message
    talks = Activity.objects.exclude(kind=30).order_by("at").values_list("at", flat=True)
    assert list(talks) == [FIRST_OF_20, MORNING_OF_20]


def test_the_timeline_groups_days_of_tokyo(people):
    (lead,) = people(1)
    record([Fact(lead, "page_view", instant) for instant in (LAST_OF_19, FIRST_OF_20, LAST_OF_20, FIRST_OF_21)])
    days = timeline.timeline(lead).days
    assert [str(day.date) for day in days] == ["2026-11-21", "2026-11-20", "2026-11-19"]


def test_an_exported_file_bears_the_day_in_tokyo(seller, signed_in, clock_at, db):
    clock_at(MORNING_OF_20)
    answer = signed_in(seller).get("/leads/export/")
    assert answer["Content-Disposition"] == 'attachment; filename="leads-20261120.csv"'
