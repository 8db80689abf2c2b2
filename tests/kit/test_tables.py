"""Files as people send them: every encoding, every kind of damage, one clear answer."""

import resource
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from hagukumi.kit import sheet_reader, tables
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
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None, "sheet_unreadable"),
        (b"%PDF-1.7 ", None, "pdf"),
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


SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared sample files are not on this machine")
HEADED = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>会社名</t></is></c><c r="B1" t="inlineStr"><is><t>姓</t></is></c></row>'
)
FILLED = '<row r="2"><c r="A2" t="inlineStr"><is><t>青葉</t></is></c><c r="B2"><v>2.0</v></c></row>'


def workbook(
    tmp_path: Path, rows: str = HEADED + FILLED, *, before: str = "", more: dict[str, str] | None = None
) -> Path:
    """An .xlsx whose one sheet holds this XML."""
    path = tmp_path / "made.xlsx"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        sheet = f'{before}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return path


def test_only_a_cell_stored_as_a_number_is_written_as_one(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        clock = book.add_format({"num_format": "yyyy/mm/dd hh:mm"})
        money = book.add_format({"num_format": '#,##0"円"'})
        sheet.write_row(0, 0, ["文字", "数", "日", "時刻", "金額"])
        sheet.write_row(1, 0, ["X-1.0", 2.0])
        sheet.write_string(2, 0, "2.0")
        sheet.write_number(2, 1, 9012345678)
        sheet.write_number(2, 2, 46027, day)
        sheet.write_number(2, 3, 46027.604166666664, clock)
        sheet.write_number(2, 4, 1234567.5, money)
        sheet.write_row(3, 0, ["FW 2.0", 0.1 + 0.2])
    _, frame, _ = read(path)
    assert [row[1:] for row in frame.rows()] == [
        ("X-1.0", "2", "", "", ""),
        ("2.0", "9012345678", "2026-01-05", "2026-01-05 14:30:00", "1234567.5"),
        ("FW 2.0", "0.3", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ("1048576", "XFD1048576"),
        ("1048576", "Z1048576"),
        ("4294967295", "ZZZZZZ4294967295"),
        ("2", "XFD2"),
        ("1", "XFD1"),
    ],
)
def test_a_stray_cell_far_outside_is_nobodys(tmp_path, row, cell):
    stray = f'<row r="{row}"><c r="{cell}" t="inlineStr"><is><t>x</t></is></c></row>'
    table, frame, _ = read(workbook(tmp_path, HEADED + FILLED + stray))
    assert (table.header, frame.rows()) == (["会社名", "姓"], [(2, "青葉", "2")])


def test_headings_stand_where_a_wide_gap_begins(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["会社名", "姓"])
        sheet.write_row(1, 0, ["青葉", "山田"])
        sheet.write(0, 500, "x")
    assert open_table(path).header == ["会社名", "姓"]


BOMBS = {
    "entities": {"before": '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'},
    "depth": {"rows": "<a>" * 200_000},
    "broken": {"rows": HEADED + "<row><c></row>"},
    "nothing": {"rows": ""},
}


@pytest.mark.parametrize(
    ("bomb", "code"),
    [
        ("entities", "sheet_unreadable"),
        ("depth", "sheet_unreadable"),
        ("broken", "sheet_unreadable"),
        ("nothing", "empty"),
    ],
)
def test_a_hostile_workbook_is_refused_in_one_word(tmp_path, bomb, code):
    with pytest.raises(TableError) as refused:
        read(workbook(tmp_path, **BOMBS[bomb]))
    assert refused.value.code == code


def test_a_zip_bomb_ends_with_its_reader(tmp_path):
    """2 GB of texts from a file of 2 MB: the reader stops at its limit, and this process has not grown."""
    path = workbook(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        part.write(b"<sst>")
        for _ in range(2000):
            part.write(b"<si><t>" + b"x" * 1_000_000 + b"</t></si>")
        part.write(b"</sst>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TableError, match="sheet_too_big"):
        open_table(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_reader_that_dies_by_its_limits_is_one_sentence(tmp_path, monkeypatch):
    program = tmp_path / "reader.py"
    program.write_text(
        Path(sheet_reader.__file__).read_text().replace("MEMORY = 1_500_000_000", "MEMORY = 100_000_000")
    )
    monkeypatch.setattr(sheet_reader, "__file__", str(program))
    with pytest.raises(TableError, match="sheet_too_big"):
        texts = "".join(f"<si><t>{n:0300}</t></si>" for n in range(400_000))
        read(workbook(tmp_path, more={"xl/sharedStrings.xml": f"<sst>{texts}</sst>"}))


def test_hidden_sheets_are_passed_over_and_the_fullest_is_taken(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, rows in (("隠し", 9), ("表紙", 1), ("名簿", 5)):
            sheet = book.add_worksheet(name)
            for row in range(rows):
                sheet.write_row(row, 0, ["会社名", "姓"] if not row else [name, f"山田{row}"])
            if name == "隠し":
                sheet.hide()
            if name == "表紙":
                sheet.activate()
    table, frame, _ = read(path)
    assert (table.sheets, table.sheet, frame.height) == (("表紙", "名簿"), "名簿", 4)
    assert open_table(path, sheet="表紙").sheet == "表紙"
    with pytest.raises(TableError, match="no_such_sheet"):
        open_table(path, sheet="隠し")


def test_merged_cells_hold_for_each_of_their_rows(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:B1", "名簿")
        sheet.write_row(1, 0, ["会社名", "姓", "名"])
        for row in range(2, 5):
            sheet.write_row(row, 1, ["山田", f"太郎{row}"])
        sheet.merge_range("A3:A4", "青葉")
    table, frame, _ = read(path)
    assert (table.header, table.header_row) == (["会社名", "姓", "名"], 2)
    assert [row[1] for row in frame.rows()] == ["青葉", "青葉", ""]


def test_the_reading_beside_a_japanese_word_is_no_part_of_it(tmp_path):
    texts = '<sst><si><t>高橋</t><rPh sb="0" eb="2"><t>タカハシ</t></rPh></si><si><t>a_x000D_b</t></si></sst>'
    rows = HEADED + '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>'
    _, frame, _ = read(workbook(tmp_path, rows, more={"xl/sharedStrings.xml": texts}))
    assert frame.rows() == [(2, "高橋", "a\rb")]


@pytest.mark.parametrize(
    ("content", "header", "first"),
    [
        ("2026年春 名簿,,\r\n\r\n会社名,姓,メール\r\n青葉,山田,a@example.jp\r\n", ["会社名", "姓", "メール"], 4),
        ("sep=;\r\n会社名;姓\r\n青葉;山田\r\n", ["会社名", "姓"], 3),
        ("会社名|姓\r\n青葉|山田\r\n", ["会社名", "姓"], 2),
        ("会社名,姓,,,\r\n青葉,山田,a@example.jp,03-1234-5678,x\r\n", ["会社名", "姓"], 2),
    ],
)
def test_the_headings_are_found_below_titles_and_hints(tmp_path, content, header, first):
    table, frame, bad = read(saved(tmp_path, content.encode()))
    assert table.header == header
    assert [*frame["row_no"].to_list(), *[one.row_no for one in bad]] == [first]


def test_lines_in_another_encoding_are_read_in_theirs_or_lost_alone(tmp_path):
    lines = [HEAD.encode(), ROW.encode("cp932") * 3, ROW.encode() * 3, b"\x81\xff,x,y\r\n", ROW.encode()]
    table, frame, bad = read(saved(tmp_path, b"".join(lines)))
    assert (table.encoding, table.header) == ("mixed", ["会社名", "姓", "メール"])
    assert {row[1:] for row in frame.rows()} == {("㈱髙﨑①", "髙橋", "a@example.co.jp")}
    assert (frame.height, [(one.row_no, one.reason) for one in bad]) == (7, [(8, "undecodable")])


def test_cards_are_rows(tmp_path):
    cards = (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:髙橋 一郎\r\nN:髙橋;一郎;;;\r\nitem1.ORG:株式会社青葉;営業部;一課\r\n"
        "TITLE:課\r\n 長\r\n"
        'EMAIL;TYPE=work:a@example.jp\r\nTEL;TYPE=fax:03-1111-1111\r\nTEL;TYPE="cell,voice":090-1111-2222\r\n'
        "TEL;VALUE=uri:tel:+81-3-1234-5678\r\n"
        "ADR;TYPE=work:;;丸の内1-1\\, 2F;千代田区;東京都;100-0005;日本\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:2.1\r\n"
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=B1=B1=E7=94=B0;=E8=8A=B1=\r\n=E5=AD=90\r\nEND:VCARD\r\n"
    )
    table, frame, _ = read(saved(tmp_path, cards.encode(), "a.vcf"))
    assert table.encoding == "vcard"
    assert frame.rows() == [
        (2, "髙橋 一郎", "髙橋", "一郎", "", "", "株式会社青葉", "営業部 一課", "課長", "a@example.jp",
         "+81-3-1234-5678", "090-1111-2222", "100-0005", "東京都千代田区丸の内1-1, 2F"),
        (3, "", "山田", "花子", *[""] * 10),
    ]  # fmt: skip


def test_utf16_without_its_mark(tmp_path):
    for encoding in ("utf-16-le", "utf-16-be"):
        table, frame, _ = read(saved(tmp_path, (HEAD + ROW * 20).encode(encoding)))
        assert (table.encoding, frame.height) == (encoding, 20)


def test_long_cells_come_in_smaller_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BATCH_CHARACTERS", 10_000)
    table = open_table(saved(tmp_path, (HEAD + ("x" * 6000 + ",y,z\r\n") * 9).encode()))
    assert [batch.frame.height for batch in table.batches()] == [2, 2, 2, 2, 1]


@needs_shared
@pytest.mark.parametrize(("name", "code"), [("32_password.xlsx", "password"), ("34_png_renamed.csv", "image")])
def test_what_is_no_table_is_said_by_what_it_is(name, code):
    with pytest.raises(TableError) as refused:
        open_table(SHARED / name)
    assert refused.value.code == code


@needs_shared
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        *(("far.xlsx", 1), ("overflow.xlsx", 1), ("29_old.xls", 1), ("title_rows.xlsx", 2), ("cover_first.xlsx", 1)),
        *(("11_utf16le_nobom.csv", 3), ("16_pipe.csv", 3), ("sep_line.csv", 1), ("title_rows.csv", 1)),
        *(("mixed_enc.csv", 2), ("13_mixed_utf8_cp932.csv", 7), ("40_vcard.vcf", 1)),
    ],
)
def test_the_sample_files_are_read(name, rows):
    _, frame, bad = read(SHARED / name)
    assert (frame.height, bad) == (rows, [])
