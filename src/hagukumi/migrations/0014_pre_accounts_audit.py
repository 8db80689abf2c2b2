"""The audit log says from where and by which token, and can only be added to; limits are counted in a table."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entry is only ever added to (% refused)', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_is_kept();
CREATE TRIGGER audit_kept_whole BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept();
"""

BACKWARD = """
DROP TRIGGER audit_kept_whole ON audit_entry;
DROP TRIGGER audit_kept ON audit_entry;
DROP FUNCTION audit_is_kept;
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0013_pre_set_aside_rest")]

    operations = [
        migrations.AddField(
            "auditentry", "door", models.CharField(db_default="system", default="system", max_length=10)
        ),
        migrations.AddField("auditentry", "origin", models.CharField(db_default="", default="", max_length=64)),
        migrations.AddField(
            "auditentry",
            "token",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="hagukumi.apitoken"),
        ),
        migrations.AddIndex("auditentry", models.Index(fields=["-at", "-id"], name="audit_latest")),
        migrations.AddIndex(
            "auditentry", models.Index(fields=["object_kind", "object_id", "-at"], name="audit_object")
        ),
        migrations.CreateModel(
            name="Throttle",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "scope", "subject", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scope", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=120)),
                ("since", models.DateTimeField()),
                ("hits", models.IntegerField()),
                ("refused", models.IntegerField(db_default=0, default=0)),
                ("last_at", models.DateTimeField()),
            ],
            options={"db_table": "throttle"},
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
