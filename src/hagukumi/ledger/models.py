"""The one ledger: `activity` (everything that happens), `pulse` (not yet thought about), and how the heart is doing."""

from django.db import models


class Activity(models.Model):
    """One thing that happened to one person. Partitioned by month of `at`; made by SQL, so not managed here."""

    pk = models.CompositePrimaryKey("lead_id", "at", "id")
    lead_id = models.BigIntegerField()
    at = models.DateTimeField()
    id = models.BigIntegerField()
    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField(null=True)
    amount = models.FloatField(null=True)
    channel = models.SmallIntegerField(null=True)
    origin_lead_id = models.BigIntegerField(null=True)
    details = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "activity"


class Pulse(models.Model):
    """A fact that the rooms have not yet reacted to. One beat takes a batch and deletes it in the same transaction."""

    lead_id = models.BigIntegerField()
    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    hop = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "pulse"


class ActivityDay(models.Model):
    """Rollup of the ledger: per JST day, kind and object, how often and by how many people."""

    pk = models.CompositePrimaryKey("day", "kind", "object_id")
    day = models.DateField()
    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField()
    count = models.BigIntegerField()
    leads = models.BigIntegerField()

    class Meta:
        db_table = "activity_day"


class HeartStep(models.Model):
    """How each step of the beat is doing."""

    step = models.CharField(max_length=40, primary_key=True)
    last_success_at = models.DateTimeField(null=True)
    lag_seconds = models.FloatField(default=0, db_default=0)
    took_ms = models.FloatField(default=0, db_default=0)
    error = models.TextField(default="", db_default="")

    class Meta:
        db_table = "heart_step"


class SetAside(models.Model):
    """A definition that failed in a beat. While `resting` it is left out; at `retry_at` it is tried again."""

    owner = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    error = models.TextField()
    at = models.DateTimeField()
    resting = models.BooleanField(default=True, db_default=True)
    tries = models.IntegerField(default=1, db_default=1)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "set_aside"
        constraints = [models.UniqueConstraint(fields=["owner", "object_id"], name="set_aside_once")]
