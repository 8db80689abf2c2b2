"""Verbs of content: keep a file, make a signed link to it, open one."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Protocol

from django.conf import settings
from django.db import transaction

from hagukumi.accounts import audit
from hagukumi.kit import tokens

from . import rules
from .models import Content

LINK_LIFE = timedelta(days=7)


class Upload(Protocol):
    """What Django's uploaded files offer."""

    name: str
    size: int

    def chunks(self, chunk_size: int | None = None) -> Iterable[bytes]: ...


@dataclass(frozen=True)
class Opened:
    """A link that holds: who it was made for (0 = whoever gave the answer `event`), and the piece."""

    lead_id: int
    content: Content
    event: str


def folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "content"


def save(piece: Content, upload: Upload | None, now: datetime, **facts: str) -> Content:
    """Keep a piece's facts (title, kind, summary) and, where one is given, its file; what differs is written down."""
    with transaction.atomic():
        before = {key: getattr(piece, key) if piece.pk else "" for key in facts} | {"file": piece.file_name}
        for key, value in facts.items():
            setattr(piece, key, value)
        piece.save()
        if upload:
            keep_file(piece, upload)
        changes = audit.changed(before, {**facts, "file": piece.file_name})
        if changes:
            audit.record("content.saved", "content", piece.pk, now, changes=changes, name=piece.title)
    return piece


def keep_file(content: Content, upload: Upload) -> str:
    """Store an upload under a random name and let the piece point to it; a refusal code of `rules`, or ''."""
    chunks = iter(upload.chunks())
    head = next(chunks, b"")
    if reason := rules.refusal(upload.name, upload.size, head[:16]):
        return reason
    folder().mkdir(parents=True, exist_ok=True)
    name = secrets.token_urlsafe(18) + PurePath(upload.name).suffix.lower()
    with (folder() / name).open("wb") as file:
        file.write(head)
        for chunk in chunks:
            file.write(chunk)
    old, content.path, content.file_name = content.path, f"content/{name}", rules.safe_name(upload.name)
    content.save(update_fields=["path", "file_name"])
    if old:
        (Path(settings.MEDIA_ROOT) / old).unlink(missing_ok=True)
    return ""


def file_path(content: Content) -> Path | None:
    """Where the piece's file lies, or None; never outside the content folder."""
    if not content.path:
        return None
    path = (Path(settings.MEDIA_ROOT) / content.path).resolve()
    return path if path.is_relative_to(folder().resolve()) and path.is_file() else None


def download_link(content_id: int, now: datetime, *, lead_id: int = 0, event: str = "") -> str:
    """The address (path) of a signed link for one person, or for whoever gave the answer `event`."""
    expires = int((now + LINK_LIFE).timestamp())
    return f"/d/{tokens.seal('download', lead_id, content_id, expires, text=event)}"


def open_link(token: str, now: datetime) -> Opened | None:
    """What a link leads to; None where it is not ours, has expired, or the piece is gone."""
    try:
        (lead_id, content_id, expires), event = tokens.unseal("download", token)
    except (tokens.BadTokenError, ValueError):
        return None
    content = Content.objects.filter(pk=content_id).first()
    if content is None or expires < now.timestamp():
        return None
    return Opened(lead_id, content, event)
