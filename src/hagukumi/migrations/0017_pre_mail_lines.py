from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0016_pre_ledger_lanes")]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="carry_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="MailLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "route", "sender", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("route", models.CharField(max_length=260)),
                ("sender", models.CharField(max_length=254)),
                ("reason", models.CharField(max_length=30)),
                ("reply", models.CharField(max_length=300)),
                ("since", models.DateTimeField()),
                ("tries", models.IntegerField()),
                ("retry_at", models.DateTimeField()),
            ],
            options={"db_table": "mail_line"},
        ),
    ]
