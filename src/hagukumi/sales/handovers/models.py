"""Handover from marketing to sales."""

from django.db import models


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
        indexes = [
            models.Index(fields=["state", "due_at"], name="handover_state"),
            models.Index(fields=["state", "answered_at", "id"], name="handover_answered"),
        ]
