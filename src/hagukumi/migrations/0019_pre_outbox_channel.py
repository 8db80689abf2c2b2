from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0018_pre_handovers_answered")]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="channel",
            field=models.CharField(db_default="email", default="email", max_length=12),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "queued")), fields=["channel", "due_at"], name="delivery_due"
            ),
        ),
    ]
