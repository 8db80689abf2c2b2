"""`hagukumi export`: the bytes of the list's own export, to a file that is whole or not there."""

import pytest

from hagukumi.accounts.models import AuditEntry
from hagukumi.app import cli, export
from hagukumi.embedded.errors import StartError
from hagukumi.judge.segments.models import Segment, SegmentMember
from hagukumi.people.imports import services as imports
from hagukumi.people.leads.models import Lead
from hagukumi.people.sources import services as sources

TREE = {"all": []}


@pytest.fixture
def segment(db, now):
    def made(name, members=()):
        one = Segment.objects.create(name=name, tree=TREE, created_at=now, updated_at=now)
        SegmentMember.objects.bulk_create(SegmentMember(lead_id=lead, segment_id=one.pk, since=now) for lead in members)
        return one

    return made


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_the_file_is_what_the_list_writes(people, segment, signed_in, admin, tmp_path, encoding):
    people(3, department="購買部"), people(2)
    screen = signed_in(admin).get("/leads/export/", {"encoding": encoding}).content
    path = tmp_path / "leads.csv"
    assert export.leads_to(path, encoding=encoding) == 5
    assert path.read_bytes() == screen and screen.count(b"\r\n") == 6
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["leads.csv"]


def test_plain_utf_8_has_no_mark(people, tmp_path):
    people(1)
    export.leads_to(tmp_path / "a.csv"), export.leads_to(tmp_path / "b.csv", encoding="utf-8")
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbf" + (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize("asked", ["name", "id"])
def test_a_segment_by_name_or_number_and_the_act_is_written_down(people, segment, signed_in, admin, tmp_path, asked):
    inside, _ = people(2)
    one = segment("購買部の人", [inside])
    screen = signed_in(admin).get("/leads/export/", {"segment": one.pk}).content
    assert export.leads_to(tmp_path / "a.csv", segment=one.name if asked == "name" else str(one.pk)) == 1
    assert (tmp_path / "a.csv").read_bytes() == screen
    entry = AuditEntry.objects.filter(action="lead.list_exported").latest("id")
    assert (entry.user, entry.details) == (None, {"count": 1, "filter": {"segment": one.pk, "sort": "known"}})


def test_a_segment_that_is_not_there_or_there_twice_is_named(segment, tmp_path):
    first, second = segment("見込み"), segment("見込み")
    for asked, words in (("みこみ", "今あるもの: .*見込み"), ("見込み", f"{first.pk}, {second.pk}")):
        with pytest.raises(StartError, match=words):
            export.leads_to(tmp_path / "a.csv", segment=asked)
    assert not list(tmp_path.iterdir()) and not AuditEntry.objects.exists()


def test_a_character_that_cp932_lacks_is_named_and_replaced_only_when_asked(people, signed_in, admin, tmp_path):
    people(1, last_name="𠮷田")
    path = tmp_path / "a.csv"
    with pytest.raises(StartError, match="2 行目「姓」の 𠮷"):
        export.leads_to(path, encoding="cp932")
    assert not list(tmp_path.iterdir()) and not AuditEntry.objects.exists()
    export.leads_to(path, encoding="cp932", anyway=True)
    assert path.read_bytes() == signed_in(admin).get("/leads/export/?encoding=cp932&anyway=1").content
    assert "〓田" in path.read_bytes().decode("cp932")


def test_what_was_exported_comes_back_without_a_change(people, now, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "home"
    people(4)
    before = list(Lead.objects.order_by("pk").values())
    export.leads_to(tmp_path / "a.csv")
    source = sources.find_or_make("戻し", now=now)
    item = imports.draft(tmp_path / "a.csv", file_name="a", source=source, basis="", user_id=None, now=now)
    imports.change_mapping(item, item.mapping["columns"], replace=True)
    item = imports.run(item.id)
    assert (item.state, item.rows, item.unchanged) == ("done", 4, 4)
    assert list(Lead.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("name", "words"), [("there.csv", "--force"), ("a.xlsx", "CSV"), ("no/a.csv", "書けません"), ("", "書けません")]
)
def test_a_place_where_nothing_can_be_written_is_refused_before_anything(tmp_path, capsys, name, words):
    (tmp_path / "there.csv").write_text("mine")
    assert cli.main(["export", "--to", str(tmp_path / name)]) == 1
    assert words in capsys.readouterr().err.splitlines()[0]
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_nothing_takes_the_place_of_a_file_until_it_is_whole(tmp_path, people, monkeypatch):
    people(1)
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(StartError):
        export.leads_to(path, segment="ない")
    assert path.read_text() == "before"
    export.leads_to(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
