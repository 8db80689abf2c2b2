"""What reports need of their own: targets. Numbers come from the ledger."""

from django.db import models


class Plan(models.Model):
    """A 受注 target for a month (first day), with the rates assumed, 0-1, from the top stage down."""

    month = models.DateField(unique=True)
    won_target = models.IntegerField()
    rates = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "plan"
