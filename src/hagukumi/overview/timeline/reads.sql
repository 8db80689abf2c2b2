-- name: timeline
-- every act: a machine's acts are shown with their verdict
-- Newest first, what happened to one lead before the row (%(at)s, %(id)s). Index: activity's key (lead_id, at, id).
SELECT at, id, kind, object_id, amount, channel, origin_lead_id, details
FROM activity
WHERE lead_id = %(lead_id)s::bigint AND (at, id) < (%(at)s::timestamptz, %(id)s::bigint)
  AND kind = ANY(%(kinds)s::smallint[])
ORDER BY at DESC, id DESC
LIMIT %(limit)s::int;

-- name: object_names
-- What facts point to, by name: one row per (object, id). Parameters are id arrays, one per table.
SELECT 'page' AS object, id, coalesce(nullif(title, ''), url) AS ja, '' AS en FROM page WHERE id = ANY(%(page)s::bigint[])
UNION ALL SELECT 'message', id, name, '' FROM message WHERE id = ANY(%(message)s::bigint[])
UNION ALL SELECT 'form', id, name, '' FROM form WHERE id = ANY(%(form)s::bigint[])
UNION ALL SELECT 'content', id, title, '' FROM content WHERE id = ANY(%(content)s::bigint[])
UNION ALL SELECT 'source', id, name, '' FROM source WHERE id = ANY(%(source)s::bigint[])
UNION ALL SELECT 'import_file', id, file_name, '' FROM import_file WHERE id = ANY(%(import_file)s::bigint[])
UNION ALL SELECT 'lead', lead_id, last_name || ' ' || first_name, '' FROM lead WHERE lead_id = ANY(%(lead)s::bigint[])
UNION ALL SELECT 'segment', id, name, '' FROM segment WHERE id = ANY(%(segment)s::bigint[])
UNION ALL SELECT 'score_version', v.id, m.name || ' v' || v.number, ''
    FROM score_version v JOIN score_model m ON m.id = v.model_id WHERE v.id = ANY(%(score_version)s::bigint[])
UNION ALL SELECT 'phase', id, name, name_en FROM phase WHERE id = ANY(%(phase)s::bigint[])
UNION ALL SELECT 'scenario', id, name, '' FROM scenario WHERE id = ANY(%(scenario)s::bigint[])
UNION ALL SELECT 'handover', id, cause, '' FROM handover
    WHERE lead_id = %(lead_id)s::bigint AND id = ANY(%(handover)s::bigint[])
UNION ALL SELECT 'deal', id, name, '' FROM deal WHERE lead_id = %(lead_id)s::bigint AND id = ANY(%(deal)s::bigint[]);
