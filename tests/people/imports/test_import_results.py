"""How each row of a file came out: literal files, literal lines; from the command and from the screen."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import translation

from hagukumi.accounts.models import AuditEntry
from hagukumi.app import cli
from hagukumi.kit import tables
from hagukumi.people.consent import rules as consent
from hagukumi.people.consent.models import ConsentNow
from hagukumi.people.identity import intake
from hagukumi.people.imports import command, results
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import Import, ImportRow
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources.models import Source

FILE = (
    "2026年秋 名簿,,,\r\n"
    "\r\n"
    "お名前,御社名,メール,備考コード\r\n"
    "髙橋 一,㈱青葉,a@example.jp,A1\r\n"
    "佐藤 花子,青葉,だめ,A2\r\n"
    "\r\n"
    "高橋 一,㈱青葉,A@example.jp,A3\r\n"
)
"""Titles and blank rows count, as a spreadsheet counts them: the people stand in rows 4, 5 and 7."""


@pytest.fixture
def load(db, tmp_path, settings, capsys):
    """Takes a text in by the command; returns the exit code, what it said as JSON (None if nothing), and its errors."""
    settings.MEDIA_ROOT = tmp_path / "home"

    def loaded(content=FILE, **options):
        path = tmp_path / "名簿.csv"
        path.write_bytes(content.encode())
        options.setdefault("result", tmp_path / "out.csv")
        code = command.import_file(path, source_name="名刺", as_json=True, **options)
        out, err = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]) if out else None, err

    return loaded


def lines(tmp_path):
    return (tmp_path / "out.csv").read_bytes().decode("utf-8-sig").split("\r\n")


def outcomes(tmp_path):
    return [line.split(",")[1] for line in lines(tmp_path)[1:-1]]


def test_a_line_for_every_row_with_the_number_it_has_in_a_spreadsheet(load, tmp_path):
    code, told, _ = load()
    one = Lead.objects.get().pk
    assert (code, lines(tmp_path)) == (
        0,
        [
            "row,outcome,lead_id,reason",
            f"4,created,{one},",
            "5,rejected,,「メール」: メールアドレスの形が正しくありません。",
            f"7,unchanged,{one},",
            "",
        ],
    )
    assert (told["rows"], told["created"], told["unchanged"], told["rejected"]) == (3, 1, 1, 1)
    assert told["dropped"] == ["備考コード"]


def test_the_reason_is_in_the_readers_language(load, tmp_path):
    with translation.override("en"):
        load()
    assert lines(tmp_path)[2] == "5,rejected,,“メール”: This is not a mail address."


def test_a_second_time_all_is_unchanged(load, tmp_path):
    load()
    code, told, _ = load()
    assert (code, outcomes(tmp_path)) == (0, ["unchanged", "rejected", "unchanged"])
    assert (told["created"], told["updated"], told["unchanged"]) == (0, 0, 2)


HEAD = "姓,会社名,メール"


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("部署", "購買部"), ("タグ", "展示会"), ("会話メモ", "来月もう一度"), ("配信停止", "はい"), ("顧客ID", "C-7"),
        ("従業員数", "120"), ("業種", "製造業"), ("法人番号", "7000012050002"),
    ],
)  # fmt: skip
def test_a_row_whose_cells_say_something_new_is_updated_and_then_unchanged(load, tmp_path, head, cells):
    load(f"{HEAD}\r\n山田,青葉,a@example.jp\r\n森,青葉,b@example.jp\r\n")
    content = f"{HEAD},{head}\r\n山田,青葉,a@example.jp,{cells}\r\n森,青葉,b@example.jp,\r\n"
    assert load(content)[1]["updated"] == 1
    assert outcomes(tmp_path) == ["updated", "unchanged"]
    load(content)
    assert outcomes(tmp_path) == ["unchanged", "unchanged"]


def test_another_address_of_the_same_person_is_something_new(load, tmp_path):
    load(f"{HEAD}\r\n山田,青葉,a@example.jp\r\n")
    content = f"{HEAD}\r\n山田,青葉,a@example.jp; a2@example.jp\r\n"
    load(content)
    assert outcomes(tmp_path) == ["updated"]
    load(content)
    assert outcomes(tmp_path) == ["unchanged"]


def test_a_row_that_two_people_answer_to_is_rejected_with_its_reason(load, tmp_path):
    load(f"{HEAD}\r\n山田,青葉,a@example.jp\r\n山田,青葉,b@example.jp\r\n")
    load(f"{HEAD}\r\n山田,青葉,\r\n")
    assert lines(tmp_path)[1] == (
        "2,rejected,,同じ会社・氏名（または電話番号・氏名）の人が複数います。メールアドレスを足してください。"
    )


@pytest.fixture
def empty_ledger(transactional_db):
    """The flush between committing tests knows only what Django manages; the ledger is SQL's."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE activity")


def test_an_import_that_was_killed_and_taken_up_again_has_one_line_a_row(
    empty_ledger, tmp_path, settings, now, monkeypatch
):
    """Dies in the second of three batches, as by a signal: no hand is left to note that it failed."""
    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "a.csv"
    path.write_text(f"{HEAD}\n" + "".join(f"山田{n},青葉,y{n}@example.jp\n" for n in range(25)))
    batches, merge = tables.Table.batches, intake.merge
    monkeypatch.setattr(tables.Table, "batches", lambda self, rows=10: batches(self, 10))
    merged = []

    def dies(rows, terms):
        merged.append(rows.height)
        counts = merge(rows, terms)
        if len(merged) == 2:
            raise SystemExit(137)
        return counts

    monkeypatch.setattr(intake, "merge", dies)
    item = imports.draft(path, file_name="a", source=None, basis="", user_id=None, now=now)
    with pytest.raises(SystemExit):
        imports.run(item.id)
    assert (Import.objects.get().state, ImportRow.objects.count()) == ("running", 0)
    assert imports.run(item.id).state == "done"
    found = list(results.lines(item.id))
    assert [(row, outcome) for row, outcome, _lead, _why in found] == [(n + 2, "created") for n in range(25)]
    assert len({lead for _row, _outcome, lead, _why in found}) == 25


def test_columns_are_mapped_by_key_by_name_and_left_out(load, tmp_path):
    content = "氏,社,連絡先,メモ,電話\r\n山田,青葉,a@example.jp,急ぎ,03-1234-5678\r\n"
    code, told, _ = load(content, columns=["氏=last_name", "社=会社名", "連絡先=Email", "電話="])
    assert (code, told["created"], told["dropped"]) == (0, 1, ["メモ", "電話"])
    lead = Lead.objects.get()
    assert (lead.last_name, lead.company_name, lead.email, lead.phone) == ("山田", "青葉", "a@example.jp", "")


def test_a_meaning_that_somebody_gives_is_taken_from_the_column_that_had_it(load):
    content = "姓,会社名,メール,個人メール\r\n山田,青葉,info@example.jp,yamada@example.jp\r\n"
    _, told, _ = load(content, columns=["個人メール=email"])
    assert (Lead.objects.get().email, told["dropped"]) == ("yamada@example.jp", ["メール"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"columns": ["御者名=email"]},
            "「御者名」という見出しはファイルにありません。ファイルの見出し: お名前 / 御社名 / メール / 備考コード",
        ),
        ({"columns": ["メール=emial"]}, "「emial」という項目はありません"),
        ({"columns": ["メール"]}, "--map は「見出し=項目」の形で書いてください: メール"),
        ({"header_row": 2}, "2 行目に見出しがありません"),
        ({"result": "nowhere/out.csv"}, "nowhere/out.csv に結果は書けません"),
        ({"result": "名簿.csv"}, "名簿.csv に結果は書けません"),
    ],
)  # fmt: skip
def test_an_option_that_does_not_fit_is_named_and_nothing_is_made(load, tmp_path, options, words):
    if "result" in options:
        options = {"result": tmp_path / options["result"]}
    code, told, err = load(**options)
    assert code == 2 and words in err and words in told["message"] and len(err.strip().splitlines()) == 1
    assert not (Lead.objects.exists() or Import.objects.exists() or Source.objects.exists())
    assert not (tmp_path / "home").exists() and not (tmp_path / "out.csv").exists()
    assert (tmp_path / "名簿.csv").read_bytes() == FILE.encode()


def test_the_row_of_the_headings_is_counted_as_a_spreadsheet_does(load, tmp_path):
    assert load(header_row=3)[0] == 0
    assert [line.split(",")[0] for line in lines(tmp_path)[1:-1]] == ["4", "5", "7"]


def test_the_basis_that_the_command_names_is_the_basis_of_its_people(load):
    load(basis="card")
    assert list(ConsentNow.objects.values_list("basis", "granted")) == [("card", True)]
    assert Import.objects.get().basis == "card"


def test_without_a_basis_nobody_may_be_mailed_whatever_the_source_says(load, now):
    Source.objects.create(name="名刺", type="other", consent_basis="card", created_at=now)
    load(basis="")
    assert not ConsentNow.objects.exists()
    load()
    assert ConsentNow.objects.get().basis == "card"


def test_the_command_offers_the_bases_of_the_house():
    taken = cli.parser().parse_args
    for basis in ("none", *(one.key for one in consent.BASES)):
        assert taken(["import", "a.csv", "--basis", basis]).basis == basis
    with pytest.raises(SystemExit) as ended:
        taken(["import", "a.csv", "--basis", "optout"])
    assert ended.value.code == 2
    assert taken(["import", "a.csv", "--map", "a=b", "--map", "c=d"]).map == ["a=b", "c=d"]


def test_the_screen_saves_the_same_file_and_it_is_written_down(load, tmp_path, signed_in, marketer, seller):
    load()
    item = Import.objects.get()
    client = signed_in(marketer)
    page = client.get(f"/imports/{item.id}/").content.decode()
    assert "結果をCSVで保存" in page and f"/imports/{item.id}/result.csv" in page
    answer = client.get(f"/imports/{item.id}/result.csv")
    assert b"".join(answer.streaming_content) == (tmp_path / "out.csv").read_bytes()
    entries = AuditEntry.objects.filter(action="import.result_exported").order_by("id")
    assert [(one.user, one.object_id, one.details["count"]) for one in entries] == [
        (None, str(item.id), 3),
        (marketer, str(item.id), 3),
    ]
    assert signed_in(seller).get(f"/imports/{item.id}/result.csv").status_code == 403


def test_the_result_goes_with_the_file_after_its_days(load, signed_in, marketer, now):
    load()
    item = Import.objects.get()
    assert imports.forget_uploads(item.ended_at + timedelta(days=30, microseconds=1)) == 1
    assert not ImportRow.objects.exists()
    client = signed_in(marketer)
    assert "結果をCSVで保存" not in client.get(f"/imports/{item.id}/").content.decode()
    assert client.get(f"/imports/{item.id}/result.csv").status_code == 404


def test_what_became_of_an_erased_persons_row_is_forgotten(load, settings, tmp_path, now):
    from hagukumi.integrations.privacy import services as privacy

    settings.HOME = tmp_path
    load(f"{HEAD}\r\n山田,青葉,a@example.jp\r\n森,青葉,b@example.jp\r\n")
    gone = Lead.objects.get(email="a@example.jp").pk
    assert len(privacy.export(gone, now)["tables"]["import_row"]) == 1
    privacy.erase(gone, now, reason="本人の請求")
    assert list(ImportRow.objects.values_list("row_no", flat=True)) == [3]
