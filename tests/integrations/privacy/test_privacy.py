"""One person taken out and erased: over every table, file and spool, by every door; what is kept is said."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.accounts import services as accounts
from hagukumi.accounts.models import AuditEntry
from hagukumi.collect.forms import services as forms
from hagukumi.collect.tracking import services as tracking
from hagukumi.integrations.privacy import rules, services
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import StopKept, Suppression
from hagukumi.people.imports.models import Import, ImportReject
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.worker.heart import settle

pytestmark = pytest.mark.django_db
ADDRESS = "sato@aoba.example.co.jp"


def _tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
            " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        return {row[0] for row in cursor.fetchall()}


def test_every_table_of_the_schema_has_been_thought_of():
    """A new table fails here until `rules.TABLES` says what becomes of a person's rows in it."""
    assert _tables() - set(rules.TABLES) == set()
    assert set(rules.TABLES) - _tables() == set()


def test_every_table_with_a_lead_s_number_is_erased_by_it():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND column_name IN ('lead_id', 'merged_into') AND table_name !~ '^activity_\\d'"
        )
        owned = {row[0] for row in cursor.fetchall()}
    assert {table for table in owned if not isinstance(rules.TABLES[table], rules.Rows)} == set()


@pytest.fixture
def person(now, tmp_path, settings, people):
    """Somebody with a form answer, a merged double, visits, a stop, a reject, an upload, a line in the spool."""
    settings.HOME = tmp_path
    form = forms.create(name="資料", slug="catalog", kind="download", now=now)
    form.refresh_from_db()
    forms.set_state(form, "open", now)
    form.refresh_from_db()
    tracking.put_in_inbox("view", now=now, visitor="visitor-0001")
    given = {"company_name": "青葉", "last_name": "佐藤", "first_name": "桃江", "email": ADDRESS}
    details = {"answers": given, "consent": True, "language": "ja", "from": "203.0.113.9"}
    tracking.put_in_inbox("form", now=now, visitor="visitor-0001", object_id=form.version_id, details=details)
    settle(now)
    lead = Lead.objects.get(email=ADDRESS)
    (double,) = people(1, last_name="佐藤", email="old@aoba.example.co.jp")
    Lead.objects.filter(pk=double).update(merged_into=lead.pk)
    consent.withdraw(lead.pk, address=ADDRESS, reason="unsubscribe", evidence="リンク", now=now)
    settle(now)
    item = Import.objects.create(file_name="x.csv", path=str(tmp_path / "files/imports/x.csv"), created_at=now)
    ImportReject.objects.create(import_id=item.pk, row_no=1, raw=["佐藤", ADDRESS.upper()], reason="x")
    ImportReject.objects.create(import_id=item.pk, row_no=2, raw=["鈴木", "suzuki@aoba.example.co.jp"], reason="x")
    for folder in ("files/imports", "spool", "mailbox"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "files/imports/x.csv").write_text(f"氏名,メール\n佐藤,{ADDRESS}\n", encoding="cp932")
    (tmp_path / "files/imports/y.csv").write_text("氏名,メール\n鈴木,suzuki@aoba.example.co.jp\n", encoding="cp932")
    (tmp_path / "spool/1").write_text(f"a\tform\t{ADDRESS}\nb\tview\tsomebody-else\nc\tview\tvisitor-0001\n")
    (tmp_path / "mailbox/1.eml").write_text(f"Delivered-To: {ADDRESS}\n\nx")
    people(1)
    return lead.pk


def _everything() -> str:
    """The whole database as text, but for what may be kept."""
    with connection.cursor() as cursor:
        found = []
        for table in sorted(_tables() - {"audit_entry", "stop_kept"}):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [f"{table} {row[0]}" for row in cursor.fetchall()]
    return "\n".join(found)


def test_everything_is_exported_as_json(person, now):
    found = json.loads(json.dumps(services.export(person, now)))
    assert {ADDRESS, "old@aoba.example.co.jp"} <= {row["email"] for row in found["tables"]["lead"]} and len(
        found["tables"]["lead"]
    ) == 3
    assert {"activity", "submission", "consent", "lead_identity", "import_reject", "address_check"} <= set(
        found["tables"]
    )
    assert found["suppressed"][0]["value"] == ADDRESS
    assert "suzuki" not in json.dumps(found)


def test_nothing_of_an_erased_person_is_left_in_any_table_or_file(person, now, tmp_path):
    others = Lead.objects.exclude(pk=person).exclude(merged_into=person).count()
    done = services.erase(person, now, reason="本人の請求")
    left = _everything()
    for mark in (ADDRESS, "old@aoba", "visitor-0001", "佐藤", "桃江"):
        assert mark not in left.lower(), [line for line in left.splitlines() if mark in line.lower()]
    assert set(done.files) == {"files/imports/x.csv", "spool/1", "mailbox/1.eml"}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["1", "y.csv"]
    assert (tmp_path / "spool/1").read_text() == "b\tview\tsomebody-else\n"
    assert Lead.objects.count() == others
    with pytest.raises(services.NobodyError):
        services.erase(person, now, reason="もう一度")


def test_the_stop_outlives_the_person_by_hash(person, now, people):
    services.erase(person, now, reason="本人の請求")
    assert not Suppression.objects.filter(value=ADDRESS).exists()
    assert ADDRESS.encode() not in b"".join(bytes(one.digest) for one in StopKept.objects.all())
    (again,) = people(1, email=ADDRESS.upper())
    assert consent.standing(again, ADDRESS).suppressed == "unsubscribe"
    from psycopg import sql

    select = sql.SQL("SELECT {}::bigint AS lead_id, {}::text AS address").format(
        sql.Literal(again), sql.Literal(ADDRESS)
    )
    later = now + timedelta(days=1)
    assert consent.grant_from(select, basis="card", text_id=None, evidence="x", now=later).kept == 1
    assert not consent.standing(again, ADDRESS).may_mail
    consent.grant_from(select, basis="optin", text_id=None, evidence="本人", now=later, over_stop=True)
    assert consent.standing(again, ADDRESS).may_mail
    assert StopKept.objects.count() == 1, "the other address of theirs stays stopped"


def test_the_gate_knows_the_stop_by_its_hash(person, now, people):
    from hagukumi.channels.mail import services as mail
    from hagukumi.channels.mail.models import Message, Sender
    from hagukumi.channels.mail.outbox import Outbox
    from hagukumi.channels.outbox.models import Delivery

    services.erase(person, now, reason="本人の請求")
    (again,) = people(1, email=ADDRESS)
    sender = Sender.objects.create(
        name="x",
        email="x@example.co.jp",
        legal_name="青葉株式会社",
        postal_address="東京都千代田区丸の内1-1",
        contact="info@example.co.jp",
    )
    message = Message.objects.create(name="x", subject="x", mjml="x", sender=sender, created_at=now, updated_at=now)
    Delivery.objects.create(lead_id=again, message_id=message.pk, occurrence="x", id=1, queued_at=now, due_at=now)
    assert mail.problems(message) == []
    Outbox("test").claim(10, now)
    assert Delivery.objects.get().reason == "unsubscribed"


def test_what_was_done_is_in_the_audit_log_without_a_name(person, now):
    services.export(person, now)
    services.erase(person, now, reason="本人の請求")
    entries = list(AuditEntry.objects.filter(object_kind="lead").order_by("id"))
    assert [entry.action for entry in entries] == ["lead.exported", "lead.erased"]
    assert entries[1].details["reason"] == "本人の請求" and entries[1].details["stops_kept"] == 2
    assert ADDRESS not in str([entry.details for entry in entries])


def test_by_screen(person, signed_in, admin, marketer):
    inside = signed_in(admin)
    assert signed_in(marketer).get(f"/leads/{person}/privacy/").status_code == 403
    assert "個人データ" in inside.get(f"/leads/{person}/privacy/").content.decode()
    told = inside.post(f"/leads/{person}/privacy/export/")
    assert json.loads(told.content)["lead_id"] == person and "attachment" in told.headers["Content-Disposition"]
    for wrong in ({"number": "1", "reason": "x"}, {"number": str(person), "reason": " "}):
        assert inside.post(f"/leads/{person}/privacy/", wrong).status_code == 422
    assert Lead.objects.filter(pk=person).exists()
    assert inside.post(f"/leads/{person}/privacy/", {"number": str(person), "reason": "請求"}).status_code == 302
    assert not Lead.objects.filter(pk=person).exists()
    assert inside.get(f"/leads/{person}/privacy/").status_code == 404


def test_by_api(person, client, admin, now):
    def call(method, path, *scopes):
        plain = accounts.issue_token("x", scopes, admin, now)[1]
        return getattr(client, method)(f"/api/v1/leads/{path}", headers={"Authorization": f"Bearer {plain}"})

    assert call("get", f"{person}/everything", "leads:read").status_code == 403
    assert call("get", f"{person}/everything", "leads:erase").json()["lead_id"] == person
    assert call("delete", f"{person}?reason=x", "leads:write").status_code == 403
    assert call("delete", f"{person}", "leads:erase").status_code == 422
    assert call("delete", f"{person}?reason=x", "leads:erase").json()["stops_kept"] == 2
    assert call("delete", f"{person}?reason=x", "leads:erase").status_code == 404
    assert AuditEntry.objects.get(action="lead.erased").door == "api"
    assert not LeadIdentity.objects.filter(value=ADDRESS).exists()
