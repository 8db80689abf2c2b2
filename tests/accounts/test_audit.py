"""The audit log: who, when, from where, from what to what; only added to; searched and taken out."""

import csv
import io

import pytest
from django.db import DatabaseError, connection, transaction

from hagukumi.accounts import audit, services
from hagukumi.accounts.models import AuditEntry


def test_an_entry_says_who_when_from_where_and_from_what_to_what(admin, seller, signed_in, now):
    inside = signed_in(admin)
    inside.post(f"/settings/members/{seller.pk}/role/", {"role": "marketing"}, REMOTE_ADDR="203.0.113.9")
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.door, entry.origin, entry.action) == (
        admin,
        "screen",
        "203.0.113.9",
        "member.role_changed",
    )
    assert entry.details == {"changes": {"role": ["sales", "marketing"]}}


def test_each_door_is_named_and_left_again(admin, now):
    with audit.acting(audit.Actor("command", origin="hanako")):
        audit.record("x.done", "x", 1, now)
        with audit.acting(audit.Actor("api", user_id=admin.pk)):
            audit.record("x.done", "x", 2, now)
        audit.record("x.done", "x", 3, now)
    audit.record("x.done", "x", 4, now)
    found = AuditEntry.objects.order_by("id").values_list("door", "user_id", "origin")
    assert list(found) == [
        ("command", None, "hanako"),
        ("api", admin.pk, ""),
        ("command", None, "hanako"),
        ("system", None, ""),
    ]


def test_the_next_request_does_not_inherit_the_last_ones_actor(admin, signed_in, now):
    signed_in(admin).get("/settings/audit.csv")
    assert audit.present() == audit.SYSTEM


def test_only_what_differs_is_kept_and_long_or_strange_texts_are_cut(db, now):
    changes = {"name": ("若葉", "青葉"), "cap": (1, 1), "text": ("", "あ" * 900)}
    entry = audit.record("x.saved", "x", "9" * 200, now, changes=changes, note="a\x00b")
    entry.refresh_from_db()
    assert list(entry.details["changes"]) == ["name", "text"]
    assert len(entry.details["changes"]["text"][1]) == 500
    assert entry.details["note"] == "ab" and len(entry.object_id) == 60


@pytest.mark.parametrize(
    "attack", ["UPDATE audit_entry SET origin = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry CASCADE"]
)
def test_nothing_that_was_written_can_be_changed_or_taken_away(attack, db, now):
    with connection.cursor() as cursor:  # as it is outside the tests, which empty every table between them
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_kept_whole; SET CONSTRAINTS ALL IMMEDIATE")
        audit.record("x.done", "x", 1, now)
        with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
            cursor.execute(attack)
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_kept_whole")
    assert AuditEntry.objects.get().origin == ""


def test_the_log_is_searched(admin, marketer, signed_in, now):
    with audit.acting(audit.Actor("screen", user_id=marketer.pk, origin="203.0.113.9")):
        audit.record("form.saved", "form", 7, now, name="資料請求")
    services.audit(admin, "segment.saved", "segment", 8, now, name="役員")
    inside = signed_in(admin)

    def shown(**asked):
        page = inside.get("/settings/audit/", asked).content.decode().split("<tbody>")
        return {name for name in ("資料請求", "役員") if name in page[-1]} if len(page) > 1 else set()

    both = {"資料請求", "役員"}
    assert shown() == both
    assert shown(who=marketer.pk) == {"資料請求"}
    assert shown(action="segment.saved") == {"役員"}
    assert shown(door="screen") == shown(q="203.0.113.9") == shown(q="資料") == {"資料請求"}
    assert shown(first="2026-11-20", last="2026-11-20") == both
    assert shown(first="2026-11-21") == shown(last="2026-11-19") == set()
    assert shown(who="x", action="x", door="x", first="x", before="x") == both


def test_a_day_of_the_search_is_a_day_in_tokyo(admin, signed_in, now):
    services.audit(admin, "form.saved", "form", 7, now.replace(day=19, hour=15, minute=0), name="零時")
    services.audit(admin, "form.saved", "form", 7, now.replace(day=19, hour=14, minute=59), name="前日")
    page = signed_in(admin).get("/settings/audit/", {"first": "2026-11-20"}).content.decode()
    assert "零時" in page and "前日" not in page


def test_it_is_taken_out_as_csv_and_that_is_an_entry_too(admin, signed_in, now):
    with audit.acting(audit.Actor("screen", user_id=admin.pk, origin="203.0.113.9")):
        audit.record("form.saved", "form", 7, now, name="=cmd()")
        audit.record("segment.saved", "segment", 7, now)
    answer = signed_in(admin).get("/settings/audit.csv", {"action": "form.saved"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(row["at"], row["who"], row["origin"], row["name"]) for row in rows] == [
        ("2026-11-20T10:00:00+09:00", "管理 花子", "203.0.113.9", "'=cmd()")
    ]
    entry = AuditEntry.objects.latest("id")
    assert entry.action == "audit.exported"
    assert entry.details == {"count": 1, "filter": {"action": "form.saved"}}
