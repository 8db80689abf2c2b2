"""One row for each message that was meant to reach a person, and what became of it."""

from django.db import models


class Delivery(models.Model):
    """One row per send key (lead, message, occurrence). `state`: queued, sending, sent, failed, skipped, unknown.

    `channel`: the key of an `outbox.channel.Channel`; ids of messages come from one sequence for all channels.
    `occurrence` names the cause: `b<broadcast>`, `s<scenario>.<visit>.<node>`, `t<test>`. `due_at` is when a queued row
    may go (its first time, or the retry after a soft failure). `reason` is a code of `outbox.channel.reason_text`.
    """

    pk = models.CompositePrimaryKey("lead_id", "message_id", "occurrence")
    lead_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    occurrence = models.CharField(max_length=60)
    id = models.BigIntegerField()  # from sequence delivery_id_seq: short, for tokens
    channel = models.CharField(max_length=12, default="email", db_default="email")
    broadcast_id = models.BigIntegerField(null=True)
    scenario_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, default="queued", db_default="queued")
    reason = models.CharField(max_length=30, default="", db_default="")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_by = models.CharField(max_length=40, default="", db_default="")
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=254, default="", db_default="")
    receipt = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        db_table = "delivery"
        indexes = [
            models.Index(fields=["channel", "due_at"], name="delivery_due", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="delivery_sending", condition=models.Q(state="sending")),
            models.Index(fields=["message_id", "state"], name="delivery_message"),
            models.Index(fields=["id"], name="delivery_id"),
        ]
