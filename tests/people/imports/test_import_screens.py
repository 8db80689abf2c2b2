"""The screens of taking in: upload, columns, start, result, rejected rows; sources."""

import csv
import io
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from hagukumi.ledger.models import Activity
from hagukumi.people.fields.models import Field
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import Import
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import services as sources
from hagukumi.people.sources.models import Source


@pytest.fixture
def client(signed_in, marketer, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return signed_in(marketer)


def upload(client, content: bytes, **form):
    data = {
        "file": SimpleUploadedFile("名刺.csv", content),
        "new-name": "展示会 2026",
        "new-type": "exhibition",
        "source": "new",
        "basis": "none",
        **form,
    }
    return client.post("/imports/new/", data)


CONTENT = "お名前,御社名,メールアドレス,備考\r\n髙橋 花子,㈱青葉,h@example.jp,急ぎ\r\n山田,青葉,だめ,=1+1\r\n".encode(
    "cp932"
)


def test_from_upload_to_result(client):
    answer = upload(client, CONTENT, basis="card", **{"new-cost_yen": "300000", "new-date": "2026-10-01"})
    item = Import.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/imports/{item.id}/")
    source = Source.objects.values("name", "type", "cost_yen").get()
    assert source == {"name": "展示会 2026", "type": "exhibition", "cost_yen": 300000}
    page = client.get(answer.url).content.decode()
    assert "髙橋" in page and "㈱青葉" in page and "メールアドレスの形が正しくありません。" in page and "部署" in page
    client.post(
        answer.url,
        {"c0": "full_name", "c1": "company_name", "c2": "email", "c3": "own", "replace": "0", "act": "start"},
    )
    item.refresh_from_db()
    assert item.state == "queued"
    assert "順番を待っています" in client.get(answer.url, headers={"HX-Request": "true"}).content.decode()
    imports.run(item.id)
    assert Lead.objects.get().fields == {Field.objects.get().key: "急ぎ"}
    page = client.get(answer.url).content.decode()
    assert "取り込めなかった行" in page
    file = client.get(f"/imports/{item.id}/rejects.csv")
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert rows == [
        ["お名前", "御社名", "メールアドレス", "備考", "元の行", "問題の列", "理由"],
        ["山田", "青葉", "だめ", "'=1+1", "3", "メールアドレス", "メールアドレスの形が正しくありません。"],
    ]
    assert "名刺.csv" in client.get("/imports/").content.decode()


class Form(HTMLParser):
    """The form `columns` of a page, as a browser fills and sends it: only what it shows can be chosen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.choices: dict[str, dict[str, str]] = {}
        self._inside, self._select, self._option = False, "", None
        self.feed(page)

    def handle_starttag(self, tag, found):
        found = dict(found)
        self._inside = self._inside or (tag == "form" and found.get("id") == "columns")
        if not self._inside:
            return
        if tag == "select":
            self._select = found["name"]
            self.choices[self._select], self.values[self._select] = {}, ""
        if tag == "option":
            self._option = found.get("value")
            self.choices[self._select][self._option] = ""
            if "selected" in found:
                self.values[self._select] = self._option
        if tag == "input" and (found.get("type") not in ("radio", "checkbox") or "checked" in found):
            self.values[found["name"]] = found.get("value", "on")

    def handle_data(self, data):
        if self._inside and self._option is not None:
            self.choices[self._select][self._option] += data

    def handle_endtag(self, tag):
        self._inside = self._inside and tag != "form"
        self._option = None if tag == "option" else self._option

    def choose(self, **chosen: str) -> dict[str, str]:
        for name, value in chosen.items():
            assert value in self.choices[name]
        return {**self.values, **chosen}


def test_what_the_page_was_told_it_still_says_at_the_next_submit(client):
    content = "氏名,会社名,メール,設問1,予算1,設問2\r\n列衝突 一,列衝突社,own1@example.jp,満足,300万円,普通\r\n"
    address = upload(client, content.encode()).url
    for name in ("c3", "c4", "c5"):
        form = Form(client.get(address).content.decode())
        assert client.post(address, form.choose(**{name: "own"})).status_code == 302
    form = Form(client.get(address).content.decode())
    assert [form.choices[name][form.values[name]].strip() for name in ("c3", "c4", "c5")] == ["設問1", "予算1", "設問2"]
    client.post(address, {**form.values, "act": "look"})
    client.post(address, {**Form(client.get(address).content.decode()).values, "act": "start"})
    item = imports.run(Import.objects.get().id)
    assert item.state == "done"
    keys = {field.label_ja: field.key for field in Field.objects.all()}
    assert sorted(keys) == ["予算1", "設問1", "設問2"] and len(set(keys.values())) == 3
    assert Lead.objects.get().fields == {keys["設問1"]: "満足", keys["予算1"]: "300万円", keys["設問2"]: "普通"}
    known = str(Source.objects.get().pk)
    again = Form(client.get(upload(client, content.encode(), source=known).url).content.decode())
    assert [again.choices[name][again.values[name]].strip() for name in ("c3", "c4", "c5")] == [
        "設問1",
        "予算1",
        "設問2",
    ]


def test_a_date_with_two_readings_is_asked_about_once(client):
    content = "氏名,会社名,メール,名刺交換日\r\n山田 一,青葉,a@example.jp,05/01/2026\r\n"
    address = upload(client, content.encode()).url
    page = client.get(address).content.decode()
    assert "「05/01/2026」の読み方" in page and Form(page).values["dates"] == "month_first"
    client.post(address, {**Form(page).values, "dates": "day_first"})
    form = Form(client.get(address).content.decode())
    assert form.values["dates"] == "day_first"
    client.post(address, {**form.values, "act": "start"})
    imports.run(Import.objects.get().id)
    assert list(Activity.objects.filter(kind=42).values_list("at", flat=True)) == [datetime(2026, 1, 4, 15, tzinfo=UTC)]


def test_another_sheet_can_be_chosen(client, tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, people in (("東京会場", 2), ("大阪会場", 1)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["会社名", "氏名", "メール"])
            for row in range(people):
                sheet.write_row(row + 1, 0, [name, f"{name} {row}", f"p{row}@example.jp"])
    address = upload(client, path.read_bytes()).url
    assert "東京会場 1" in client.get(address).content.decode()
    client.post(address, {"sheet": "大阪会場"})
    form = Form(client.get(address).content.decode())
    client.post(address, {**form.values, "act": "start"})
    imports.run(Import.objects.get().id)
    assert [lead.company_name for lead in Lead.objects.all()] == ["大阪会場"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ファイルが空です"),
        (b"x" * 1_200_000, "1 行目が長すぎます"),
        (b"a@example.jp,b\r\n", "1 行目に見出しがありません"),
        (b"\x89PNG\x00\x00\x00", "画像ファイルです"),
    ],
)
def test_a_bad_file_is_said_beside_the_field(client, content, words):
    answer = upload(client, content)
    assert answer.status_code == 200 and words in answer.content.decode()
    assert not Import.objects.exists() and not Source.objects.exists()


def test_the_encoding_can_be_corrected(client):
    upload(client, b"name,company\r\nYamada,Aoba\r\n")
    item = Import.objects.get()
    page = client.post(f"/imports/{item.id}/", {"encoding": "utf-16"}, follow=True)
    assert Import.objects.get().encoding == "utf-8" and page.status_code == 200
    client.post(f"/imports/{item.id}/", {"encoding": "cp932"})
    assert Import.objects.get().encoding == "cp932"


def test_a_draft_can_be_given_up(client):
    upload(client, CONTENT)
    item = Import.objects.get()
    client.post(f"/imports/{item.id}/cancel/")
    assert Import.objects.get().state == "cancelled"
    assert "中止しました" in client.get(f"/imports/{item.id}/").content.decode()


def test_sources_show_what_a_lead_cost(client, people, now):
    source = sources.find_or_make("展示会", now=now, type="exhibition", cost_yen=30000)
    people(3, source_id=source.id)
    page = client.get("/sources/").content.decode()
    assert "展示会" in page and "1万円" in page
    assert client.post("/sources/new/", {"name": "展示会", "type": "ads"}).status_code == 200
    assert (
        client.post(f"/sources/{source.id}/", {"name": "春の展示会", "type": "ads", "cost_yen": ""}).status_code == 302
    )
    assert Source.objects.values_list("name", "cost_yen").get() == ("春の展示会", 0)


def test_sales_see_sources_but_import_nothing(signed_in, seller):
    client = signed_in(seller)
    assert client.get("/sources/").status_code == 200
    assert [client.get(address).status_code for address in ("/imports/", "/imports/new/", "/sources/new/")] == [403] * 3
