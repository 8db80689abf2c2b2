"""How each row of an import came out. No key: it is written once by one statement and read whole."""

from django.db import migrations, models

FORWARD = """
CREATE TABLE import_row (
    import_id bigint NOT NULL,
    lead_id bigint NOT NULL,
    row_no int NOT NULL,
    outcome smallint NOT NULL
);
CREATE INDEX import_row_import ON import_row USING brin (import_id) WITH (pages_per_range = 32, autosummarize = on);
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0023_post_ledger_row")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARD, "DROP TABLE import_row")],
            state_operations=[
                migrations.CreateModel(
                    name="ImportRow",
                    fields=[
                        ("pk", models.CompositePrimaryKey("import_id", "row_no", serialize=False)),
                        ("import_id", models.BigIntegerField()),
                        ("lead_id", models.BigIntegerField()),
                        ("row_no", models.IntegerField()),
                        ("outcome", models.SmallIntegerField()),
                    ],
                    options={"db_table": "import_row"},
                )
            ],
        )
    ]
