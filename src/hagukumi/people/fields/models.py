"""A customer's own fields."""

from django.db import models


class Field(models.Model):
    """A customer's own field. `type`: text, number, date, choice, bool. Values live in `lead.fields[key]`."""

    key = models.SlugField(max_length=40, unique=True)
    type = models.CharField(max_length=10)
    label_ja = models.CharField(max_length=60)
    label_en = models.CharField(max_length=60)
    choices = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "field"
