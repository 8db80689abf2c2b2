-- name: timeline
-- every act: a machine's acts are shown with their verdict
-- Newest first, what happened to one lead before the row (%(at)s, %(id)s). Index: activity's key (lead_id, at, id).
SELECT at, id, kind, object_id, amount, channel, origin_lead_id, details
FROM activity
WHERE lead_id = %(lead_id)s::bigint AND (at, id) < (%(at)s::timestamptz, %(id)s::bigint)
  AND kind = ANY(%(kinds)s::smallint[])
ORDER BY at DESC, id DESC
LIMIT %(limit)s::int;
