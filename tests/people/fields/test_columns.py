"""One line makes a column: every door knows it, and all doors judge a value alike."""

import csv
import io
import json
import os
import subprocess
import sys
import textwrap

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, models

from hagukumi.collect.forms import rules as form_rules
from hagukumi.judge.segments import rules as segment_rules
from hagukumi.judge.segments import services as segments
from hagukumi.kit import answers
from hagukumi.kit.columns import COLUMNS, TYPED, ColumnError
from hagukumi.people.fields import mapping, profile
from hagukumi.people.identity import services as identity
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import ImportNotice, ImportReject
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import services as sources

GOOD = {
    "text": ("営業 一課", "営業 一課"),
    "area": ("一行目\n二行目", "一行目\n二行目"),
    "kana": ("やまだ", "ヤマダ"),
    "email": ("Ｔａｒｏ@Example.JP", "taro@example.jp"),
    "phone": ("０３-1234-5678", "+81312345678"),
    "postal_code": ("1000001", "100-0001"),
    "prefecture": ("東京", "東京都"),
    "choice": ("exec", "exec"),
    "number": ("1,200名", 1200),
}
"""Type -> what somebody types, and what is stored of it."""
BAD = {
    "email": "だめ", "phone": "9.01235E+10", "postal_code": "12", "prefecture": "カリフォルニア", "choice": "boss",
    "number": "多数",
}  # fmt: skip


def only(line):
    return {"email": "a@example.jp", line.key: GOOD[line.type][0]}


@pytest.mark.parametrize("line", COLUMNS.values(), ids=COLUMNS)
def test_the_database_holds_what_the_table_says(line):
    field = Lead._meta.get_field(line.key)
    assert isinstance(field, models.IntegerField if line.type == "number" else models.CharField | models.TextField)
    assert line.type in ("area", "number") or field.max_length == line.limit


@pytest.mark.parametrize("line", TYPED, ids=lambda line: line.key)
def test_every_column_comes_in_and_goes_out_by_every_door(line, db, now, call, signed_in, admin, tmp_path, settings):
    typed, stored = GOOD[line.type]
    settings.MEDIA_ROOT = tmp_path
    address = "taro@example.jp" if line.key == "email" else "a@example.jp"

    def value():
        return getattr(Lead.objects.get(email=address), line.key)

    # a file, by either of its labels
    for language in ("ja", "en"):
        Lead.objects.all().delete()
        connection.cursor().execute("DELETE FROM lead_identity")
        file = io.StringIO()
        sheet = csv.writer(file)
        head = [line.label(language)] if line.key == "email" else [line.label(language), "メールアドレス"]
        sheet.writerows([head, [typed, "a@example.jp"][: len(head)]])
        path = tmp_path / "a.csv"
        path.write_text(file.getvalue(), newline="")
        source = sources.find_or_make("名刺", now=now)
        item = imports.draft(path, file_name="a.csv", source=source, basis="", user_id=None, now=now)
        assert imports.run(item.id).created == 1
        assert value() == stored
    # the lead's page
    lead = Lead.objects.get()
    assert profile.COLUMNS[line.key].clean(typed) == stored
    if line.key != "email":
        leads.edit(lead.lead_id, {line.key: ""}, user_id=None, now=now)
        assert value() in ("", None)
        leads.edit(lead.lead_id, {line.key: typed}, user_id=None, now=now)
        assert value() == stored
    # a condition
    column = segment_rules.COLUMNS[line.key]
    tree = {"type": "field", "field": line.key, "op": "is", "value": stored}
    assert column.label("ja") == line.ja
    with connection.cursor() as cursor:
        cursor.execute(segments.members_sql(tree, now).as_string(None))
        assert cursor.fetchall() == [(lead.lead_id,)]
    # the export
    body = signed_in(admin).get("/leads/export/").content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(body)))
    assert mapping.suggest(list(row))[line.ja] == line.key
    assert line.clean(row[line.ja]) == stored
    # the API, out and in
    assert call("get", f"/leads/{lead.lead_id}").json()[line.key] == stored
    if line.key != "email":
        assert call("post", "/leads", {"email": address, line.key: None}).json()[line.key] in ("", None)
        given = 1200 if line.type == "number" else typed
        assert call("post", "/leads", {"email": address, line.key: given}).json()[line.key] == stored
    # a form
    question = form_rules.question(line.key)
    form = answers.Definition(title_ja="x", fields=(question,))
    outcome = answers.validate(form, {question.key: typed, "_started": answers.started_token(1, 0)}, "ja", at=60)
    assert outcome.ok and (question.label_ja, question.maps_to) == (line.ja, line.key)
    (found,) = identity.upsert_people(
        [{"email": address, **answers.lead_row(form, outcome.values)}], source_id=None, basis="", now=now, replace=True
    )
    assert found == lead.lead_id and value() == stored


@pytest.mark.parametrize("line", [line for line in TYPED if line.type in BAD], ids=lambda line: line.key)
def test_a_value_that_a_column_cannot_hold_enters_by_no_door(line, db, now, call, tmp_path, settings, people):
    bad = BAD[line.type]
    settings.MEDIA_ROOT = tmp_path
    with pytest.raises(ColumnError) as refused:
        line.clean(bad)
    with pytest.raises(ValidationError):
        leads.edit(people(1)[0], {line.key: bad}, user_id=None, now=now)
    body = {"email": "b@example.jp", line.key: bad}
    answer = call("post", "/leads", body)
    assert (answer.status_code, [one["where"] for one in answer.json()["errors"]]) == (422, [f"body.{line.key}"])
    question = form_rules.question(line.key)
    form = answers.Definition(title_ja="x", fields=(question,))
    outcome = answers.validate(form, {question.key: bad, "_started": answers.started_token(1, 0)}, "ja", at=60)
    assert list(outcome.errors) == [question.key]
    with pytest.raises(identity.RowError) as stopped:
        identity.upsert_people(
            [{"last_name": "山田", "company_name": "青葉", line.key: bad}], source_id=None, basis="", now=now
        )
    assert (stopped.value.reason, stopped.value.column) == (refused.value.code, line.key)
    path = tmp_path / "a.csv"
    path.write_text(f"姓,会社名,{line.ja}\n田中,北斗,{bad}\n")
    source = sources.find_or_make("名刺", now=now)
    item = imports.run(imports.draft(path, file_name="a", source=source, basis="", user_id=None, now=now).id)
    said = [*ImportNotice.objects.filter(import_id=item.id), *ImportReject.objects.filter(import_id=item.id)]
    assert [(one.row_no, one.column, one.reason, one.value) for one in said] == [(2, line.ja, refused.value.code, bad)]
    assert bad not in {str(value) for value in Lead.objects.values_list(line.key, flat=True)}


@pytest.mark.parametrize(
    "line", [line for line in TYPED if line.limit and line.type in ("text", "area")], ids=lambda line: line.key
)
def test_limits_agree(line, db, now, call, people):
    longest, longer = "あ" * line.limit, "あ" * (line.limit + 1)
    leads.edit(people(1)[0], {line.key: longest}, user_id=None, now=now)
    assert call("post", "/leads", {"email": "b@example.jp", line.key: longest}).status_code == 201
    assert call("post", "/leads", {"email": "c@example.jp", line.key: longer}).status_code == 422
    with pytest.raises(identity.RowError, match="too_long"):
        identity.upsert_people([{"email": "d@example.jp", line.key: longer}], source_id=None, basis="", now=now)
    form = answers.Definition(title_ja="x", fields=(form_rules.question(line.key),))
    for text, ok in ((longest, True), (longer, False)):
        asked = {line.key: text, "_started": answers.started_token(1, 0)}
        assert answers.validate(form, asked, "ja", at=60).ok is ok


NEW = """
import hagukumi.kit.columns as columns
line = columns.Column("fax", "FAX番号", "Fax", "reach", "phone", 30)
columns.COLUMNS["fax"] = line
columns.TYPED = (*columns.TYPED, line)

import django
django.setup()
import json, pathlib, sys
from datetime import UTC, datetime
from django.db import connection, transaction
from hagukumi.collect.forms import rules as form_rules
from hagukumi.integrations.api.leads import LeadIn, LeadOut
from hagukumi.judge.segments import rules as segment_rules, services as segments
from hagukumi.people.identity import services as identity
from hagukumi.people.imports import services as imports
from hagukumi.people.leads import services as leads
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import services as sources
from hagukumi.overview.leads import reads

now = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
found = {}
with transaction.atomic():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE lead ADD COLUMN fax varchar(30) NOT NULL DEFAULT ''")
    path = pathlib.Path(sys.argv[1])
    path.write_text("姓,会社名,メール,FAX番号\\n山田,青葉,fax@example.jp,03-1234-5678\\n")
    source = sources.find_or_make("fax", now=now)
    item = imports.draft(path, file_name="a", source=source, basis="", user_id=None, now=now)
    found["mapping"] = item.mapping["columns"]["FAX番号"]
    row = {"email": "fax@example.jp", "fax": "03-1234-5678"}
    (lead_id,) = identity.upsert_people([row], source_id=None, basis="", now=now)
    found["stored"] = Lead.objects.get(lead_id=lead_id).fax
    leads.edit(lead_id, {"fax": "03-1234-5679"}, user_id=None, now=now)
    found["edited"] = Lead.objects.get(lead_id=lead_id).fax
    with connection.cursor() as cursor:
        tree = {"type": "field", "field": "fax", "op": "is", "value": "+81312345679"}
        cursor.execute(segments.members_sql(tree, now).as_string(None))
        found["condition"] = cursor.fetchall() == [(lead_id,)]
    found["exported"] = [row["fax"] for row in reads.export_rows(reads.Filters(q="fax@example.jp"), 9, now)] or [
        row["fax"] for row in reads.SQL.exported.rows({"ids": [lead_id], "score_model": 0, "phase_model": 0})
    ]
    found["form"] = form_rules.question("fax").label_ja
    found["api"] = "fax" in LeadIn.model_fields and "fax" in LeadOut.model_fields
    transaction.set_rollback(True)
print(json.dumps(found))
"""


@pytest.mark.django_db(transaction=True)
def test_one_line_and_one_migration_make_a_column(tmp_path, database_url):
    """A program of its own, in which the table has one more line and the database one more column."""
    program = tmp_path / "new.py"
    program.write_text(textwrap.dedent(NEW))
    environment = {**os.environ, "DATABASE_URL": database_url}
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "fax.csv")], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "mapping": "fax", "stored": "+81312345678", "edited": "+81312345679", "condition": True,
        "exported": ["+81312345679"], "form": "FAX番号", "api": True,
    }  # fmt: skip
