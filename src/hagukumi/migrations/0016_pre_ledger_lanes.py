"""Pulses in two lanes; operations, and what builds did to memberships: a build is no fact of a million people."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hagukumi", "0015_pre_forms_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="BuildMissed",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "owner", "object_id", "lead_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("owner", models.CharField(max_length=20)),
                ("object_id", models.BigIntegerField()),
                ("lead_id", models.BigIntegerField()),
            ],
            options={
                "db_table": "build_missed",
            },
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=10)),
                ("owner", models.CharField(max_length=20)),
                ("object_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("entered", models.BigIntegerField(db_default=0, default=0)),
                ("left", models.BigIntegerField(db_default=0, default=0)),
            ],
            options={
                "db_table": "operation",
            },
        ),
        migrations.CreateModel(
            name="SegmentPast",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "lead_id", "segment_id", "since", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("lead_id", models.BigIntegerField()),
                ("segment_id", models.BigIntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("entered_by", models.BigIntegerField(null=True)),
                ("left_by", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "segment_past",
            },
        ),
        migrations.AddField(
            model_name="pulse",
            name="is_fact",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="pulse",
            name="lane",
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="segmentmember",
            name="operation_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="pulse",
            index=models.Index(condition=models.Q(("lane", 0)), fields=["id"], name="pulse_live"),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["owner", "object_id", "at"], name="operation_object"),
        ),
    ]
