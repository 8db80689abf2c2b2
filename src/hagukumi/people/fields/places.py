"""An address that a file gives in several columns, put together as one. Pure."""

import re
from collections.abc import Sequence

SEPARATOR = "\x1f"
"""Between the pieces of one address while it is still in pieces."""
_ORDER = (
    ("都道府県", "州", "state", "region", "province", "prefecture"),
    ("市区", "市町村", "市郡", "city", "区町村"),
    ("番地", "町名", "町域", "丁目", "住所", "所在地", "street", "address", "地址"),
)
_BUILDING = re.compile(r"建物|ビル|マンション|部屋|(?:住所|address|addressline|street)_?[23２３]", re.IGNORECASE)


def rank(heading: str) -> int:
    """Where the piece of this heading stands in an address as Japan writes it: the larger place first."""
    plain = re.sub(r"[\s_-]", "", heading.lower())
    if _BUILDING.search(plain):
        return len(_ORDER)
    return next((place for place, words in enumerate(_ORDER) if any(word in plain for word in words)), 2)


def join(pieces: Sequence[str], ranks: Sequence[int]) -> str:
    """One address of its pieces, each said once: in Japan's order where it is Japanese, else in that of the file."""
    pairs = [(place, piece) for place, piece in zip(ranks, pieces, strict=True) if piece]
    if not pairs:
        return ""
    if all(piece.isascii() for _, piece in pairs):
        return ", ".join(dict.fromkeys(piece for _, piece in pairs))
    found = ""
    whole = max((piece for _, piece in pairs), key=len)
    for place, piece in sorted(pairs, key=lambda pair: pair[0]):
        if piece in found or (piece is not whole and piece in whole):
            continue
        found += (" " if found and place >= len(_ORDER) else "") + piece
    return found
