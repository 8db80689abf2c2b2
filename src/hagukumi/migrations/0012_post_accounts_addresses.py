"""The public addresses have one source, the environment; the settings screen no longer keeps a second one."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0011_pre_mail_kind_reason")]
    operations = [
        migrations.RemoveField("workspace", "base_url"),
        migrations.RemoveField("workspace", "collector_url"),
    ]
