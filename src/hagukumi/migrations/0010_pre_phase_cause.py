"""Why somebody stands in a phase is a code; what was parsed out of display text before is written down once."""

from django.db import migrations, models

_FROM_TEXT = """
UPDATE lead_phase SET
    cause = CASE WHEN rule_id IS NOT NULL THEN 'rule'
                 WHEN reason = '新しいリード' THEN 'start'
                 WHEN reason LIKE '引き渡し差し戻し: %' THEN 'returned'
                 WHEN user_id IS NULL THEN 'scenario'
                 ELSE 'person' END,
    reason = CASE WHEN reason = '新しいリード' THEN '' ELSE replace(reason, '引き渡し差し戻し: ', '') END;
UPDATE activity SET details = details || jsonb_build_object(
    'cause', CASE WHEN details ? 'rule' THEN 'rule'
                  WHEN details ->> 'reason' = '新しいリード' THEN 'start'
                  WHEN details ->> 'reason' LIKE '引き渡し差し戻し: %' THEN 'returned'
                  WHEN details ? 'user' THEN 'person'
                  ELSE 'scenario' END,
    'reason', CASE WHEN details ->> 'reason' = '新しいリード' THEN ''
                   ELSE replace(details ->> 'reason', '引き渡し差し戻し: ', '') END)
WHERE kind = 70;
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0009_pre_companies_core")]
    operations = [
        migrations.AddField(
            "leadphase", "cause", models.CharField(max_length=10, default="person", db_default="person")
        ),
        migrations.RunSQL(_FROM_TEXT, migrations.RunSQL.noop),
    ]
