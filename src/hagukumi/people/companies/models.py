"""Companies and their mail domains. Small next to leads; a reference table when distributed."""

from django.db import models


class Company(models.Model):
    """One company. `match_key` is `kit.ja.company_key(name)`; `sales_yen` is a year's; null = unknown.

    `match_core` (generated) is the key without the legal form: what a bare name is looked up by.
    """

    name = models.CharField(max_length=200)
    legal_form = models.CharField(max_length=20, default="", db_default="")
    form_position = models.CharField(max_length=5, default="", db_default="")
    match_key = models.CharField(max_length=200, unique=True)
    match_core = models.GeneratedField(
        expression=models.expressions.RawSQL(
            "(CASE form_position WHEN 'front' THEN substr(match_key, length(legal_form) + 1)"
            " WHEN 'back' THEN left(match_key, -greatest(length(legal_form), 1)) ELSE match_key END)",
            (),
        ),
        output_field=models.CharField(max_length=200),
        db_persist=True,
    )
    corporate_number = models.CharField(max_length=13, null=True, unique=True)
    industry = models.CharField(max_length=30, default="", db_default="")
    sales_yen = models.BigIntegerField(null=True)
    employees = models.IntegerField(null=True)
    prefecture = models.CharField(max_length=10, default="", db_default="")
    postal_code = models.CharField(max_length=8, default="", db_default="")
    address = models.CharField(max_length=300, default="", db_default="")
    url = models.CharField(max_length=300, default="", db_default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "company"
        indexes = [models.Index(fields=["match_core"], name="company_core")]


class CompanyDomain(models.Model):
    domain = models.CharField(max_length=200, primary_key=True)
    company = models.ForeignKey(Company, models.CASCADE)

    class Meta:
        db_table = "company_domain"
