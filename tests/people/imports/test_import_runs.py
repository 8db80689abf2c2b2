"""How an import ends: done, cancelled, failed; what is left of it, and what others see meanwhile."""

import json
import time
from datetime import timedelta

import pytest
from django.db import connection

from hagukumi.kit.tables import TableError
from hagukumi.ledger.models import Activity
from hagukumi.people.consent import services as consent
from hagukumi.people.identity import intake
from hagukumi.people.imports import command, jobs, running
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import Import, ImportReject
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import services as sources
from hagukumi.people.sources.models import Source

HEAD = "お名前,御社名,メール\r\n"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_ledger(transactional_db):
    """The flush between committing tests knows only what Django manages; the ledger is SQL's."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE activity")


@pytest.fixture
def drafted(tmp_path, now, settings):
    settings.MEDIA_ROOT = tmp_path / "home"

    def make(rows: int, head: str = HEAD) -> Import:
        path = tmp_path / "a.csv"
        path.write_text(head + "".join(f"山田 花{n},青葉{n % 50},y{n}@example.jp\r\n" for n in range(rows)))
        source = sources.find_or_make("展示会", now=now)
        return imports.draft(path, file_name="a.csv", source=source, basis="card", user_id=None, now=now)

    return make


def nothing_left() -> bool:
    return not (Lead.objects.exists() or Activity.objects.exists() or ImportReject.objects.exists())


def test_a_job_takes_the_file_in_and_a_repeat_finds_it_done(drafted):
    item = drafted(30)
    Import.objects.filter(id=item.id).update(state="queued")
    jobs.run_import(item.id)
    jobs.run_import(item.id)
    item.refresh_from_db()
    assert (item.state, item.rows, item.created, item.done_rows) == ("done", 30, 30, 30)
    assert Lead.objects.count() == 30


def test_start_defers_one_job(drafted, now):
    item = drafted(1)
    assert imports.start(item, now) is True
    assert imports.start(item, now) is False
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args FROM procrastinate_jobs")
        assert [(name, json.loads(args)) for name, args in cursor.fetchall()] == [
            ("leads.run_import", {"import_id": item.id})
        ]


def test_cancelling_leaves_nothing_behind(drafted, monkeypatch, now):
    """The wish comes while the second batch is being merged: the first is rolled back with it."""
    from hagukumi.kit import tables

    item = drafted(400)
    batches = tables.Table.batches
    monkeypatch.setattr(tables.Table, "batches", lambda self, rows=100: batches(self, 100))
    merged = []
    merge = intake.merge

    def slow(rows, terms):
        counts = merge(rows, terms)
        merged.append(counts.created)
        if len(merged) == 2:
            _ask_from_elsewhere(item.id, now)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(30)")
        return counts

    monkeypatch.setattr(intake, "merge", slow)
    item = imports.run(item.id)
    assert merged == [100, 100]
    assert (item.state, item.rows, item.created) == ("cancelled", 0, 0)
    assert nothing_left()


def _ask_from_elsewhere(import_id, now):
    import threading

    def ask():
        try:
            assert imports.ask_cancel(import_id, now)
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()


def test_what_waits_is_cancelled_at_once(drafted, now):
    item = drafted(3)
    assert imports.ask_cancel(item.id, now) is True
    assert imports.run(item.id).state == "cancelled"
    assert imports.ask_cancel(item.id, now) is False
    assert nothing_left()


def test_progress_is_seen_from_outside_while_the_merge_is_open(drafted, monkeypatch):
    item = drafted(50)
    seen = []

    def stopped(watch):
        time.sleep(0.8)  # the watch looks every 0.3 s
        seen.append(_from_elsewhere(item.id))
        stop(watch)

    stop = running._Watch.stop
    monkeypatch.setattr(running._Watch, "stop", stopped)
    imports.run(item.id)
    assert seen[0] == ("running", 50, 50, 0)


def _from_elsewhere(import_id):
    import threading

    found = []

    def look():
        try:
            row = Import.objects.get(id=import_id)
            found.append((row.state, row.done_rows, row.rows, Lead.objects.count()))
        finally:
            connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found[0]


def test_a_break_in_the_middle_leaves_nothing_and_says_so(drafted, monkeypatch):
    def broken(rows, terms):
        merge(rows, terms)
        raise RuntimeError("out of luck")

    merge = intake.merge
    monkeypatch.setattr(intake, "merge", broken)
    item = imports.run(drafted(5).id)
    assert (item.state, item.message) == ("failed", {"code": "broken", "detail": "RuntimeError"})
    assert nothing_left()


def test_the_command_ends_with_one_line_of_counts(tmp_path, capsys, settings):
    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "cards.csv"
    path.write_bytes((HEAD + "髙橋 ①,㈱青葉,t@example.jp\r\n佐藤 花子,青葉,だめ\r\n").encode("cp932"))
    assert command.import_file(path, source_name="名刺", as_json=True) == 0
    out, err = capsys.readouterr()
    counts = json.loads(out.splitlines()[-1])
    assert {key: counts[key] for key in ("rows", "created", "updated", "unchanged", "rejected")} == {
        "rows": 2,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
    }
    assert "3 行目「メール」: メールアドレスの形が正しくありません。" in err


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", {}, "ファイルが空です"),
        (
            (HEAD + "山田,青葉,a@example.jp\r\n").encode("cp932"),
            {"encoding": "utf-8"},
            "1 行目が文字コード utf-8 として読めません",
        ),
        (b"y@example.jp,03-1234-5678\r\n", {}, "1 行目に見出しがありません"),
        (b"x" * 50_000_000, {}, "1 行目が長すぎます"),
        ("色,形\r\n赤,丸\r\n".encode(), {}, "列を見つけられません"),
    ],
)
def test_the_command_refuses_in_one_sentence(tmp_path, capsys, settings, content, options, words):
    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "cards.csv"
    path.write_bytes(content)
    assert command.import_file(path, source_name="名刺", **options) == 1
    out, err = capsys.readouterr()
    assert words in err and len(err.strip().splitlines()) == 1 and out == ""
    assert Lead.objects.count() == 0


@pytest.mark.parametrize("basis", ["optin", "card", "relation"])
def test_a_file_never_takes_a_stop_back_and_says_whom_it_left_out(drafted, tmp_path, now, capsys, basis):
    imports.run(drafted(3).id)
    stopped = Lead.objects.get(email="y1@example.jp")
    consent.withdraw(stopped.pk, address=stopped.email, reason="unsubscribe", evidence="リンク", now=now)
    consent.withdraw(stopped.pk, address="Y2@example.jp", reason="unsubscribe", evidence="前の会社で", now=now)
    item = drafted(3)
    Import.objects.filter(id=item.id).update(basis=basis)
    item = imports.run(item.id)
    assert (item.state, item.rows, item.stopped) == ("done", 3, 2)
    may_mail = [consent.standing(lead.pk, lead.email).may_mail for lead in Lead.objects.order_by("email")]
    assert may_mail == [True, False, False]


def test_the_command_says_how_many_stay_stopped(drafted, tmp_path, now, capsys):
    imports.run(drafted(2).id)
    stopped = Lead.objects.get(email="y1@example.jp")
    consent.withdraw(stopped.pk, address=stopped.email, reason="unsubscribe", evidence="リンク", now=now)
    Source.objects.update(consent_basis="optin")
    assert command.import_file(tmp_path / "a.csv", source_name="展示会") == 0
    assert "配信停止のまま: 1 名" in capsys.readouterr().out


def test_uploaded_files_go_after_their_days_and_what_came_of_them_stays(tmp_path, now):
    ended = now - timedelta(days=30)
    made = {}
    for name, state, at in (
        ("over", "done", ended - timedelta(microseconds=1)),
        ("kept", "done", ended),
        ("draft", "draft", ended - timedelta(days=1)),
        ("running", "running", ended - timedelta(days=1)),
    ):
        path = tmp_path / f"{name}.csv"
        path.write_text("x")
        made[name] = Import.objects.create(
            file_name=name, path=str(path), state=state, created_at=at, ended_at=at if state == "done" else None
        )
    assert imports.forget_uploads(now) == 2
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["kept", "running"]
    assert dict(Import.objects.values_list("file_name", "path"))["over"] == ""
    with pytest.raises(TableError) as gone:
        imports.open_import(Import.objects.get(pk=made["over"].pk))
    assert gone.value.code == "missing_file"
    assert imports.forget_uploads(now) == 0
