from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0010_pre_phase_cause")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="kind_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
