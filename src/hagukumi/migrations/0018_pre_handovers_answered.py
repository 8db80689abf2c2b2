"""The desk goes through the answered handovers by when they were answered, page after page."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0017_pre_mail_lines")]
    operations = [
        migrations.AddIndex("handover", models.Index(fields=["state", "answered_at", "id"], name="handover_answered")),
    ]
