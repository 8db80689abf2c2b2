"""Handover from marketing to sales, and the deals that follow."""

from django.db import models


class DealStage(models.Model):
    key = models.SlugField(max_length=20, primary_key=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    position = models.SmallIntegerField()

    class Meta:
        db_table = "deal_stage"


class Handover(models.Model):
    """A ready lead given to sales. `state`: open, accepted, returned. `packet` is the evidence at that moment."""

    pk = models.CompositePrimaryKey("lead_id", "id")
    lead_id = models.BigIntegerField()
    id = models.BigIntegerField()  # from sequence handover_id_seq
    state = models.CharField(max_length=10, default="open", db_default="open")
    cause = models.CharField(max_length=120, default="", db_default="")
    packet = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by_id = models.BigIntegerField(null=True)
    return_reason = models.CharField(max_length=30, default="", db_default="")
    note = models.TextField(default="", db_default="")

    class Meta:
        db_table = "handover"
        indexes = [models.Index(fields=["state", "due_at"], name="handover_state")]


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
