"""Our own export, sent back unedited, changes nothing: whatever people hold, filling or replacing."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hagukumi.kit import ja
from hagukumi.kit.columns import COLUMNS, TYPED, ColumnError
from hagukumi.ledger.models import Activity
from hagukumi.people.fields.models import Field
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
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="cp932", exclude_categories=("Cc",)), max_size=20))
"""What a Japanese keyboard writes. Rarer signs are not cleaned to the same text twice yet (a soft hyphen, U+FDFA)."""
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


@pytest.mark.parametrize("language", ["ja", "en"])
@settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(people=st.lists(st.tuples(PERSON, st.sets(TAG, max_size=3)), min_size=1, max_size=4))
def test_an_unedited_round_trip_changes_nothing(fields, now, signed_in, admin, tmp_path, language, people):
    Lead.objects.all().delete(), LeadTag.objects.all().delete()
    for number, (facts, tags) in enumerate(people):
        own = {"budget": 5.5, "trial": bool(number % 2), "place2": "多数", "x": "-"}
        lead = Lead.objects.create(**facts, fields=own, known_at=now, created_at=now, updated_at=now)
        LeadTag.objects.bulk_create(LeadTag(lead_id=lead.lead_id, tag=tag) for tag in tags)
    client = signed_in(admin)
    admin.language = language
    admin.save(update_fields=["language"])
    path = tmp_path / "own.csv"
    path.write_bytes(client.get("/leads/export/", headers={"Accept-Language": language}).content)
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
