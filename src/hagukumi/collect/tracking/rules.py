"""Words of the tracking room: why events leave, what pages mean, what a site's address looks like. Pure."""

import re
from urllib.parse import urlsplit

DROP_REASONS: dict[str, tuple[str, str]] = {
    "bot": ("ボット", "Bot"),
    "prefetch": ("先読み", "Prefetch"),
    "foreign": ("未登録のサイト", "Unregistered site"),
    "too_large": ("大きすぎる", "Too large"),
    "malformed": ("形式の誤り", "Malformed"),
    "too_old": ("古すぎる", "Too old"),
    "future": ("未来の時刻", "In the future"),
    "rate": ("多すぎる", "Too many"),
    "trap": ("フォームの迷惑送信", "Form spam"),
    "repeat": ("重複", "Repeat"),
    "unknown": ("該当者なし", "Nobody of ours"),
}
"""Codes as stored in `dropped.reason`: (Japanese, English). The collector's own are `collector.pipeline.Drop`."""

CATEGORIES: dict[str, tuple[str, str]] = {
    "product": ("製品", "Product"),
    "price": ("価格", "Price"),
    "case": ("事例", "Case study"),
    "download": ("資料", "Downloads"),
    "contact": ("問い合わせ", "Contact"),
    "seminar": ("セミナー", "Seminar"),
    "company": ("会社・採用", "Company"),
    "blog": ("記事", "Article"),
}
"""What a page means, as stored in `page.category` ('' = not marked)."""


_HOST = re.compile(r"(?=.{1,190}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def origin(address: str) -> str:
    """`https://www.example.co.jp` of an address or a bare host name; ValueError where there is none.

    The host is letters, digits, hyphens and dots alone (RFC 1123): an origin is written into policies of pages, where
    a semicolon or a blank would begin a rule of its own.
    """
    text = address.strip().lower()
    if "://" not in text:
        text = f"https://{text}"
    parts = urlsplit(text)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or ("." not in host and host != "localhost"):
        raise ValueError(address)
    host = host.encode("idna").decode().rstrip(".")
    if not _HOST.fullmatch(host):
        raise ValueError(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}"


def is_origin(text: str) -> bool:
    """Whether this is an origin as `origin` writes it, and nothing more."""
    try:
        return origin(text) == text
    except (ValueError, UnicodeError):
        return False
