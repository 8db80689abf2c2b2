"""Where leads come from."""

from django.db import models


class Source(models.Model):
    """Where leads come from (M1): typed (`rules.SOURCE_TYPES`), dated, costed in yen, with its consent basis."""

    name = models.CharField(max_length=120, unique=True)
    type = models.CharField(max_length=20)
    date = models.DateField(null=True)
    cost_yen = models.BigIntegerField(default=0, db_default=0)
    consent_basis = models.CharField(max_length=20, default="", db_default="")
    note = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "source"
