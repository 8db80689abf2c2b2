"""Broadcasts: one message to many at one time."""

from django.db import models


class Broadcast(models.Model):
    """One mail to one segment at one time. `state`: draft, scheduled, sending, paused, done, cancelled, or
    empty: when it began nobody was there to send it to.

    What is over a person's daily cap is carried over to the next days, until `carry_until` (NULL = CARRY_DAYS).
    """

    message = models.ForeignKey("hagukumi.Message", models.PROTECT)
    segment = models.ForeignKey("hagukumi.Segment", models.PROTECT)
    state = models.CharField(max_length=10, default="draft", db_default="draft")
    scheduled_at = models.DateTimeField(null=True)
    carry_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey("hagukumi.User", models.PROTECT, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "broadcast"
