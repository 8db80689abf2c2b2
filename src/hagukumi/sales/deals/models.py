"""Deals: what a handed-over lead may become."""

from django.db import models


class DealStage(models.Model):
    key = models.SlugField(max_length=20, primary_key=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    position = models.SmallIntegerField()

    class Meta:
        db_table = "deal_stage"


class Deal(models.Model):
    """`outcome`: '' while open, won or lost; `stage` is a DealStage key; `amount_yen` null until known."""

    pk = models.CompositePrimaryKey("lead_id", "id")
    lead_id = models.BigIntegerField()
    id = models.BigIntegerField()  # from sequence deal_id_seq
    name = models.CharField(max_length=160)
    amount_yen = models.BigIntegerField(null=True)
    stage = models.CharField(max_length=20)
    outcome = models.CharField(max_length=5, default="", db_default="")
    reason = models.CharField(max_length=200, default="", db_default="")
    owner_id = models.BigIntegerField(null=True)
    expected_on = models.DateField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "deal"
        indexes = [models.Index(fields=["outcome", "stage"], name="deal_by_stage")]
