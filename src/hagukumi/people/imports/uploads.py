"""Uploaded files: kept under the home folder by a random name, and deleted when their time is over."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db.models.functions import Coalesce

from hagukumi.kit.tables import TableError

from .models import Import, ImportRow

MAX_UPLOAD_MB = 500
KEPT_DAYS = 30
"""For how long after an import its file is kept, in case somebody asks what was in it."""
_CHUNK = 1 << 20


def store(upload: BinaryIO) -> Path:
    """Keep an uploaded file under the home folder by a random name. TableError `too_big` past the limit."""
    folder = Path(settings.MEDIA_ROOT) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)
    size = 0
    with path.open("wb") as file:
        while chunk := upload.read(_CHUNK):
            size += len(chunk)
            if size > MAX_UPLOAD_MB * 1_000_000:
                break
            file.write(chunk)
    if size > MAX_UPLOAD_MB * 1_000_000:
        path.unlink()
        raise TableError("too_big", megabytes=MAX_UPLOAD_MB)
    return path


def forget_uploads(now: datetime) -> int:
    """Delete the files of imports that ended, or were never started, KEPT_DAYS ago, and how their rows came out.

    What came of them stays.

    Returns how many files went. A queued or running import keeps its file.
    """
    over = Import.objects.exclude(path="").exclude(state__in=("queued", "running"))
    over = over.annotate(since=Coalesce("ended_at", "created_at")).filter(since__lt=now - timedelta(days=KEPT_DAYS))
    for item in over:
        Path(item.path).unlink(missing_ok=True)
        ImportRow.objects.filter(import_id=item.id).delete()
        item.path = ""
        item.save(update_fields=["path"])
    return len(over)
