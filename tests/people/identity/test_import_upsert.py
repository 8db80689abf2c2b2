"""The small door: forms, API and clicks resolve people by the same rules as files."""

import pytest
from django.db import connection, transaction

from hagukumi.ledger.models import Activity
from hagukumi.people.identity import intake
from hagukumi.people.identity import services as identity
from hagukumi.people.identity.intake import RowError
from hagukumi.people.identity.queries import INTAKE as SQL
from hagukumi.people.leads.models import Lead, LeadIdentity

pytestmark = pytest.mark.django_db


def upsert(rows, now, **options):
    return identity.upsert_people(rows, source_id=None, basis="", now=now, **options)


def test_people_are_made_and_found_again_in_order(now):
    rows = [{"email": f"P{n}@example.jp", "last_name": "山田", "fields": {"size": 5}} for n in range(3)]
    ids = upsert(rows, now)
    assert len(set(ids)) == 3
    assert upsert(list(reversed(rows)), now) == list(reversed(ids))
    assert Lead.objects.filter(fields={"size": 5}).count() == 3
    assert Activity.objects.count() == 3


def test_empty_values_are_filled_and_kept_unless_replaced(now):
    [lead_id] = upsert([{"email": "a@example.jp", "title": "課長"}], now)
    upsert([{"email": "a@example.jp", "title": "部長", "department": "営業部"}], now)
    assert Lead.objects.values_list("title", "department").get() == ("課長", "営業部")
    assert upsert([{"email": "a@example.jp", "title": "部長", "department": ""}], now, replace=True) == [lead_id]
    assert Lead.objects.values_list("title", "department", "rank").get() == ("部長", "営業部", "manager")


def test_a_visitor_with_an_address_becomes_known(now):
    visitor = Lead.objects.create(created_at=now, updated_at=now)
    LeadIdentity.objects.create(kind="email", value="v@example.jp", lead_id=visitor.lead_id)
    assert upsert([{"email": "v@example.jp", "last_name": "山田"}], now) == [visitor.lead_id]
    assert Lead.objects.values_list("last_name", "known_at").get() == ("山田", now)


def test_facts_that_wait_in_a_beat_are_not_lost(now, people):
    from django.db import connection, transaction

    from hagukumi.ledger import services as ledger

    [lead_id] = people(1)
    with transaction.atomic():
        ledger.open_beat_tables()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO fact (lead_id, at, kind) VALUES (%s, %s, 34)", [lead_id, now])
        upsert([{"email": "a@example.jp"}], now)
        ledger.record_pending()
    assert Activity.objects.filter(kind=34).count() == 1


@pytest.mark.parametrize(
    ("row", "reason"), [({"email": "nonsense"}, "bad_email"), ({"last_name": "山田"}, "no_identity")]
)
def test_a_row_that_cannot_be_taken_is_named_and_nothing_is_written(now, row, reason):
    with pytest.raises(RowError) as refused:
        upsert([{"email": "ok@example.jp"}, row], now)
    assert (refused.value.index, refused.value.reason, Lead.objects.count()) == (1, reason, 0)


def test_the_planner_is_told_when_it_takes_a_full_table_for_empty(people):
    """Autovacuum that looks at an open import counts its rows as none; plans made for that never end."""
    people(2000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_class SET reltuples = 0 WHERE oid = 'lead'::regclass")
        intake.sound_statistics()
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'lead'::regclass")
        assert cursor.fetchone()[0] == 2000


def test_nobody_is_nothing(now):
    assert upsert([], now) == []


@pytest.mark.django_db(transaction=True)
def test_the_planner_is_told_again_what_a_killed_import_took_away():
    """Its column statistics go with its transaction; the row counts, which PostgreSQL writes at once, stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited) FROM pg_stats"
            " WHERE schemaname = current_schema AND tablename = 'lead'"
        )
        with pytest.raises(RuntimeError, match="killed"), transaction.atomic():
            cursor.execute(
                "INSERT INTO lead (email, created_at, updated_at)"
                " SELECT 'a' || n || '@example.co.jp', now(), now() FROM generate_series(1, 3000) n"
            )
            cursor.execute("ANALYZE lead")
            raise RuntimeError("killed")
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'lead'::regclass")
        assert cursor.fetchone() == (3000,)
        assert "lead" in {row["relname"] for row in SQL.misjudged.rows()}
        with transaction.atomic():
            cursor.execute(
                "INSERT INTO lead (email, created_at, updated_at)"
                " SELECT 'a' || n || '@example.co.jp', now(), now() FROM generate_series(1, 3000) n"
            )
            intake.sound_statistics()
            assert "lead" not in {row["relname"] for row in SQL.misjudged.rows()}
