"""Plain Japanese PDF papers for the demo: a title and paragraphs, set in the reader's own Heisei Kaku Gothic."""

from textwrap import wrap

_PAGE = (595, 842)
_LINES_PER_PAGE = 34
_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UTF16-H /DescendantFonts"
    b" [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /CIDSystemInfo << /Registry (Adobe)"
    b" /Ordering (Japan1) /Supplement 5 >> /FontDescriptor << /Type /FontDescriptor /FontName /HeiseiKakuGo-W5"
    b" /Flags 4 /FontBBox [-92 -250 1010 922] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 740 /StemV 90 >> >>] >>"
)


def pdf(title: str, paragraphs: list[str]) -> bytes:
    """The bytes of a PDF 1.5 document. Text is UTF-16 in a standard CID font (PDF 32000-1, 9.7.5.2): nothing is embedded."""
    lines = [line for paragraph in paragraphs for line in [*wrap(paragraph, 34), ""]]
    pages = [lines[start : start + _LINES_PER_PAGE] for start in range(0, len(lines), _LINES_PER_PAGE)] or [[]]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        _FONT,
    ]
    for number, page in enumerate(pages):
        content = _content(title if number == 0 else "", page)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_PAGE[0]} {_PAGE[1]}] /Resources << /Font << /F 3 0 R >> >>"
            f" /Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    return _file(objects)


def _content(title: str, lines: list[str]) -> bytes:
    parts = [b"BT /F 20 Tf 60 770 Td <%s> Tj ET" % _hex(title)] if title else []
    parts += [
        b"BT /F 13 Tf 60 %d Td <%s> Tj ET" % (725 - 20 * number, _hex(line))
        for number, line in enumerate(lines)
        if line
    ]
    return b"\n".join(parts)


def _hex(text: str) -> bytes:
    return text.encode("utf-16-be").hex().encode()


def _file(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
