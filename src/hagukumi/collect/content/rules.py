"""What may be uploaded and what it is called. Pure."""

from pathlib import PurePath

KINDS = {
    "whitepaper": ("ホワイトペーパー", "White paper"),
    "case": ("事例", "Case study"),
    "catalog": ("カタログ", "Catalogue"),
    "checklist": ("チェックリスト", "Checklist"),
    "roi": ("投資効果の試算", "ROI calculator"),
    "slides": ("講演資料", "Slides"),
    "video": ("動画", "Video"),
    "other": ("その他", "Other"),
}
MAX_BYTES = 100 * 1024 * 1024
TYPES: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", (b"PK\x03\x04",)),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (b"PK\x03\x04",)),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (b"PK\x03\x04",)),
    ".zip": ("application/zip", (b"PK\x03\x04", b"PK\x05\x06")),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".mp4": ("video/mp4", ()),
}
"""Ending -> media type and how such a file begins (() = judged by the ending and `ftyp` alone)."""


def type_of(name: str) -> str:
    """The media type that a file of this name is served as."""
    return TYPES.get(PurePath(name).suffix.lower(), ("application/octet-stream", ()))[0]


def refusal(name: str, size: int, head: bytes) -> str:
    """Why a file is not taken: `type`, `empty`, `large`, `content` (it is not what its name says), or ''."""
    ending = PurePath(name).suffix.lower()
    if ending not in TYPES:
        return "type"
    if size == 0:
        return "empty"
    if size > MAX_BYTES:
        return "large"
    if ending == ".mp4":
        return "" if head[4:8] == b"ftyp" else "content"
    return "" if head.startswith(TYPES[ending][1]) else "content"


def safe_name(name: str) -> str:
    """The name that a downloader sees: no folder, no control characters, at most 180 characters with its ending."""
    base = PurePath(name.replace("\\", "/")).name
    base = "".join(char for char in base if char.isprintable() and char not in '"<>|:*?')
    stem, dot, ending = base.rpartition(".")
    return f"{stem[:170] or 'file'}{dot}{ending[:9]}"
