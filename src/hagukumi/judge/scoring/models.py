"""Score models: versioned rules, attribute and behaviour apart, and each person's present points."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ScoreModel(models.Model):
    """One way of scoring; `live` is the version in force."""

    name = models.CharField(max_length=80)
    live = models.ForeignKey("hagukumi.ScoreVersion", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "score_model"


class ScoreVersion(models.Model):
    """Immutable once published. `rules`: as `scoring.rules.Rule`; maxima and threshold in points."""

    model = models.ForeignKey(ScoreModel, models.CASCADE)
    number = models.SmallIntegerField()
    rules = models.JSONField()
    attribute_max = models.SmallIntegerField()
    behaviour_max = models.SmallIntegerField()
    threshold = models.SmallIntegerField()
    published_at = models.DateTimeField(null=True)
    built_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey("hagukumi.User", models.PROTECT, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "score_version"
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="score_version_number")]


class LeadScore(models.Model):
    """`matched` holds the keys of the rules that give points now; sums are after the maxima."""

    pk = models.CompositePrimaryKey("lead_id", "model_id")
    lead_id = models.BigIntegerField()
    model_id = models.BigIntegerField()
    version_id = models.BigIntegerField()
    attribute = models.SmallIntegerField()
    behaviour = models.SmallIntegerField()
    total = models.SmallIntegerField(db_index=True)
    matched = ArrayField(models.CharField(max_length=40), default=list)
    at = models.DateTimeField()

    class Meta:
        db_table = "lead_score"
