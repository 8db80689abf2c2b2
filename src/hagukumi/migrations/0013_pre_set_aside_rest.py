"""What was set aside rests, and is tried again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0012_post_accounts_addresses")]
    operations = [
        migrations.AddField("setaside", "resting", models.BooleanField(default=True, db_default=True)),
        migrations.AddField("setaside", "tries", models.IntegerField(default=1, db_default=1)),
        migrations.AddField("setaside", "retry_at", models.DateTimeField(null=True)),
    ]
