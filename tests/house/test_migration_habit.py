"""Migrations wait for nobody long, run one at a time, and come in two halves."""

import re
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

from hagukumi.app import migrate
from hagukumi.embedded.errors import StartError

FOLDER = Path(__file__).resolve().parents[2] / "src" / "hagukumi" / "migrations"
BEFORE_THE_HABIT = {
    "0001_initial", "0002_ledger", "0003_scenario_take_in", "0004_lead_search", "0005_rollup_due", "0006_import",
    "0007_enrollment_due",
}  # fmt: skip
TAKES_AWAY = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|FUNCTION|SEQUENCE|VIEW)|RENAME|SET\s+NOT\s+NULL|(?<!BEFORE )TRUNCATE)\b", re.I
)
REMOVALS = (
    operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel,
    operations.AlterModelTable,
)  # fmt: skip
ADDITIONS = (operations.AddField, operations.CreateModel)


def ours() -> dict:
    loader = MigrationLoader(None)
    return {name: one for (app, name), one in loader.disk_migrations.items() if app == "hagukumi"}


def other() -> psycopg.Connection:
    """A connection of somebody else to the same test database."""
    settings = connection.get_connection_params()
    wanted = {key: settings[key] for key in ("dbname", "user", "password", "host", "port") if settings.get(key)}
    return psycopg.connect(**wanted)


def test_the_stream_is_one_and_has_no_gap() -> None:
    names = sorted(ours())
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("name", sorted(set(ours()) - BEFORE_THE_HABIT) or ["none yet"])
def test_a_migration_is_pre_or_post(name: str) -> None:
    """`0008_pre_leads_region`: the number, the half, the room, the thing."""
    if name == "none yet":
        return
    found = migrate.HABIT.match(name)
    assert found, f"{name}: call it NNNN_pre_<room>_<thing> or NNNN_post_<room>_<thing> (ADR: migrations in halves)"
    wrong = misplaced(found["half"], ours()[name].operations)
    assert not wrong, f"{name} is `{found['half']}`, but holds {wrong}"


def misplaced(half: str, steps: list) -> list[str]:
    """What the running code could not bear (pre), or what the new code would have needed before (post)."""
    if half == "post":
        return [one.describe() for one in steps if isinstance(one, ADDITIONS)]
    return [
        one.describe()
        for one in steps
        if isinstance(one, REMOVALS) or (isinstance(one, operations.RunSQL) and TAKES_AWAY.search(str(one.sql)))
    ]


def test_taking_away_is_no_pre_and_adding_no_post() -> None:
    drop = operations.RunSQL("ALTER TABLE lead DROP COLUMN memo")
    assert misplaced("pre", [operations.RemoveField("lead", "memo")]) == ["Remove field memo from lead"]
    assert misplaced("pre", [drop]) and not misplaced("post", [drop])
    assert misplaced("post", [operations.CreateModel("Seminar", [])]) == ["Create model Seminar"]
    assert not misplaced("pre", [operations.CreateModel("Seminar", [])])


def test_the_half_before_the_new_code() -> None:
    names = ["0007_enrollment_due", "0008_pre_leads_region", "0009_post_leads_area", "0010_post_leads_old"]
    assert migrate.last_pre(names) == "0008_pre_leads_region"
    assert migrate.last_pre([*names, "0011_pre_deals_lost"]) == "0011_pre_deals_lost"


@pytest.mark.django_db(transaction=True)
def test_a_busy_table_is_given_up_and_said() -> None:
    """Somebody holds the table for hours: we ask for it a moment at a time, and let those behind us through."""
    rests: list[float] = []
    with other() as busy:
        busy.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StartError) as said:
            migrate.run(lock_seconds=0.05, tries=3, rest=rests.append)
        assert rests == [migrate.REST_SECONDS] * 2
        assert "使用中" in said.value.ja and "in use" in said.value.en
        busy.rollback()
        migrate.run(lock_seconds=0.05, tries=1, rest=rests.append)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_comes_free_is_migrated() -> None:
    with other() as busy:
        busy.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        migrate.run(lock_seconds=0.05, tries=2, rest=lambda _seconds: busy.rollback())


@pytest.mark.django_db(transaction=True)
def test_a_migration_has_limits_and_the_connection_none_after_it() -> None:
    with migrate.limits(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("5s", "30min")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0", "0")
    with migrate.limits(statement_seconds=0.05), connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_sleep(10)")


@pytest.mark.django_db(transaction=True)
def test_two_migrations_do_not_run_at_once() -> None:
    seen: list[bool] = []

    def second() -> None:
        with other() as theirs:
            theirs.autocommit = True
            seen.append(theirs.execute("SELECT pg_try_advisory_lock(%s)", [migrate._ONE_AT_A_TIME]).fetchone()[0])

    with migrate.limits():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    second()
    assert seen == [False, True]
