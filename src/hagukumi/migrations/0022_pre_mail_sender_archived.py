from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0021_pre_open_operations")]

    operations = [migrations.AddField(model_name="sender", name="archived_at", field=models.DateTimeField(null=True))]
