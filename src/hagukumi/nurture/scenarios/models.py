"""Scenarios: published graphs are immutable; one enrolment row per (lead, scenario, visit)."""

from django.db import models


class Scenario(models.Model):
    """`state`: draft, running, paused, stopping, stopped. `draft`: the graph being edited; `version`: the one in force.

    `take_in_after` is set while members who were there before publishing are being taken in: the last lead_id done.
    """

    name = models.CharField(max_length=120)
    state = models.CharField(max_length=10, default="draft", db_default="draft")
    draft = models.JSONField(default=dict)
    version = models.ForeignKey("hagukumi.ScenarioVersion", models.PROTECT, null=True, related_name="+")
    take_in_after = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "scenario"


class ScenarioVersion(models.Model):
    """`graph`: {schema, entry, nodes[]} as `scenarios.rules.Graph` validates it; `layout`: node -> [x, y]."""

    scenario = models.ForeignKey(Scenario, models.CASCADE)
    number = models.SmallIntegerField()
    graph = models.JSONField()
    layout = models.JSONField(default=dict)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey("hagukumi.User", models.PROTECT, null=True)

    class Meta:
        db_table = "scenario_version"
        constraints = [models.UniqueConstraint(fields=["scenario", "number"], name="scenario_version_number")]


class Enrollment(models.Model):
    """`state`: active, done, exited. `entry_fact` is the instant, in microseconds, of the fact that let the person in.

    `node` is where the person stands: a wait, a branch, or `rules.ENTRY`, the door; `due_at` is when to move on.
    """

    pk = models.CompositePrimaryKey("lead_id", "scenario_id", "visit")
    lead_id = models.BigIntegerField()
    scenario_id = models.BigIntegerField()
    visit = models.IntegerField()
    version_id = models.BigIntegerField()
    node = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="active", db_default="active")
    entry_fact = models.BigIntegerField()
    entered_at = models.DateTimeField()
    node_since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "enrollment"
        constraints = [
            models.UniqueConstraint(fields=["lead_id", "scenario_id", "entry_fact"], name="enrollment_once_per_fact")
        ]
        indexes = [
            models.Index(
                fields=["version_id", "node", "due_at"], name="enrollment_due", condition=models.Q(state="active")
            )
        ]


class ScenarioNodeCount(models.Model):
    """How many people have left each node by each exit, kept by the tick."""

    pk = models.CompositePrimaryKey("version_id", "node", "exit")
    version_id = models.BigIntegerField()
    node = models.CharField(max_length=40)
    exit = models.CharField(max_length=20)
    count = models.BigIntegerField()

    class Meta:
        db_table = "scenario_node_count"
