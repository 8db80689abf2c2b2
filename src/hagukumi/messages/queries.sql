-- name: queue_from
-- One delivery row per send key (lead, message, occurrence); a key that is there already stays as it is.
-- `source` yields (lead_id bigint, occurrence text, due_at timestamptz). Idempotent. Index: the primary key.
-- slot source: SELECT 1::bigint AS lead_id, ''::text AS occurrence, NULL::timestamptz AS due_at WHERE false
INSERT INTO delivery (lead_id, message_id, occurrence, broadcast_id, scenario_id, queued_at, due_at)
SELECT source.lead_id, %(message_id)s::bigint, source.occurrence, %(broadcast_id)s::bigint, %(scenario_id)s::bigint,
       %(now)s::timestamptz, coalesce(source.due_at, %(now)s::timestamptz)
FROM ({source}) AS source
ON CONFLICT (lead_id, message_id, occurrence) DO NOTHING;
