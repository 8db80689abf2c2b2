"""Limits of forms and the answers they hold, addresses that nobody has shown to be theirs, sessions, tokens that end."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _many(length):
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.CharField(max_length=length), blank=True, db_default=[], default=list, size=None
    )


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0014_pre_accounts_audit")]

    operations = [
        migrations.AddField("form", "double_optin", models.BooleanField(null=True)),
        migrations.AddField("form", "challenge", models.CharField(db_default="none", default="none", max_length=8)),
        migrations.AddField("form", "per_caller", models.IntegerField(db_default=30, default=30)),
        migrations.AddField("form", "per_network", models.IntegerField(db_default=120, default=120)),
        migrations.AddField("form", "per_form", models.IntegerField(db_default=600, default=600)),
        migrations.CreateModel(
            name="HeldAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=12)),
                ("address", models.CharField(db_default="", default="", max_length=45)),
                ("visitor", models.CharField(db_default="", default="", max_length=40)),
                ("details", models.JSONField()),
                ("at", models.DateTimeField()),
                ("form", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="hagukumi.form")),
                ("version", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="hagukumi.formversion")),
            ],
            options={"db_table": "held_answer"},
        ),
        migrations.AddIndex("heldanswer", models.Index(fields=["form", "-at"], name="held_answer_form")),
        migrations.CreateModel(
            name="AddressCheck",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "lead_id", "value", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("lead_id", models.BigIntegerField()),
                ("value", models.CharField(max_length=254)),
                ("since", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("asked_times", models.SmallIntegerField(db_default=0, default=0)),
                ("evidence", models.CharField(db_default="", default="", max_length=200)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("waiting", models.BooleanField(db_default=False, default=False)),
                (
                    "text",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="hagukumi.consenttext",
                    ),
                ),
            ],
            options={"db_table": "address_check"},
        ),
        migrations.AddIndex(
            "addresscheck",
            models.Index(condition=models.Q(("waiting", True)), fields=["lead_id"], name="address_check_waiting"),
        ),
        migrations.CreateModel(
            name="StopKept",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "channel", "digest", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(max_length=10)),
                ("digest", models.BinaryField(max_length=32)),
                ("reason", models.CharField(max_length=15)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "stop_kept"},
        ),
        migrations.AddField(
            "message", "purpose", models.CharField(blank=True, db_default="", default="", max_length=12)
        ),
        migrations.AddConstraint(
            "message",
            models.UniqueConstraint(
                condition=models.Q(("archived_at", None), models.Q(("purpose", ""), _negated=True)),
                fields=("purpose",),
                name="message_purpose",
            ),
        ),
        migrations.AddField("workspace", "double_optin", _many(12)),
        migrations.AddField("workspace", "second_step", _many(20)),
        migrations.AddField("workspace", "idle_minutes", models.SmallIntegerField(db_default=480, default=480)),
        migrations.AddField("apitoken", "expires_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                ("session_key", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("opened_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("address", models.CharField(db_default="", default="", max_length=45)),
                ("agent", models.CharField(db_default="", default="", max_length=200)),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={"db_table": "staff_session"},
        ),
    ]
