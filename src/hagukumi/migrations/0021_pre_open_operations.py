from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0020_post_outbox_channel")]

    operations = [
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["owner"], name="operation_open", condition=models.Q(ended_at=None)),
        ),
    ]
