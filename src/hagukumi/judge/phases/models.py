"""Phase models: any number side by side, moved by rules forward and back, with reason and history."""

from django.db import models


class PhaseModel(models.Model):
    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, default="", db_default="")
    is_primary = models.BooleanField(default=False, db_default=False)
    built_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "phase_model"


class Phase(models.Model):
    """`position` counts from 0; `hue` is the step of the house's phase scale (0 pale .. 4 deep)."""

    model = models.ForeignKey(PhaseModel, models.CASCADE)
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, default="", db_default="")
    position = models.SmallIntegerField()
    hue = models.SmallIntegerField()

    class Meta:
        db_table = "phase"
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="phase_key")]


class PhaseRule(models.Model):
    """When a lead in `source_phase` meets `tree`, it moves to `target_phase`; `reason` is what history shows."""

    model = models.ForeignKey(PhaseModel, models.CASCADE)
    source_phase = models.ForeignKey(Phase, models.CASCADE, related_name="+")
    target_phase = models.ForeignKey(Phase, models.CASCADE, related_name="+")
    tree = models.JSONField()
    reason = models.CharField(max_length=120)
    reason_en = models.CharField(max_length=120, default="", db_default="")
    priority = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "phase_rule"


class LeadPhase(models.Model):
    """Where each person stands in each model; history is in the ledger.

    `cause`: start (first placement), rule, person, scenario, or the word of a higher room (returned). `reason` is what
    was typed or what the rule said at that moment; for returned, the key of the return reason.
    """

    pk = models.CompositePrimaryKey("lead_id", "model_id")
    lead_id = models.BigIntegerField()
    model_id = models.BigIntegerField()
    phase_id = models.BigIntegerField()
    since = models.DateTimeField()
    rule_id = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=10, default="person", db_default="person")
    reason = models.CharField(max_length=200, default="", db_default="")
    user_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "lead_phase"
        indexes = [models.Index(fields=["phase_id", "-since"], name="lead_phase_phase")]
