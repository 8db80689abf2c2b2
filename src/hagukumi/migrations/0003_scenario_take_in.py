"""Scenarios: take in present members bit by bit; bound a beat's moves by (due_at, lead_id)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0002_ledger")]
    operations = [
        migrations.AddField("scenario", "take_in_after", models.BigIntegerField(null=True)),
        migrations.RemoveIndex("enrollment", "enrollment_due"),
        migrations.AddIndex(
            "enrollment",
            models.Index(
                fields=["version_id", "node", "due_at", "lead_id"],
                name="enrollment_due",
                condition=models.Q(state="active"),
            ),
        ),
    ]
