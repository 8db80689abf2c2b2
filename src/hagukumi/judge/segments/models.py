"""Segments: a condition tree and its materialised members."""

from django.db import models


class Segment(models.Model):
    """`tree` is a `segments.conditions` document. `built_at` null means: rebuild at the next beat."""

    key = models.SlugField(max_length=40, null=True, unique=True)
    name = models.CharField(max_length=80)
    tree = models.JSONField()
    next_action = models.CharField(max_length=200, default="", db_default="", blank=True)
    built_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "segment"


class SegmentMember(models.Model):
    """`operation_id`: the build that let the lead in; null where a fact did, which the ledger then has."""

    pk = models.CompositePrimaryKey("lead_id", "segment_id")
    lead_id = models.BigIntegerField()
    segment_id = models.BigIntegerField()
    since = models.DateTimeField()
    operation_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "segment_member"
        indexes = [models.Index(fields=["segment_id", "lead_id"], name="segment_member_segment")]


class SegmentPast(models.Model):
    """A membership that is over, where a build began or ended it: what the ledger's facts alone do not tell.

    `entered_by`, `left_by`: the operation; null where a fact of the ledger says it.
    """

    pk = models.CompositePrimaryKey("lead_id", "segment_id", "since")
    lead_id = models.BigIntegerField()
    segment_id = models.BigIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    entered_by = models.BigIntegerField(null=True)
    left_by = models.BigIntegerField(null=True)

    class Meta:
        db_table = "segment_past"


class ConditionDue(models.Model):
    """When time alone may change an answer: look at this lead again for this owner at `due_at`.

    `owner`: segment, score, phase; `object_id`: the segment, score version or phase rule.
    """

    pk = models.CompositePrimaryKey("lead_id", "owner", "object_id")
    lead_id = models.BigIntegerField()
    owner = models.CharField(max_length=8)
    object_id = models.BigIntegerField()
    due_at = models.DateTimeField()

    class Meta:
        db_table = "condition_due"
        indexes = [models.Index(fields=["owner", "due_at"], name="condition_due_at")]
