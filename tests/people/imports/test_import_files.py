"""A file becomes leads: exact states, twice without effect, rejects with their reasons, one person once."""

import csv
import itertools
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hagukumi.kit import ja
from hagukumi.ledger.models import Activity, Pulse
from hagukumi.people.companies.models import Company
from hagukumi.people.fields import mapping
from hagukumi.people.fields.models import Field
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import Import, ImportNotice, ImportReject
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.people.sources import services as sources
from hagukumi.people.sources.models import Source

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared sample files are not on this machine")
HEAD = "会社名,部署名,役職,姓,名,メール,電話\r\n"


@pytest.fixture
def take(db, tmp_path, now, settings):
    """Takes a file (a path or its text) in and returns the import."""
    settings.MEDIA_ROOT = tmp_path / "home"
    names = itertools.count()

    def taken(
        content: Path | str, *, source: str = "名刺", basis: str = "", encoding: str = "utf-8", replace: bool = False
    ):
        if isinstance(content, Path):
            path = content
        else:
            path = tmp_path / f"file{next(names)}.csv"
            path.write_bytes(content.encode(encoding))
        made = sources.find_or_make(source, now=now)
        item = imports.draft(path, file_name=path.name, source=made, basis=basis, user_id=None, now=now)
        if replace:
            imports.change_mapping(item, item.mapping["columns"], replace=True)
        return imports.run(item.id)

    return taken


def tally(item: Import) -> tuple[int, int, int, int]:
    assert item.state == "done", item.message
    assert item.rows == item.created + item.updated + item.unchanged + item.rejected
    return item.created, item.updated, item.unchanged, item.rejected


def test_a_file_becomes_leads(take, now):
    item = take(
        HEAD + "㈱髙﨑①,営業部,課長,髙﨑,一郎,ＩＣＨＩＲＯ＠example.co.jp,０３-1234-5678 内線12\r\n", encoding="cp932"
    )
    assert tally(item) == (1, 0, 0, 0)
    lead = Lead.objects.get()
    assert (lead.company_name, lead.last_name, lead.first_name, lead.rank) == ("㈱髙﨑①", "髙﨑", "一郎", "manager")
    assert (lead.email, lead.phone, lead.phone_extension) == ("ichiro@example.co.jp", "+81312345678", "12")
    assert (lead.company.match_key, lead.company.legal_form, lead.company.form_position) == (
        "株式会社高崎1",
        "株式会社",
        "front",
    )
    assert (lead.source_id, lead.missing, lead.known_at is not None) == (Source.objects.get().id, 0, True)
    assert sorted(LeadIdentity.objects.values_list("kind", "value", "lead_id")) == [
        ("email", "ichiro@example.co.jp", lead.lead_id),
        ("phone_name", "+81312345678 高崎一郎", lead.lead_id),
    ]
    assert list(Activity.objects.values_list("kind", "object_id", "details")) == [
        (30, lead.source_id, {"import": item.id})
    ]
    assert Pulse.objects.count() == 1


def test_the_same_file_twice_changes_nothing(take):
    text = HEAD + "".join(
        f"株式会社青葉{n % 3},部,課長,山田{n},太郎,y{n}@example.jp,03-1234-{n:04d}\r\n" for n in range(300)
    )
    assert tally(take(text)) == (300, 0, 0, 0)
    before = (list(Lead.objects.order_by("lead_id").values()), Activity.objects.count(), LeadIdentity.objects.count())
    assert tally(take(text)) == (0, 0, 300, 0)
    assert (
        list(Lead.objects.order_by("lead_id").values()),
        Activity.objects.count(),
        LeadIdentity.objects.count(),
    ) == before


def test_a_repeated_row_fills_what_the_first_left_empty(take):
    text = (
        HEAD
        + "青葉,,,山田,太郎,y@example.jp,\r\n"
        + "青葉,営業部,,山田,太郎,Y@example.jp,\r\n青葉,製造部,,山田,太郎,y@example.jp,\r\n"
    )
    assert tally(take(text)) == (1, 1, 1, 0)
    assert Lead.objects.get().department == "営業部"
    assert tally(take(text)) == (0, 0, 3, 0)


def test_filling_keeps_and_replacing_beats_what_is_on_file(take):
    take(HEAD + "青葉,営業部,,山田,太郎,y@example.jp,\r\n")
    newer = HEAD + "青葉,製造部,部長,山田,太郎,y@example.jp,\r\n青葉,購買部,部長,山田,太郎,y@example.jp,\r\n"
    assert tally(take(newer)) == (0, 1, 1, 0)
    assert Lead.objects.values_list("department", "title", "rank").get() == ("営業部", "部長", "manager")
    assert tally(take(newer, replace=True)) == (0, 1, 1, 0)
    assert Lead.objects.get().department == "購買部"
    assert tally(take(newer, replace=True)) == (0, 0, 2, 0)
    changed = [a.details for a in Activity.objects.filter(kind=32).order_by("id")]
    assert changed == [
        {"field": "title", "old": "", "new": "部長", "by": None},
        {"field": "department", "old": "営業部", "new": "購買部", "by": None},
    ]


def test_a_shared_address_is_not_a_person(take):
    text = (
        HEAD
        + "青葉,,,山田,太郎,info@example.jp,\r\n"
        + "青葉,,,佐藤,花子,info@example.jp,\r\n青葉,,,山田,太郎,info@example.jp,\r\n"
    )
    assert tally(take(text)) == (2, 0, 1, 0)
    assert tally(take(HEAD + "青葉,,,山田,太郎,info@example.jp,\r\n青葉,,,鈴木,次郎,info@example.jp,\r\n")) == (
        1,
        0,
        1,
        0,
    )


def test_the_same_name_and_number_with_two_addresses_are_two_people(take):
    take(HEAD + "青葉,,,佐藤,健一,a@example.jp,03-1111-2222\r\n")
    assert tally(take(HEAD + "青葉,,,佐藤,健一,b@example.jp,03-1111-2222\r\n")) == (1, 0, 0, 0)
    item = take(HEAD + "青葉,,,佐藤,健一,,03-1111-2222\r\n")
    assert tally(item) == (0, 0, 0, 1)
    assert list(ImportReject.objects.filter(import_id=item.id).values_list("row_no", "reason")) == [(2, "ambiguous")]
    assert tally(take(HEAD + "青葉,,,佐藤,健一,,\r\n")) == (0, 0, 0, 1)


def test_two_new_addresses_never_share_the_one_lead_that_has_none(take):
    take(HEAD + "青葉,,,佐藤,健一,,03-1111-2222\r\n")
    text = HEAD + "青葉,,,佐藤,健一,a@example.jp,03-1111-2222\r\n青葉,,,佐藤,健一,b@example.jp,03-1111-2222\r\n"
    assert tally(take(text)) == (1, 1, 0, 0)
    assert sorted(Lead.objects.values_list("email", flat=True)) == ["a@example.jp", "b@example.jp"]
    assert tally(take(text)) == (0, 0, 2, 0)


def test_two_new_addresses_never_share_one_lead_known_by_name_alone(take):
    take(HEAD + "青葉,,,佐藤,健一,,\r\n")
    text = HEAD + "青葉,,,佐藤,健一,a@example.jp,\r\n青葉,,,佐藤,健一,b@example.jp,\r\n"
    assert tally(take(text)) == (1, 1, 0, 0)
    assert sorted(Lead.objects.values_list("email", flat=True)) == ["a@example.jp", "b@example.jp"]
    assert tally(take(text)) == (0, 0, 2, 0)


def test_people_without_address_are_known_by_telephone_then_by_company(take):
    text = HEAD + "㈱青葉,,,渡邉,浩,,03-1111-2222\r\n北斗,,,伊藤,大輔,,\r\n"
    assert tally(take(text)) == (2, 0, 0, 0)
    assert tally(take(text)) == (0, 0, 2, 0)
    assert tally(
        take(
            HEAD
            + "青葉株式会社,,,渡辺,浩,h@example.jp,０３－１１１１－２２２２\r\n北斗（株）,,,伊藤,大輔,d@example.jp,\r\n"
        )
    ) == (0, 2, 0, 0)
    assert Lead.objects.count() == 2


@pytest.mark.parametrize(
    ("known", "row", "people", "created"),
    [
        ("青葉,,,佐藤,健一,,03-1111-2222", "青葉,,,佐藤,健一,,03-9999-8888", 2, 1),
        ("青葉,,,佐藤,健一,,03-1111-2222", "青葉,,,佐藤,健一,,090-1234-5678", 2, 1),
        ("青葉,,,佐藤,健一,k@example.jp,03-1111-2222", "青葉,,,佐藤,健一,,03-9999-8888", 2, 1),
        ("青葉,,,佐藤,健一,,03-1111-2222", "青葉,,,佐藤,健一,k@example.jp,03-9999-8888", 2, 1),
        ("青葉,,,佐藤,健一,,", "青葉,,,佐藤,健一,,03-9999-8888", 1, 0),
        ("青葉,,,佐藤,健一,,03-1111-2222", "青葉,,,佐藤,健一,,", 1, 0),
        ("青葉,,,佐藤,健一,,03-1111-2222", "青葉株式会社,,,佐藤,健一,,０３（１１１１）２２２２", 1, 0),
        ("青葉,,,佐藤,健一,,", "北斗,,,佐藤,健一,,", 2, 1),
    ],
)
def test_another_telephone_number_is_another_person(take, known, row, people, created):
    """Company and name join only where the numbers do not speak against it: 佐藤健一 is many people."""
    take(HEAD + known + "\r\n")
    assert tally(take(HEAD + row + "\r\n"))[0] == created
    assert Lead.objects.count() == people


def test_rows_that_cannot_be_taken_say_why(take):
    rows = [
        "青葉,,,山田,太郎,yamada(at)example.jp,",
        ",,,,,,",
        "青葉,営業部,,,,,",
        "青葉,,,山田,太郎,b@example.jp,,余分",
        '"青葉,,,山田,太郎,c@example.jp,',
        "青" * 201 + ",,,山田,太郎,d@example.jp,",
        "青葉,,,山田\x00,太郎,e@example.jp,",
        "青葉,,,山田,良子,ok@example.jp,",
    ]
    item = take(HEAD + "\r\n".join(rows) + "\r\n")
    assert tally(item) == (1, 0, 0, 7)
    assert list(ImportReject.objects.order_by("row_no").values_list("row_no", "reason", "column")) == [
        (2, "bad_email", "メール"),
        (3, "empty_row", ""),
        (4, "no_identity", ""),
        (5, "cells", ""),
        (6, "bad_quote", ""),
        (7, "too_long", "会社名"),
        (8, "control", "姓"),
    ]
    assert dict(ImportReject.objects.get(row_no=2).raw)["メール"] == "yamada(at)example.jp"


def test_a_cell_that_cannot_be_read_costs_the_cell_and_is_said(take):
    text = (
        "氏名,会社名,メール,電話,携帯,郵便番号,都道府県,想定利用人数,回答日,課題\r\n"
        "山田 太郎,青葉,y@example.jp,9.01235E+10,abc,12,カリフォルニア,多数,いつか,-A/Bテスト\r\n"
        "佐藤 花子,青葉,s@example.jp,355501001,9012345678,600001,東京,50名,5-Jan-26,@IT を見た\r\n"
    )
    item = take(text)
    assert tally(item) == (2, 0, 0, 0)
    facts = ("phone", "mobile", "postal_code", "prefecture", "users_expected", "issue")
    assert list(Lead.objects.order_by("lead_id").values_list(*facts)) == [
        ("", "", "", "", None, "-A/Bテスト"),
        ("+81355501001", "+819012345678", "060-0001", "東京都", 50, "@IT を見た"),
    ]
    said = ImportNotice.objects.filter(import_id=item.id).values_list("row_no", "column", "reason", "value")
    assert sorted(said) == [
        (2, "回答日", "bad_date", "いつか"),
        (2, "想定利用人数", "bad_number", "多数"),
        (2, "携帯", "bad_phone", "abc"),
        (2, "郵便番号", "bad_postal_code", "12"),
        (2, "都道府県", "bad_prefecture", "カリフォルニア"),
        (2, "電話", "bad_phone", "9.01235E+10"),
    ]


def test_another_legal_form_is_another_company_and_a_bare_name_means_the_only_one(take):
    take(HEAD + "名寄,,,山田,一,a@example.jp,\r\n")
    take(HEAD + "株式会社名寄,,,山田,二,b@example.jp,\r\n")
    companies = {lead.email[0]: lead.company for lead in Lead.objects.select_related("company")}
    assert companies["a"] == companies["b"] and companies["a"].name == "株式会社名寄"
    take(HEAD + "名寄株式会社,,,山田,三,c@example.jp,\r\n名寄有限会社,,,山田,四,d@example.jp,\r\n")
    take(HEAD + "㈱名寄,,,山田,五,e@example.jp,\r\n名寄,,,山田,六,f@example.jp,\r\n")
    names = dict(Lead.objects.values_list("email", "company__name"))
    assert names == {
        "a@example.jp": "株式会社名寄",
        "b@example.jp": "株式会社名寄",
        "c@example.jp": "名寄株式会社",
        "d@example.jp": "名寄有限会社",
        "e@example.jp": "株式会社名寄",
        "f@example.jp": "名寄",
    }


def test_a_rejected_row_names_no_company(take):
    take(HEAD + "青葉,,,佐藤,健一,a@example.jp,03-1111-2222\r\n青葉,,,佐藤,健一,b@example.jp,03-1111-2222\r\n")
    assert tally(take(HEAD + "株式会社北斗,,,佐藤,健一,,03-1111-2222\r\n")) == (0, 0, 0, 1)
    assert set(Company.objects.values_list("name", flat=True)) == {"青葉"}


@needs_shared
def test_words_that_begin_like_formulas_are_words(take):
    assert tally(take(SHARED / "cases/12-memo-formula.csv")) == (5, 0, 0, 0)
    told = Activity.objects.filter(kind=41).values_list("details__text", flat=True)
    assert sorted(told) == ["+ 追加で3台", "-A/Bテストに興味", "-O/S更新の予定", "=> 次回訪問", "@IT/記事を見た"]


@needs_shared
def test_text_cells_of_a_workbook_stay_as_they_are(take):
    assert tally(take(SHARED / "cases/text_point_zero.xlsx")) == (3, 0, 0, 0)
    facts = Lead.objects.order_by("lead_id").values_list("company_name", "issue")
    assert list(facts) == [("型番社", "FW 2.0"), ("型番社", "旧版 Ver.1.0"), ("有限会社1.0", "")]


@needs_shared
def test_what_is_stored_of_a_mail_cell_can_be_mailed_or_says_why_not(take):
    item = take(SHARED / "cases/mail_cells.csv")
    assert all(ja.is_email(address) for address in Lead.objects.values_list("email", flat=True))
    assert Lead.objects.filter(email="taro@xn--eckwd4c7c5976acvb2w6i.example.jp").exists()
    assert set(ImportReject.objects.filter(import_id=item.id).values_list("reason", flat=True)) == {"bad_email"}


@pytest.mark.parametrize(
    ("content", "code"),
    [("色,形\r\n赤,丸\r\n", "no_known_column"), ("部署名,役職\r\n営業部,課長\r\n", "no_known_column")],
)
def test_a_file_that_tells_nobody_apart_is_refused(take, content, code):
    item = take(content)
    assert (item.state, item.message["code"], Lead.objects.count()) == ("failed", code, 0)


def test_what_happened_is_told_once(take):
    text = (
        "お名前,御社名,メール,ブースでの会話メモ,参加,回答日時,タグ\r\n"
        "山田 太郎,青葉,y@example.jp,価格を知りたい,出席,2026/10/22 12:50,展示会、重要\r\n"
    )
    assert tally(take(text)) == (1, 0, 0, 0)
    assert tally(take(text)) == (0, 0, 1, 0)
    told = Activity.objects.exclude(kind=30).order_by("kind").values_list("kind", "at", "details")
    at = datetime(2026, 10, 22, 3, 50, tzinfo=UTC)
    assert [row for row in told if row[0] != 36] == [(39, at, None), (41, at, {"text": "価格を知りたい"})]
    assert sorted(row[2]["tag"] for row in told if row[0] == 36) == ["展示会", "重要"]


def test_own_fields_and_consent(take):
    from hagukumi.people.consent.models import ConsentNow

    text = "お名前,メール,お勧め度(0-10),Do Not Email\r\n山田 太郎,y@example.jp,7,No\r\n佐藤 花子,s@example.jp,,Yes\r\n"
    assert tally(take(text, basis="card")) == (2, 0, 0, 0)
    assert Lead.objects.get(email="y@example.jp").fields == {"nps": "7"}
    assert Field.objects.get().label_ja == "お勧め度(0-10)"
    granted = {c.lead_id: (c.granted, c.basis) for c in ConsentNow.objects.all()}
    assert granted[Lead.objects.get(email="y@example.jp").lead_id] == (True, "card")
    assert granted[Lead.objects.get(email="s@example.jp").lead_id][0] is False
    before = Activity.objects.count()
    assert tally(take(text, basis="card")) == (0, 0, 2, 0)
    assert Activity.objects.count() == before


def test_fields_with_japanese_names_have_keys_of_their_own():
    taken = {}
    for label in ("設問1", "予算1", "設問2", "Ａ 1", "A 1", "a-1", "契約金額", "更新日", "設問1"):
        taken[mapping.own_key(label, taken)] = label
    assert sorted(taken.values()) == sorted(["設問1", "予算1", "設問2", "Ａ 1", "A 1", "a-1", "契約金額", "更新日"])
    assert all(re.fullmatch(r"[a-z0-9_]{1,40}", key) for key in taken)
    assert mapping.own_key("Budget", {}) == "budget"


def test_as_many_statements_for_a_thousand_rows_as_for_ten(take, django_assert_max_num_queries):
    with django_assert_max_num_queries(70):
        take(HEAD + "".join(f"青葉{n},部,課長,山田,太郎,y{n}@example.jp,03-1234-{n:04d}\r\n" for n in range(1000)))


def test_a_corrected_mapping_is_remembered(take, now, tmp_path):
    take("得意先,メール\r\n青葉,y@example.jp\r\n")
    item = Import.objects.latest("id")
    imports.change_mapping(item, {"得意先": "company_name", "メール": "email"}, replace=False)
    again = take("得意先,メール\r\n青葉,z@example.jp\r\n")
    assert again.mapping["columns"] == {"得意先": "company_name", "メール": "email"}


def test_headings_are_known_in_many_spellings():
    head = ["ご 会社名", "ＴＥＬ直通", "E-mail", "氏名[姓]", "氏名[名]", "未知"]
    assert mapping.suggest(head) == {
        "ご 会社名": "",
        "ＴＥＬ直通": "phone",
        "E-mail": "email",
        "氏名[姓]": "last_name",
        "氏名[名]": "first_name",
        "未知": "",
    }


@needs_shared
def test_the_sample_files_make_one_lead_of_one_person(take, capsys):
    files = ["eight_cards.csv", "tenji_list_cp932.csv", "seminar_survey.csv"]
    for name in files:
        item = take(SHARED / "cards" / name, source=name)
        assert tally(item)[3] == 0
    first = Lead.objects.count()
    for name in files:
        assert tally(take(SHARED / "cards" / name, source=name))[:2] == (0, 0), name
    assert Lead.objects.count() == first
    found = _resolve(files)
    pairs = {True: [0, 0], False: [0, 0]}
    for (a, person_a), (b, person_b) in itertools.combinations(found, 2):
        if person_a == person_b or a == b:
            pairs[person_a == person_b][a == b] += 1
    recall = pairs[True][1] / sum(pairs[True])
    with capsys.disabled():
        print(
            f"\n  people {len({p for _, p in found})}, leads {first},"
            f" false merges {pairs[False][1]}, recall {recall:.3f}"
        )
    assert pairs[False][1] == 0
    assert recall > 0.98


def _resolve(files: list[str]) -> list[tuple[int, str]]:
    """(lead_id, person) of every row of the samples, by what the import would find for it now."""
    from hagukumi.kit import tables
    from hagukumi.people.fields.normalise import Normaliser
    from hagukumi.people.identity import intake
    from hagukumi.people.identity.queries import INTAKE

    truth = {(t["file"], int(t["row"])): t["person"] for t in csv.DictReader((SHARED / "cards/truth.csv").open())}
    found = []
    for name in files:
        table = tables.open_table(SHARED / "cards" / name)
        rows, _, _ = Normaliser(table.header, mapping.suggest(table.header))(next(table.batches()).frame)
        intake.open_tables()
        intake.clear_tables()
        intake.stage(rows)
        intake.merge(rows, intake.Terms(datetime(2026, 11, 20, tzinfo=UTC)))
        found += [(row["lead_id"], truth[name, row["row_no"]]) for row in INTAKE.whose.rows()]
    return found


@needs_shared
def test_the_foreign_sample_comes_in_by_its_ids(take):
    assert tally(take(SHARED / "x_education_leads.csv"))[1:] == (0, 0, 0)
    before = (Lead.objects.count(), Activity.objects.count())
    assert tally(take(SHARED / "x_education_leads.csv"))[:2] == (0, 0)
    assert (Lead.objects.count(), Activity.objects.count()) == before
