"""Forms that people answer, and their answers."""

from django.db import models


class Form(models.Model):
    """`kind`: inquiry, download, seminar, survey. The live definition is `version`; versions never change.

    `double_optin`: a ticked box counts only when its address has confirmed it by mail; null: as the workspace says for
    forms of this kind. `challenge`: a key of `rules.CHALLENGES`. `per_*`: answers taken in an hour; more are held.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=10, default="draft", db_default="draft")
    version = models.ForeignKey("hagukumi.FormVersion", models.PROTECT, null=True, related_name="+")
    source = models.ForeignKey("hagukumi.Source", models.PROTECT, null=True)
    content = models.ForeignKey("hagukumi.Content", models.PROTECT, null=True)
    created_at = models.DateTimeField()
    double_optin = models.BooleanField(null=True)
    challenge = models.CharField(max_length=8, default="none", db_default="none")
    per_caller = models.IntegerField(default=30, db_default=30)
    per_network = models.IntegerField(default=120, db_default=120)
    per_form = models.IntegerField(default=600, db_default=600)

    class Meta:
        db_table = "form"


class FormVersion(models.Model):
    """`definition`: title, lead text, button, thanks, fields[], as `kit.answers` reads it."""

    form = models.ForeignKey(Form, models.CASCADE)
    number = models.SmallIntegerField()
    definition = models.JSONField()
    consent_text = models.ForeignKey("hagukumi.ConsentText", models.PROTECT, null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "form_version"
        constraints = [models.UniqueConstraint(fields=["form", "number"], name="form_version_number")]


class Submission(models.Model):
    pk = models.CompositePrimaryKey("lead_id", "id")
    lead_id = models.BigIntegerField()
    id = models.BigIntegerField()  # from sequence submission_id_seq
    form_id = models.BigIntegerField()
    form_version_id = models.BigIntegerField()
    consent_text_id = models.BigIntegerField(null=True)
    answers = models.JSONField()
    event_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        db_table = "submission"
        indexes = [
            models.Index(fields=["form_id", "-at"], name="submission_form"),
            models.Index(fields=["event_id"], name="submission_event"),
        ]


class HeldAnswer(models.Model):
    """An answer beyond a limit, kept until a person says whether it is one. `reason`: a key of `rules.HELD`."""

    form = models.ForeignKey(Form, models.CASCADE)
    version = models.ForeignKey(FormVersion, models.CASCADE)
    reason = models.CharField(max_length=12)
    address = models.CharField(max_length=45, default="", db_default="")
    visitor = models.CharField(max_length=40, default="", db_default="")
    details = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        db_table = "held_answer"
        indexes = [models.Index(fields=["form", "-at"], name="held_answer_form")]
