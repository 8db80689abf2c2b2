from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0019_pre_outbox_channel")]

    operations = [migrations.RemoveIndex(model_name="delivery", name="delivery_queued")]
