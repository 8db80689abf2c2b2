"""Verbs of the imports: a file is stored, drafted and looked at, handed to the worker, and may be stopped.

`uploads` keeps the files, `drafts` says what would be done with one, `running` takes it in.
"""

from datetime import datetime

from django.db import transaction

from hagukumi.accounts import audit

from . import jobs
from .drafts import Preview as Preview
from .drafts import change_encoding as change_encoding
from .drafts import change_mapping as change_mapping
from .drafts import change_sheet as change_sheet
from .drafts import draft as draft
from .drafts import open_import as open_import
from .drafts import own_labels as own_labels
from .drafts import preview as preview
from .models import Import
from .running import run as run
from .uploads import KEPT_DAYS as KEPT_DAYS
from .uploads import MAX_UPLOAD_MB as MAX_UPLOAD_MB
from .uploads import forget_uploads as forget_uploads
from .uploads import store as store


def start(item: Import, now: datetime) -> bool:
    """Hand a draft to the worker; False when it is no draft any more."""
    with transaction.atomic():
        if not Import.objects.filter(id=item.id, state="draft").update(state="queued"):
            return False
        source = item.source.name if item.source else ""
        audit.record("import.started", "import", item.id, now, name=item.file_name, source=source, basis=item.basis)
        jobs.run_import.defer(import_id=item.id)
    return True


def ask_cancel(import_id: int, now: datetime) -> bool:
    """Stop an import: at once while it waits, at the next moment while it runs. False when it is over already."""
    waiting = Import.objects.filter(id=import_id, state__in=("draft", "queued"))
    with transaction.atomic():
        asked = waiting.update(state="cancelled", cancel_asked=True, ended_at=now) or Import.objects.filter(
            id=import_id, state="running"
        ).update(cancel_asked=True)
        if asked:
            audit.record("import.cancelled", "import", import_id, now)
    return bool(asked)


def told_of_rejects(item: Import, count: int, now: datetime) -> None:
    """Write down that the rows which were not taken were taken out as a file."""
    audit.record("import.rejects_exported", "import", item.id, now, name=item.file_name, count=count)
