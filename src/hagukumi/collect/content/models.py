"""What can be read or downloaded: a whitepaper, a case study, a checklist."""

from django.db import models


class Content(models.Model):
    """A downloadable piece. `kind`: `content.rules.KINDS`. Its file is served by a signed link."""

    title = models.CharField(max_length=160)
    kind = models.CharField(max_length=20)
    summary = models.TextField(default="", db_default="", blank=True)
    file_name = models.CharField(max_length=200, default="", db_default="")
    path = models.CharField(max_length=300, default="", db_default="")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "content"
