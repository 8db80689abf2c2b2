"""Companies are told apart by their legal form and where it stands; a bare name is looked up by the name's core."""

from django.db import migrations, models

FORWARD = """
UPDATE company
SET match_key = left(CASE form_position WHEN 'front' THEN legal_form || match_key ELSE match_key || legal_form END, 200)
WHERE legal_form <> ''
"""
BACKWARD = """
UPDATE company
SET match_key = CASE form_position WHEN 'front' THEN substr(match_key, length(legal_form) + 1)
                ELSE left(match_key, -length(legal_form)) END
WHERE legal_form <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0008_pre_consent_stops_kept")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddField(
            model_name="company",
            name="match_core",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.expressions.RawSQL(
                    "(CASE form_position WHEN 'front' THEN substr(match_key, length(legal_form) + 1)"
                    " WHEN 'back' THEN left(match_key, -greatest(length(legal_form), 1)) ELSE match_key END)",
                    (),
                ),
                output_field=models.CharField(max_length=200),
            ),
        ),
        migrations.AddIndex(model_name="company", index=models.Index(fields=["match_core"], name="company_core")),
        migrations.CreateModel(
            name="ImportNotice",
            fields=[
                ("pk", models.CompositePrimaryKey("import_id", "row_no", "column", serialize=False)),
                ("import_id", models.BigIntegerField()),
                ("row_no", models.IntegerField()),
                ("column", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=30)),
                ("value", models.CharField(db_default="", default="", max_length=200)),
            ],
            options={"db_table": "import_notice"},
        ),
    ]
