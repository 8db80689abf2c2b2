-- name: timeline
-- every act: a machine's acts are shown with their verdict
-- Newest first, what happened to one lead before the row (%(at)s, %(id)s). Index: activity_lead_at.
-- A membership that a build began or ended has no row in the ledger: it is told from the membership, with the operation.
-- Such rows have ids below 0, so that they stand after the facts of the same instant.
WITH built AS (
    SELECT since AS at, -2 * segment_id AS id, %(entered)s::smallint AS kind, segment_id AS object_id, operation_id
    FROM segment_member WHERE lead_id = %(lead_id)s::bigint AND operation_id IS NOT NULL
    UNION ALL
    SELECT since, -2 * segment_id, %(entered)s::smallint, segment_id, entered_by
    FROM segment_past WHERE lead_id = %(lead_id)s::bigint AND entered_by IS NOT NULL
    UNION ALL
    SELECT until, -2 * segment_id - 1, %(left)s::smallint, segment_id, left_by
    FROM segment_past WHERE lead_id = %(lead_id)s::bigint AND left_by IS NOT NULL
)
SELECT at, id, kind, object_id, amount, origin_lead_id, details FROM (
    (SELECT at, id, kind, object_id, amount, origin_lead_id, details
     FROM activity
     WHERE lead_id = %(lead_id)s::bigint AND (at, id) < (%(at)s::timestamptz, %(id)s::bigint)
       AND kind = ANY(%(kinds)s::smallint[])
     ORDER BY at DESC, id DESC
     LIMIT %(limit)s::int)
    UNION ALL
    SELECT at, id, kind, object_id, NULL, NULL, jsonb_build_object('operation', operation_id)
    FROM built WHERE (at, id) < (%(at)s::timestamptz, %(id)s::bigint) AND kind = ANY(%(kinds)s::smallint[])
) told
ORDER BY at DESC, id DESC
LIMIT %(limit)s::int;
