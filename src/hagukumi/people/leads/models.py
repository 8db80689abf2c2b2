"""The one lead database: people (known or anonymous), and what identifies them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from hagukumi.kit.columns import COLUMNS, Column


class Lead(models.Model):
    """One row a person. Anonymous visitors have `known_at` null; a merged row has state 'merged' and `merged_into`.

    `rank` is exec, manager, staff or ''. `missing` (generated) counts the unfilled fields of M3: 0 = リード成立.
    """

    lead_id = models.BigAutoField(primary_key=True)
    known_at = models.DateTimeField(null=True)
    last_name = models.CharField(max_length=60, default="", db_default="")
    first_name = models.CharField(max_length=60, default="", db_default="")
    last_kana = models.CharField(max_length=60, default="", db_default="")
    first_kana = models.CharField(max_length=60, default="", db_default="")
    company_name = models.CharField(max_length=200, default="", db_default="")
    company = models.ForeignKey("hagukumi.Company", models.SET_NULL, null=True, db_constraint=False)
    department = models.CharField(max_length=120, default="", db_default="")
    title = models.CharField(max_length=120, default="", db_default="")
    rank = models.CharField(max_length=10, default="", db_default="")
    email = models.CharField(max_length=254, default="", db_default="")
    phone = models.CharField(max_length=30, default="", db_default="")
    phone_extension = models.CharField(max_length=10, default="", db_default="")
    mobile = models.CharField(max_length=30, default="", db_default="")
    postal_code = models.CharField(max_length=8, default="", db_default="")
    prefecture = models.CharField(max_length=10, default="", db_default="")
    address = models.CharField(max_length=300, default="", db_default="")
    issue = models.TextField(default="", db_default="", blank=True)
    timeframe = models.CharField(max_length=60, default="", db_default="")
    users_expected = models.IntegerField(null=True)
    place = models.CharField(max_length=120, default="", db_default="")
    source = models.ForeignKey("hagukumi.Source", models.PROTECT, null=True, db_constraint=False)
    owner = models.ForeignKey("hagukumi.User", models.SET_NULL, null=True, db_constraint=False)
    state = models.CharField(max_length=15, default="active", db_default="active")
    merged_into = models.BigIntegerField(null=True)
    fields = models.JSONField(default=dict)
    missing = models.GeneratedField(
        expression=models.expressions.RawSQL(
            "((last_name = '')::int + (company_name = '')::int + (department = '')::int + (title = '')::int"
            " + (email = '')::int + (phone = '' AND mobile = '')::int)",
            (),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "lead"
        indexes = [
            models.Index(
                fields=["-known_at", "-lead_id"], name="lead_known", condition=models.Q(known_at__isnull=False)
            ),
            models.Index(fields=["company"], name="lead_company"),
            models.Index(fields=["company"], name="lead_unmailed", condition=models.Q(email="")),
            models.Index(fields=["owner"], name="lead_owner", condition=models.Q(owner__isnull=False)),
        ]


def _field(line: Column) -> models.Field:
    if line.type == "number":
        return models.IntegerField(null=True)
    if line.type == "area":
        return models.TextField(default="", db_default="", blank=True)
    return models.CharField(max_length=line.limit, default="", db_default="")


for _line in COLUMNS.values():  # the columns above are spelled out for readers and type checkers; a new one need not be
    if not hasattr(Lead, _line.key):
        Lead.add_to_class(_line.key, _field(_line))


class LeadIdentity(models.Model):
    """What identifies a person: kind `email`, `visitor`, `phone_name`, `crm`; `value` is normalised (kit.ja).

    Kind `arrived`: the value is a visitor that a mail alone has tied to its reader, the lead who it was before.
    """

    pk = models.CompositePrimaryKey("kind", "value")
    kind = models.CharField(max_length=12)
    value = models.CharField(max_length=254)
    lead_id = models.BigIntegerField(db_index=True)

    class Meta:
        db_table = "lead_identity"


class LeadTag(models.Model):
    pk = models.CompositePrimaryKey("lead_id", "tag")
    lead_id = models.BigIntegerField()
    tag = models.CharField(max_length=60)

    class Meta:
        db_table = "lead_tag"
        indexes = [models.Index(fields=["tag"], name="lead_tag_tag")]


class LeadSearch(models.Model):
    """Two-character grams of name, kana, company, mail and phone, kept by the beat (`leads.queries.refresh_search`)."""

    lead_id = models.BigIntegerField(primary_key=True)
    grams = ArrayField(models.TextField())

    class Meta:
        db_table = "lead_search"
        indexes = [GinIndex(fields=["grams"], name="lead_search_grams")]


class LeadRecency(models.Model):
    """When a known person last did something themselves (a visit, an open, an answer ...), kept by the beat."""

    lead_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "lead_recency"
        indexes = [models.Index(fields=["-at", "-lead_id"], name="lead_recency_at")]


class Employment(models.Model):
    """The lead's companies over time; the open row (`ended_on` null) is the present one."""

    pk = models.CompositePrimaryKey("lead_id", "started_on")
    lead_id = models.BigIntegerField()
    started_on = models.DateField()
    ended_on = models.DateField(null=True)
    company_id = models.BigIntegerField(null=True)
    company_name = models.CharField(max_length=200, default="", db_default="")
    department = models.CharField(max_length=120, default="", db_default="")
    title = models.CharField(max_length=120, default="", db_default="")

    class Meta:
        db_table = "employment"
