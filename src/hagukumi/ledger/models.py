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
    origin_lead_id = models.BigIntegerField(null=True)
    details = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "activity"


class Pulse(models.Model):
    """A fact that the rooms have not yet reacted to. One beat takes a batch and deletes it in the same transaction.

    `lane`: 0 live, 1 bulk (an import, a definition being built); live ones are taken first. `is_fact` is false where
    something is only to be asked again: no row of the ledger stands behind it.
    """

    lead_id = models.BigIntegerField()
    kind = models.SmallIntegerField()
    object_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    hop = models.SmallIntegerField(default=0, db_default=0)
    lane = models.SmallIntegerField(default=0, db_default=0)
    is_fact = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "pulse"
        indexes = [models.Index(fields=["id"], name="pulse_live", condition=models.Q(lane=0))]


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


class Operation(models.Model):
    """What was done to many people in one go: a definition was built. Their rows name it; the ledger has no fact each.

    `owner`: segment, score, phase_model; `ended_at` is null while it is under way; `entered` and `left` count people.
    """

    kind = models.CharField(max_length=10)
    owner = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    entered = models.BigIntegerField(default=0, db_default=0)
    left = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "operation"
        indexes = [
            models.Index(fields=["owner", "object_id", "at"], name="operation_object"),
            models.Index(fields=["owner"], name="operation_open", condition=models.Q(ended_at=None)),
        ]


class BuildMissed(models.Model):
    """Whom facts concerned while a definition was being built aside: the first beats after it ask them again."""

    pk = models.CompositePrimaryKey("owner", "object_id", "lead_id")
    owner = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    lead_id = models.BigIntegerField()

    class Meta:
        db_table = "build_missed"
