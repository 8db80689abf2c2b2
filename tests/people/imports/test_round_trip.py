"""Our own export, sent back unedited, changes nothing: whatever people hold, filling or replacing."""

import contextlib
import csv
import io
import random
import unicodedata

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hagukumi.kit import ja
from hagukumi.kit.columns import COLUMNS, TYPED, ColumnError
from hagukumi.ledger.models import Activity
from hagukumi.people.fields.models import Field
from hagukumi.people.fields.normalise import Normaliser
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import ImportNotice
from hagukumi.people.leads.models import Lead, LeadIdentity, LeadTag
from hagukumi.people.sources import services as sources

NASTY = [
    "=1+1",
    "-A/Bテスト",
    "@IT",
    "＝SUM(A1)",
    "'=x",
    "''",
    "+ 追加で3台",
    "-",
    "N/A",
    'a"b',
    "a,b",
    "2.0",
    "0123",
    "㈱髙﨑①",
]
TEXT = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec="cp932", exclude_categories=("Cc",)), max_size=20),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20),
)
"""What a Japanese keyboard writes, and whatever else a person can type."""
KNOWN = {
    "phone": st.sampled_from(["03-1234-5678", "090-1234-5678", "+1 650-253-0000"]),
    "postal_code": st.sampled_from(["100-0001", "001-0010"]),
    "prefecture": st.sampled_from(["東京都", "北海道"]),
    "number": st.integers(0, 10**6).map(str),
    "email": st.just(""),
    "choice": st.just(""),
}


def held(line):
    def cleaned(typed):
        try:
            return line.clean(typed[: line.limit or 20])
        except ColumnError:
            return line.clean("")

    return st.one_of(st.just(line.clean("")), KNOWN.get(line.type, TEXT).map(cleaned))


PERSON = st.fixed_dictionaries({line.key: held(line) for line in TYPED})
BLANKS = ("-", "－", "―", "ー", "N/A", "n/a", "Select", "--")
"""What stands for nothing in other people's files; filling with nothing changes nothing."""
TAG = TEXT.map(lambda text: " ".join(ja.visible(text).split())[:60]).filter(bool)
"""As the verb keeps a tag."""


@pytest.fixture
def fields(db, now):
    for key, kind, label in (
        ("budget", "number", "予算"),
        ("trial", "bool", "試用"),
        ("place2", "text", "人数"),
        ("x", "text", "会社名"),
    ):
        Field.objects.create(key=key, type=kind, label_ja=label, label_en=label, choices=[], created_at=now)


def world():
    return (
        list(Lead.objects.order_by("lead_id").values()),
        sorted(LeadTag.objects.values_list("lead_id", "tag")),
        sorted(LeadIdentity.objects.values_list("kind", "value", "lead_id")),
        Activity.objects.count(),
    )


def as_workbook(body, path):
    """The export as a spreadsheet saves it that has opened it: whole numbers as numbers, everything else as text."""
    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("リード")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if number and rows[0][place] in ("育みの番号", "利用人数", "スコア") and cell:
                    sheet.write_number(number, place, int(cell))
                else:
                    sheet.write_string(number, place, cell)


@pytest.mark.parametrize(("language", "form"), [("ja", "csv"), ("en", "csv"), ("ja", "xlsx")])
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=st.lists(st.tuples(PERSON, st.sets(TAG, max_size=3)), min_size=1, max_size=4))
def test_an_unedited_round_trip_changes_nothing(fields, now, signed_in, admin, tmp_path, language, form, people):
    Lead.objects.all().delete(), LeadTag.objects.all().delete()
    for number, (facts, tags) in enumerate(people):
        own = {"budget": 5.5, "trial": bool(number % 2), "place2": "多数", "x": "-"}
        lead = Lead.objects.create(**facts, fields=own, known_at=now, created_at=now, updated_at=now)
        LeadTag.objects.bulk_create(LeadTag(lead_id=lead.lead_id, tag=tag) for tag in tags)
    client = signed_in(admin)
    admin.language = language
    admin.save(update_fields=["language"])
    path = tmp_path / f"own.{form}"
    body = client.get("/leads/export/", headers={"Accept-Language": language}).content
    if form == "xlsx":
        as_workbook(body, path)
    else:
        path.write_bytes(body)
    before = world()
    source = sources.find_or_make("戻し", now=now)
    for replace in (False, True):
        item = imports.draft(path, file_name="own.csv", source=source, basis="", user_id=None, now=now)
        imports.change_mapping(item, item.mapping["columns"], replace=replace)
        item = imports.run(item.id)
        assert item.state == "done", item.message
        assert (item.unchanged, item.rows) == (len(people), len(people))
        assert not ImportNotice.objects.filter(import_id=item.id).exists()
        assert world()[0] == before[0]
        assert world()[1] == before[1]
        assert world()[3] == before[3]


@pytest.mark.parametrize(
    "line", [line for line in TYPED if line.type in ("text", "area", "kana")], ids=lambda line: line.key
)
def test_any_text_that_a_column_holds_is_read_as_the_same_text(line):
    chance = random.Random(20261126)
    signs = [
        chr(code) for code in range(0x20, 0x30000) if unicodedata.category(chr(code)) not in ("Cc", "Cs", "Cn", "Co")
    ]
    typed = NASTY + ["".join(chance.choices(signs, k=chance.randint(1, 6))) for _ in range(4000)]
    typed += [
        mark + "a" + mark
        for mark in ("\u00ad", "\ufdfa", "\u3000", "\u00a0", "\ufeff", "\u200f", "\u2028", "\x85", "㌀")
    ]
    held = []
    for text in typed:
        with contextlib.suppress(ColumnError):
            held.append(line.clean(text[: line.limit or 20]))
    held = [text for text in held if text and text not in BLANKS]
    cells = [ja.escape_formula(text) for text in held]
    numbers = pl.Series(range(len(held)), dtype=pl.Int32)
    frame = pl.DataFrame({"row_no": numbers, "c0": cells, "c1": [f"a{n}@example.jp" for n in range(len(held))]})
    found = Normaliser([line.ja, "メール"], {line.ja: line.key, "メール": "email"})(frame)
    assert not found.rejects
    assert [pair for pair in zip(held, found.rows[line.key], strict=True) if pair[0] != pair[1]] == []


def test_an_edited_export_changes_just_what_was_edited(people, now, signed_in, admin, tmp_path):
    a, b = people(2)
    body = signed_in(admin).get("/leads/export/").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert {row["育みの番号"] for row in rows} == {str(a), str(b)}
    for row in rows:
        if row["育みの番号"] == str(a):
            row["部署"], row["メールアドレス"] = "購買部", "new@aoba.example.co.jp"
    file = io.StringIO()
    sheet = csv.DictWriter(file, list(rows[0]))
    sheet.writeheader(), sheet.writerows(rows)
    path = tmp_path / "edited.csv"
    path.write_text(file.getvalue(), newline="")
    source = sources.find_or_make("戻し", now=now)
    item = imports.draft(path, file_name="a", source=source, basis="", user_id=None, now=now)
    imports.change_mapping(item, item.mapping["columns"], replace=True)
    item = imports.run(item.id)
    assert (item.created, item.updated, item.unchanged, item.rejected) == (0, 1, 1, 0)
    assert Lead.objects.values_list("department", "email").get(lead_id=a) == ("購買部", "new@aoba.example.co.jp")
    changed = Activity.objects.filter(kind=32).values_list("lead_id", "details__field")
    assert sorted(changed) == [(a, "department"), (a, "email")]


def test_a_number_that_is_nobodys_makes_nobody(db, now, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("育みの番号,部署\n999,購買部\nabc,購買部\n")
    source = sources.find_or_make("戻し", now=now)
    item = imports.run(imports.draft(path, file_name="a", source=source, basis="", user_id=None, now=now).id)
    assert (item.created, item.rejected, Lead.objects.count()) == (0, 2, 0)


def test_beside_a_name_a_column_of_staff_is_no_name():
    from hagukumi.people.fields import mapping

    assert mapping.suggest(["姓", "名", "担当者"])["担当者"] == ""
    assert mapping.suggest(["会社名", "担当者"])["担当者"] == "full_name"
    assert all(mapping.suggest([line.ja])[line.ja] == line.key for line in COLUMNS.values() if not line.follows)
