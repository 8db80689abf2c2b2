"""The parts of the schema that Django does not describe: sequences, the partitioned ledger, its month maker."""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE activity_id_seq CACHE 100;
CREATE SEQUENCE consent_id_seq CACHE 100;
CREATE SEQUENCE delivery_id_seq CACHE 100;
CREATE SEQUENCE submission_id_seq;
CREATE SEQUENCE handover_id_seq;
CREATE SEQUENCE deal_id_seq;

CREATE TABLE activity (
    lead_id bigint NOT NULL,
    at timestamptz NOT NULL,
    id bigint NOT NULL DEFAULT nextval('activity_id_seq'),
    object_id bigint,
    origin_lead_id bigint,
    amount real,
    kind smallint NOT NULL,
    channel smallint,
    details jsonb,
    PRIMARY KEY (lead_id, at, id)
) PARTITION BY RANGE (at);
CREATE INDEX activity_kind_at ON activity (kind, at);

-- Makes the monthly partitions (UTC months) from `first` to `last`. A month is made apart and attached, which asks only
-- for a SHARE UPDATE EXCLUSIVE lock on the ledger, so writers are not held up.
CREATE FUNCTION ensure_activity_months(first timestamptz, last timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', first AT TIME ZONE 'UTC')::date;
    final date := date_trunc('month', last AT TIME ZONE 'UTC')::date;
    part text;
BEGIN
    IF first < '2000-01-01' OR last > '2100-01-01' THEN
        RAISE EXCEPTION 'activity outside 2000-2100: % - %', first, last;
    END IF;
    WHILE month <= final LOOP
        part := 'activity_' || to_char(month, 'YYYY_MM');
        IF to_regclass(part) IS NULL THEN
            PERFORM pg_advisory_xact_lock(1213285717);
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I (LIKE activity INCLUDING DEFAULTS)', part);
                EXECUTE format(
                    'ALTER TABLE activity ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    part, month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
                );
            END IF;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
END $$;

ALTER TABLE lead ALTER fields SET DEFAULT '{}';
ALTER TABLE lead_score ALTER matched SET DEFAULT '{}';
ALTER TABLE handover ALTER packet SET DEFAULT '{}';
ALTER TABLE consent ALTER id SET DEFAULT nextval('consent_id_seq');
ALTER TABLE delivery ALTER id SET DEFAULT nextval('delivery_id_seq');
ALTER TABLE submission ALTER id SET DEFAULT nextval('submission_id_seq');
ALTER TABLE handover ALTER id SET DEFAULT nextval('handover_id_seq');
ALTER TABLE deal ALTER id SET DEFAULT nextval('deal_id_seq');

ALTER TABLE pulse SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE delivery SET (fillfactor = 80);
ALTER TABLE enrollment SET (fillfactor = 80);
CREATE UNLOGGED TABLE shared_cache (
    cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL
);
CREATE INDEX shared_cache_expires ON shared_cache (expires);
"""

BACKWARD = """
DROP TABLE shared_cache;
DROP FUNCTION ensure_activity_months;
DROP TABLE activity;
DROP SEQUENCE activity_id_seq, consent_id_seq, delivery_id_seq, submission_id_seq, handover_id_seq, deal_id_seq;
"""


class Migration(migrations.Migration):
    dependencies = [("hagukumi", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
