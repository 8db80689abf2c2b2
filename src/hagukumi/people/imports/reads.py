"""What screens read of imports: the files, and what of them was not taken in."""

from .models import Import, ImportNotice, ImportReject


def imports(*, before: int | None, limit: int) -> list[Import]:
    """Imports with source and member, newest first; `before` is the id of the last one shown."""
    found = Import.objects.select_related("source", "user").order_by("-id")
    return list((found.filter(id__lt=before) if before else found)[:limit])


def one(import_id: int) -> Import | None:
    return Import.objects.select_related("source", "user").filter(id=import_id).first()


def rejects(import_id: int, limit: int | None = None) -> list[ImportReject]:
    """The rows that were not taken in, in the file's order."""
    return list(ImportReject.objects.filter(import_id=import_id).order_by("row_no")[:limit])


def notices(import_id: int, limit: int) -> tuple[list[ImportNotice], int]:
    """The first cells that were left out of rows taken in, and how many there are in all."""
    found = ImportNotice.objects.filter(import_id=import_id)
    return list(found.order_by("row_no", "column")[:limit]), found.count()
