"""The spool's files: whole lines come back, a torn one does not; and what the tag weighs."""

from pathlib import Path

import pytest

from hagukumi.collector import spool, wire
from hagukumi.collector.spool import Spool


def back(spool):
    found = []
    while (path := spool.take()) is not None:
        for lines in spool.chunks(path):
            found += lines
        spool.done(path)
    return found


def test_lines_come_back_in_order(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(b"a\nb\n")
    spool.append("あ\u2028い\n".encode())
    assert back(spool) == ["a\n", "b\n", "あ\u2028い\n"]
    assert not spool.waiting
    assert spool.bytes_waiting() == 0


def test_a_torn_last_line_is_left_out_and_not_continued(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(b"a\n")
    with (tmp_path / "spool/current").open("ab") as file:
        file.write(b"tor")
    spool = Spool(tmp_path / "spool")
    assert spool.waiting
    spool.append(b"b\n")
    assert back(spool) == ["a\n", "b\n"]


def test_files_of_earlier_outages_come_first(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(b"a\n")
    spool.take()
    spool.append(b"b\n")
    assert back(Spool(tmp_path / "spool")) == ["a\n", "b\n"]


def test_a_line_has_as_many_cells_as_copy_names():
    line = wire.line("view", 0.0, title="a\tb\n", details={"x": "\t"})
    assert line.count("\t") == len(wire.COLUMNS) - 1
    assert line.endswith("\n")
    assert line.count("\n") == 1


def test_the_tag_is_under_three_kilobytes():
    tag = Path(wire.__file__).with_name("tag.js").read_bytes()
    assert len(tag) < 3000


def test_a_disk_without_room_is_told_before_it_is_full(tmp_path, monkeypatch):
    opened = Spool(tmp_path / "spool")
    assert opened.takes()
    monkeypatch.setattr(spool, "ROOM_BYTES", 1 << 62)
    assert not opened.takes()


def test_a_refused_append_is_told_until_one_is_taken(tmp_path):
    opened = Spool(tmp_path / "spool")
    opened.append(b"a\n")
    (tmp_path / "spool/current").rename(tmp_path / "kept")
    (tmp_path / "spool/current").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space|Invalid argument"):
        opened.append(b"b\n")
    assert not opened.takes()
    (tmp_path / "spool/current").unlink()
    opened.append(b"b\n")
    assert opened.takes()
