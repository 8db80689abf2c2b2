"""Files as other products export them: what their columns say together, and what is ambiguous in them."""

import itertools
import json
from datetime import UTC, datetime

import pytest

from hagukumi.judge.segments import services as segments
from hagukumi.judge.segments.models import SegmentMember
from hagukumi.ledger.models import Activity
from hagukumi.people.companies.models import Company
from hagukumi.people.consent import services as consent
from hagukumi.people.consent.models import ConsentNow, Suppression
from hagukumi.people.fields import mapping
from hagukumi.people.fields.models import Field
from hagukumi.people.identity import services as identity
from hagukumi.people.imports import command
from hagukumi.people.imports import services as imports
from hagukumi.people.imports.models import ImportNotice
from hagukumi.people.leads.models import Lead, LeadIdentity
from hagukumi.people.sources import services as sources
from hagukumi.worker import heart


@pytest.fixture
def take(db, tmp_path, now, settings):
    settings.MEDIA_ROOT = tmp_path / "home"
    names = itertools.count()

    def taken(content, **options):
        path = tmp_path / f"file{next(names)}.csv"
        path.write_text(content, encoding="utf-8", newline="")
        made = sources.find_or_make("他社", now=now)
        item = imports.draft(path, file_name=path.name, source=made, basis="", user_id=None, now=now)
        if options:
            imports.change_mapping(item, item.mapping["columns"], **options)
        item = imports.run(item.id)
        assert item.state == "done", item.message
        return item

    taken.folder = tmp_path
    return taken


def _file(take, content):
    path = take.folder / "two.csv"
    path.write_text(content, encoding="utf-8")
    return path


def notices(item):
    return list(ImportNotice.objects.filter(import_id=item.id).order_by("row_no").values_list("reason", "value"))


@pytest.mark.parametrize("word", ["Label", "Type"])
def test_a_number_is_of_the_kind_that_stands_beside_it(take, word):
    take(
        f"First Name,Last Name,E-mail 1 - Value,Phone 1 - {word},Phone 1 - Value,Phone 2 - {word},Phone 2 - Value,"
        f"Phone 3 - {word},Phone 3 - Value\n"
        "太郎,山本,a@example.jp,Work Fax,03-5555-0000,* Mobile,090-0000-1515,Work,03-5555-1515\n"
        "花子,森,b@example.jp,Work,03-5555-2222,,,,\n"
    )
    told = Lead.objects.order_by("email").values_list("phone", "mobile")
    assert list(told) == [("+81355551515", "+819000001515"), ("+81355552222", "")]


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("USA", "617-555-0117", "+16175550117"),
        ("United States", "(617) 555-0117", "+16175550117"),
        ("ドイツ", "030 1234535", "+49301234535"),
        ("日本", "03-5555-0117", "+81355550117"),
        ("", "03-5555-0117", "+81355550117"),
        ("ナルニア", "03-5555-0117", "+81355550117"),
    ],
)
def test_a_number_is_read_by_its_country(take, country, typed, stored):
    item = take(f"姓,メール,電話,国\n山田,a@example.jp,{typed},{country}\n森,b@example.jp,090-1111-2222,JP\n")
    assert Lead.objects.get(email="a@example.jp").phone == stored
    assert Lead.objects.get(email="b@example.jp").phone == "+819011112222"
    assert notices(item) == ([("bad_country", "ナルニア")] if country == "ナルニア" else [])


@pytest.mark.parametrize(
    ("head", "cells", "prefecture", "address"),
    [
        ("都道府県,市区郡,町名・番地", "大阪府,大阪市北区,梅田1-1", "大阪府", "大阪市北区梅田1-1"),
        ("住所1,住所2,都道府県,市区町村,町域・番地,ビル名", "東京都渋谷区神宮前1-1,,東京都,渋谷区,神宮前1-1,サンビル",
         "東京都",
         "東京都渋谷区神宮前1-1 サンビル"),
        ("会社住所1,会社住所2", "東京都千代田区丸の内1-2-3,丸ビル20階", "東京都",
         "東京都千代田区丸の内1-2-3 丸ビル20階"),
        ("Street Address,City,State/Region", "千代田1-1,千代田区,東京都", "東京都", "東京都千代田区千代田1-1"),
        ("Mailing Street,Mailing City,Mailing State/Province", "1 Rd,Boston,MA", "", "1 Rd, Boston, MA"),
    ],
)  # fmt: skip
def test_the_pieces_of_an_address_are_one_address(take, head, cells, prefecture, address):
    take(f"姓,メール,{head}\n山田,a@example.jp,{cells}\n")
    assert Lead.objects.values_list("prefecture", "address").get() == (prefecture, address)


def test_a_question_asks_for_the_word_in_it():
    head = [
        "Q1. 会社名を教えてください",
        "Q2. 部署・役職",
        "設問3：電話番号をご記入ください。",
        "設問4",
        "予算を教えてください",
    ]
    assert list(mapping.suggest(head).values()) == ["company_name", "department_title", "phone", "", ""]


def test_columns_of_one_public_data_set_mean_nothing_to_us():
    head = ["Lead Number", "Specialization", "What is your current occupation", "Lead Quality", "Tags Given", "姓"]
    assert [target for target in mapping.suggest(head).values() if target] == ["last_name"]
    assert not {"specialization", "lead_number"} & {
        *mapping.TARGETS,
        *(t.label_en.lower() for t in mapping.TARGETS.values()),
    }


@pytest.mark.parametrize(
    ("cell", "department", "title"),
    [
        ("開発部 主任", "開発部", "主任"),
        ("営業本部 第一課・課長", "営業本部 第一課", "課長"),
        ("総務部", "総務部", ""),
        ("代表取締役", "", "代表取締役"),
    ],
)
def test_department_and_title_in_one_cell(take, cell, department, title):
    take(f"姓,メール,部署・役職\n小泉,a@example.jp,{cell}\n")
    assert Lead.objects.values_list("department", "title").get() == (department, title)


def test_the_table_of_the_people_is_found_below_a_table_about_the_report(take):
    take(
        "Attendee Report\nTopic,Webinar ID,Actual Start Time,Duration,Registered,Viewers,Users,Views\n"
        "Test,123 456 7890,05/12/2026 09:00:00 AM,120,3,3,3,3\nHost Details\n"
        "Attended,User Name (Original Name),Email,Join Time,Leave Time,Time,Is Guest,Country/Region Name\n"
        "Yes,Host,host@example.com,05/12/2026 09:00:00 AM,,120,No,Japan\nAttendee Details\n"
        "Attended,User Name,First Name,Last Name,Email,Phone,Join Time,Leave Time,Is Guest,Country/Region Name\n"
        "Yes,Alice A,Alice,A,alice@example.com,0312342121,05/13/2026 09:00:00 AM,,Yes,Japan\n"
        "No,Bob B,Bob,B,bob@example.com,,--,--,--,--\n"
    )
    assert list(Lead.objects.order_by("email").values_list("email", flat=True)) == [
        "alice@example.com",
        "bob@example.com",
    ]


def test_facts_of_the_company_go_to_the_company_where_none_are_known(take, now):
    Company.objects.create(
        name="株式会社四一", match_key="株式会社四一", legal_form="株式会社", form_position="front", industry="it",
        created_at=now, updated_at=now,
    )  # fmt: skip
    head = "姓,会社名,メール,業種,年間売上,従業員数,法人番号\n"
    item = take(
        head
        + "鈴木,鈴木商店,a@example.jp,小売,100000000,50名,7000012050002\n"
        + "森,鈴木商店,b@example.jp,製造業,,51,\n"
        + "小泉,株式会社四一,c@example.jp,小売業,3億円,多数,1234567890123\n"
    )
    facts = ("industry", "sales_yen", "employees", "corporate_number")
    assert Company.objects.values_list(*facts).get(name="鈴木商店") == ("retail", 100_000_000, 50, "7000012050002")
    assert Company.objects.values_list(*facts).get(name="株式会社四一") == ("it", 300_000_000, None, None)
    assert notices(item) == [("bad_company_fact", "多数"), ("bad_company_fact", "1234567890123")]
    take(head + "森,鈴木商店,b@example.jp,情報通信業,,60,\n", replace=True)
    assert Company.objects.values_list(*facts).get(name="鈴木商店") == ("it", 100_000_000, 60, "7000012050002")


def test_what_a_segment_asks_of_the_company_is_asked_again(take, now):
    tree = {"schema": 1, "type": "company", "industries": ["retail"]}
    segment = segments.save("小売", tree, now=now)
    take("姓,会社名,メール\n鈴木,鈴木商店,a@example.jp\n")
    heart.beat(now)
    take("会社名,姓,メール,業種\n鈴木商店,森,b@example.jp,小売\n")
    heart.beat(now)
    heart.beat(now)
    assert SegmentMember.objects.filter(segment_id=segment.id).count() == 2


def test_the_other_addresses_of_a_cell_are_the_same_persons_and_it_is_said(take):
    item = take("姓,会社名,メール\n山田,青葉,taro@example.jp; taro@home.example.jp / info@example.jp\n")
    assert Lead.objects.get().email == "taro@example.jp"
    known = LeadIdentity.objects.filter(kind="email").order_by("value").values_list("value", flat=True)
    assert list(known) == ["taro@example.jp", "taro@home.example.jp"]
    assert notices(item) == [("second_address", "taro@home.example.jp")]
    again = take("姓,会社名,メール,部署\n山田,青葉,taro@home.example.jp,営業部\n")
    assert (again.created, again.updated, Lead.objects.get().email) == (0, 1, "taro@example.jp")


def test_no_stranger_ties_a_second_address_to_themselves(db, now, call):
    """Whoever answers a form may write somebody else's address beside their own."""
    row = {"last_name": "悪井", "email": "me@example.jp, boss@aoba.example.co.jp"}
    identity.upsert_people([row], source_id=None, basis="", now=now)
    known = LeadIdentity.objects.filter(kind="email").values_list("value", flat=True)
    assert list(known) == ["me@example.jp"]
    assert call("post", "/leads", row).status_code == 422


def test_an_address_that_is_somebodys_stays_theirs(take):
    take("姓,会社名,メール\n森,青葉,b@example.jp\n")
    take('姓,会社名,メール\n山田,青葉,"a@example.jp, b@example.jp"\n小川,青葉,c@example.jp\n')
    owner = LeadIdentity.objects.get(kind="email", value="b@example.jp").lead_id
    assert Lead.objects.get(lead_id=owner).last_name == "森"


@pytest.mark.parametrize("reason", ["unsubscribe", "manual", "complaint", "hard_bounce"])
@pytest.mark.parametrize("stopped", ["taro@example.jp", "taro@home.example.jp"])
@pytest.mark.parametrize("known", ["", "taro@example.jp", "taro@home.example.jp"])
def test_the_stricter_word_of_two_addresses_holds_for_the_person(take, now, reason, stopped, known):
    """Whichever address somebody has refused at, and whichever we knew first; a dead address is that address's own."""
    if known:
        take(f"姓,会社名,メール\n山田,青葉,{known}\n")
    take("姓,会社名,メール\n森,青葉,b@example.jp\n")
    Suppression.objects.create(channel="email", value=stopped, reason=reason, source="以前", at=now)
    item = imports.draft(
        _file(take, "姓,会社名,メール\n山田,青葉,taro@example.jp / taro@home.example.jp\n"), file_name="a.csv",
        source=sources.find_or_make("他社", now=now), basis="card", user_id=None, now=now,
    )  # fmt: skip
    assert imports.run(item.id).state == "done"
    lead = Lead.objects.get(last_name="山田")
    assert Lead.objects.filter(last_name="山田").count() == 1
    dead = reason == "hard_bounce" and stopped != lead.email
    assert consent.standing(lead.lead_id, lead.email).may_mail is dead
    other = Lead.objects.get(last_name="森")
    assert not ConsentNow.objects.filter(lead_id=other.lead_id, granted=False).exists(), "nobody else is stopped by it"
    assert list(Suppression.objects.values_list("value", "reason")) == [(stopped, reason)], (
        "the address keeps its own word"
    )


HEAD = "姓,会社名,メール,名刺交換日\n"


@pytest.mark.parametrize(
    ("others", "options", "month", "order"),
    [
        ("", {}, 3, "month_first"),
        ("", {"dates": "day_first"}, 4, "day_first"),
        ("森,青葉,b@example.jp,25/04/2026\n", {}, 4, "day_first"),
        ("森,青葉,b@example.jp,04/25/2026\n", {}, 3, "month_first"),
        ("森,青葉,b@example.jp,25/04/2026\n", {"dates": "month_first"}, 3, "month_first"),
    ],
)
def test_the_command_says_how_it_read_a_date_with_two_readings(
    db, tmp_path, settings, capsys, others, options, month, order
):
    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "cards.csv"
    path.write_text(HEAD + "山田,青葉,a@example.jp,03/04/2026\n" + others, encoding="utf-8")
    assert command.import_file(path, source_name="名刺", as_json=True, **options) == 0
    out, err = capsys.readouterr()
    told = json.loads(out.splitlines()[-1])
    assert (told["two_readings"], told["dates"]) == ("03/04/2026", order)
    assert "03/04/2026" in err and ("日/月" if order == "day_first" else "月/日") in err
    met = Activity.objects.get(kind=42, lead_id=Lead.objects.get(email="a@example.jp").lead_id).at
    assert met == datetime(2026, month, {3: 3, 4: 2}[month], 15, tzinfo=UTC)


def test_nothing_is_said_of_dates_with_one_reading(db, tmp_path, settings, capsys):
    settings.MEDIA_ROOT = tmp_path / "home"
    path = tmp_path / "cards.csv"
    path.write_text(HEAD + "山田,青葉,a@example.jp,2026/3/4\n", encoding="utf-8")
    assert command.import_file(path, source_name="名刺", as_json=True) == 0
    out, err = capsys.readouterr()
    assert "two_readings" not in out and "2026" not in err


def test_dates_of_own_fields_are_read_in_the_same_order(take, now):
    Field.objects.create(key="renewal", type="date", label_ja="更新日", label_en="Renewal", choices=[], created_at=now)
    item = take("姓,会社名,メール,更新日\n山田,青葉,a@example.jp,03/04/2026\n", replace=False, day_first=True)
    assert Lead.objects.get().fields == {"renewal": "2026-04-03"}
    assert item.mapping["two_readings"] == "03/04/2026"


@pytest.mark.parametrize(
    ("head", "cells", "stopped"),
    [
        ("メール送信除外,オプトアウト済み", "0,1", True), ("メール送信除外,オプトアウト済み", "0,0", False),
        ("Opted Out,Do Not Email", "Yes,", True),
        ("Email status", "Unsubscribed", True), ("Email status", "Active", False),
        ("メール配信許可", "不可", True), ("メール配信許可", "いいえ", True), ("メール配信許可", "許可", False),
        ("メール配信可否", "○", False), ("メール配信可否", "×", True),
        ("配信停止", "いいえ", False), ("配信停止済み", "TRUE", True),
        ("Eメール配信の登録をすべて解除", "true", True), ("BLACKLIST", "No", False),
    ],
)  # fmt: skip
def test_who_wants_no_mail_is_read_from_every_column_that_says_so(take, head, cells, stopped):
    take(f"姓,会社名,メール,{head}\n山田,青葉,a@example.jp,{cells}\n")
    assert ConsentNow.objects.filter(granted=False).exists() is stopped


@pytest.mark.parametrize(
    ("head", "meant"),
    [
        ("苗字,名前,メールアドレス", ["last_name", "first_name", "email"]),
        ("名前,メールアドレス", ["full_name", "email"]),
        ("人物 - 氏名,人物 - メール - 仕事,組織 - 名前", ["full_name", "email", "company_name"]),
        ("町名・番地(郵送先),市区郡(郵送先),都道府県(郵送先)", ["address", "address", "prefecture"]),
        ("番地 (会社),番地 (自宅)", ["address", ""]),
        ("住所1（市区町村・番地）,住所2（ビル名）", ["address", "address"]),
        ("Name (Original Name),User Email", ["full_name", "email"]),
        ("姓(ふりがな),名のフリガナ", ["last_kana", "first_kana"]),
    ],
)  # fmt: skip
def test_what_other_products_call_their_columns(head, meant):
    assert list(mapping.suggest(head.split(",")).values()) == meant
