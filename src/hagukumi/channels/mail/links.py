"""Addresses in Japanese text: where one begins and ends between words that know no blanks, and how values enter it."""

import re
from collections.abc import Callable, Iterator

_START = r"(?:(?<![A-Za-z0-9_.+@/-])|(?<=mkgh))"
"""Not inside a word of Latin letters; right after a Japanese word, or after what is filled in, is a beginning."""
_RUN = re.compile(_START + r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
"""Only the characters of RFC 3986: Japanese letters and full-width marks end an address, whatever stands beside it."""
_PAIRS = {")": "(", "]": "["}
_TRAILING = ".,;:!?'*"


def find(text: str) -> Iterator[tuple[int, int]]:
    """Where the addresses of `text` stand: (start, end) of each, without the punctuation that follows it."""
    for found in _RUN.finditer(text):
        address = _trimmed(found[0])
        if len(address.partition("://")[2]) > 0:
            yield found.start(), found.start() + len(address)


def replace(text: str, change: Callable[[str], str]) -> str:
    """`text` with each address as `change` gives it."""
    parts, last = [], 0
    for start, end in find(text):
        parts += [text[last:start], change(text[start:end])]
        last = end
    return "".join([*parts, text[last:]])


def _trimmed(address: str) -> str:
    while address:
        last = address[-1]
        stray = last in _PAIRS and address.count(last) > address.count(_PAIRS[last])
        if not (stray or last in _TRAILING):
            break
        address = address[:-1]
    return address
