"""Files as people send them: every encoding, every kind of damage, one clear answer."""

import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from hagukumi.kit import tables
from hagukumi.kit.tables import TableError, open_table

HEAD = "会社名,姓,メール\r\n"
ROW = "㈱髙﨑①,髙橋,a@example.co.jp\r\n"


def saved(tmp_path: Path, content: bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def read(path: Path, encoding: str | None = None):
    table = open_table(path, encoding)
    batches = list(table.batches())
    frame = pl.concat(batch.frame for batch in batches) if batches else pl.DataFrame()
    return table, frame, [bad for batch in batches for bad in batch.bad]


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
def test_reads_every_encoding_with_the_characters_that_shift_jis_breaks(tmp_path, encoding):
    table, frame, bad = read(saved(tmp_path, (HEAD + ROW).encode(encoding)))
    assert (table.header, table.encoding) == (["会社名", "姓", "メール"], encoding)
    assert frame.rows() == [(2, "㈱髙﨑①", "髙橋", "a@example.co.jp")]
    assert bad == []


def test_cp932_round_trip_and_the_one_that_fits_nowhere(tmp_path):
    content, lost = tables.write_csv(["氏名"], [["髙﨑①㈱"], ["𠮷田"], ["～－"]], "cp932")
    assert [(one.row_no, one.column, one.character) for one in lost] == [(3, "氏名", "𠮷")]
    _, frame, _ = read(saved(tmp_path, content))
    assert frame["c0"].to_list() == ["髙﨑①㈱", "〓田", "～－"]


def test_formulas_do_not_run_when_written(tmp_path):
    content, _ = tables.write_csv(["=a"], [["=1+1"], ["+81312345678"], ["@SUM(1)"], [-5], ["＝1"], ["\ufeff =1"]])
    assert content.decode("utf-8-sig").split("\r\n") == [
        *("'=a", "'=1+1", "+81312345678", "'@SUM(1)", "-5", "'＝1", "'\ufeff =1", ""),
    ]


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        (b"", None, "empty"),
        (b"\r\n\r\n", None, "empty"),
        (b"\xef\xbb\xbf", None, "empty"),
        ((HEAD + ROW).encode("cp932"), "utf-8", "undecodable"),
        ((HEAD + ROW).encode("iso2022_jp", "replace"), None, "encoding"),
        (b"\x81\xff\xfd,\x00", None, "binary"),
        (b"\x81\xff,a\r\n", None, "undecodable"),
        (b"yamada@example.co.jp,03-1234-5678\r\n", None, "no_header"),
        (b",,,\r\n,,\r\n", None, "empty"),
        (b"a" * 50_000_000, None, "line_too_long"),
        (b'"a,b\r\n' + b"c,d\r\n" * 300, None, "header_unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None, "old_excel"),
        (b"PK\x03\x04garbage", None, "sheet_unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_word(tmp_path, content, encoding, code):
    with pytest.raises(TableError) as refused:
        read(saved(tmp_path, content), encoding)
    assert refused.value.code == code


def test_a_long_line_is_one_bad_row(tmp_path):
    content = HEAD.encode() + b"x" * 50_000_000 + b"\r\n" + ROW.encode()
    _, frame, bad = read(saved(tmp_path, content))
    assert frame["row_no"].to_list() == [3]
    assert [(one.row_no, one.reason) for one in bad] == [(2, "line_too_long")]


def test_broken_rows_cost_only_themselves(tmp_path):
    lines = [
        HEAD,
        "A,山田,a@example.jp,余分\r\n",
        '"B,佐藤,b@example.jp\r\n',
        ROW,
        '"複数\r\n行",x,y\r\n',
        "C\r\n",
        "D,E\r\n",
    ]
    _, frame, bad = read(saved(tmp_path, "".join(lines).encode()))
    assert [(one.row_no, one.reason) for one in bad] == [(2, "cells"), (3, "bad_quote"), (6, "cells")]
    assert frame.rows() == [
        (4, "㈱髙﨑①", "髙橋", "a@example.co.jp"),
        (5, "複数\r\n行", "x", "y"),
        (7, "D", "E", ""),
    ]


def test_one_undecodable_byte_costs_one_row(tmp_path):
    content = (HEAD + ROW * 40_000).encode("cp932") + b"\x81\xff,x,y\r\n" + ROW.encode("cp932")
    table, frame, bad = read(saved(tmp_path, content))
    assert (table.encoding, frame.height) == ("cp932", 40_001)
    assert [(one.row_no, one.reason) for one in bad] == [(40_002, "undecodable")]


def test_delimiters_and_double_headers(tmp_path):
    table, frame, _ = read(saved(tmp_path, "名\t電話\t電話\t\r\na\tb\tc\t\r\n".encode()))
    assert (table.header, table.delimiter) == (["名", "電話", "電話 (2)"], "\t")
    assert frame.rows() == [(2, "a", "b", "c")]
    assert open_table(saved(tmp_path, b"a;b\n1;2\n")).delimiter == ";"


def test_a_workbook_keeps_its_texts_and_row_numbers(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["会社名", "電話"])
        sheet.write_row(1, 0, ["㈱髙﨑①", "03-1234-5678"])
        sheet.write_row(3, 0, ["青葉", 312345678])
    table, frame, _ = read(path)
    assert (table.header, table.encoding) == (["会社名", "電話"], "xlsx")
    assert frame.rows() == [(2, "㈱髙﨑①", "03-1234-5678"), (4, "青葉", "312345678")]


def test_a_zip_bomb_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_SHEET_BYTES", 1000)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "0" * 100_000)
    with pytest.raises(TableError, match="sheet_too_big"):
        open_table(path)
