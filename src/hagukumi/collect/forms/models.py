"""Forms that people answer, and their answers."""

from django.db import models


class Form(models.Model):
    """`kind`: inquiry, download, seminar, survey. The live definition is `version`; versions never change."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=10, default="draft", db_default="draft")
    version = models.ForeignKey("hagukumi.FormVersion", models.PROTECT, null=True, related_name="+")
    source = models.ForeignKey("hagukumi.Source", models.PROTECT, null=True)
    content = models.ForeignKey("hagukumi.Content", models.PROTECT, null=True)
    created_at = models.DateTimeField()

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
