"""The index by which a row with an address finds the lead of its company that has none yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0005_rollup_due")]
    operations = [
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(fields=["company"], name="lead_unmailed", condition=models.Q(email="")),
        ),
    ]
