"""MIME by hand, so that a mail is put together once and filled per recipient: header folding, base64, addresses.

Own folding, because the standard library's has open bugs with long Japanese subjects. Always UTF-8, always base64:
never ISO-2022-JP, never a line that a relay may break, never a line that begins with a dot.
"""

import binascii
import re
from functools import lru_cache
from struct import Struct

from .rules import quoted_address

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_WORD_BYTES = 45
"""UTF-8 bytes in one encoded-word: 60 base64 characters and 12 of framing, under RFC 2047's 75."""
_LINE = 76


def one_line(text: str) -> str:
    """Text as a header may hold it: control characters and line ends (header injection) become one space."""
    return _CONTROL.sub(" ", text).strip()


def header(name: str, text: str) -> bytes:
    """`Name: value` CRLF. Plain ASCII that fits stays readable; all else is RFC 2047 encoded-words, folded."""
    text = one_line(text)
    if _PLAIN.fullmatch(text) and "=?" not in text and len(name) + 2 + len(text) <= _LINE:
        return f"{name}: {text}\r\n".encode()
    return f"{name}: {encoded_words(text, len(name) + 2)}\r\n".encode()


def encoded_words(text: str, column: int) -> str:
    """RFC 2047 encoded-words joined by folds, none splitting a character; the first begins at `column` of its line."""
    words: list[str] = []
    data = text.encode()
    start, room = 0, min(_WORD_BYTES, (_LINE - column - 12) // 4 * 3)
    while start < len(data):
        end = start + room
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character: step back to its first byte
            end -= 1
        words.append(_word(data[start:end]))
        start, room = end, _WORD_BYTES
    return "\r\n ".join(words)


def _word(piece: bytes) -> str:
    return f"=?UTF-8?B?{binascii.b2a_base64(piece, newline=False).decode()}?="


def mailbox(header_name: str, display: str, address: str) -> bytes:
    """A From/To/Reply-To header with an optional display name."""
    display = one_line(display)
    address = quoted_address(address)
    if not display:
        return f"{header_name}: {address}\r\n".encode()
    if _PLAIN.fullmatch(display):
        escaped = display.replace("\\", "\\\\").replace('"', '\\"')
        return f'{header_name}: "{escaped}"\r\n <{address}>\r\n'.encode()
    return f"{header_name}: {encoded_words(display, len(header_name) + 2)}\r\n <{address}>\r\n".encode()


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76, CRLF after each."""
    encoded = binascii.b2a_base64(data, newline=False)
    full, rest = divmod(len(encoded), _LINE)
    lines = _cutter(full).unpack_from(encoded)
    return b"\r\n".join((*lines, encoded[-rest:], b"") if rest else (*lines, b""))


@lru_cache(maxsize=4096)
def _cutter(lines: int) -> Struct:
    return Struct(f"{_LINE}s" * lines)
