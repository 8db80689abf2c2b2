"""Days of the ledger that are to be counted anew; answers found by their event."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0004_lead_search")]
    operations = [
        migrations.CreateModel(
            name="RollupDue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "kind", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("kind", models.SmallIntegerField()),
                ("due_at", models.DateTimeField()),
            ],
            options={"db_table": "rollup_due"},
        ),
        migrations.AddIndex("submission", models.Index(fields=["event_id"], name="submission_event")),
    ]
