"""The kinds of activity that the forms room writes. Codes are stored: never change or reuse one."""

from hagukumi.ledger.kinds import Kind
from hagukumi.ledger.objects import Object

FORM_SUBMITTED = Kind(
    20, "form_submitted", "フォーム回答", "Form answered", "forms", "form", object="form", own=True, evidence=1
)
CONTENT_DOWNLOADED = Kind(
    21,
    "content_downloaded",
    "資料ダウンロード",
    "Content downloaded",
    "file-download",
    "form",
    object="content",
    own=True,
    evidence=2,
)

KINDS = (FORM_SUBMITTED, CONTENT_DOWNLOADED)

OBJECTS = (Object("form"), Object("content", "title"))
