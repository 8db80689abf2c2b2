-- name: join_visitors
-- every act: all of a visitor's rows move, with their verdicts
-- Moves what each anonymous lead did to the person it turned out to be. Pairs whose left side is known or already joined,
-- or whose sides are the same, are left alone, so a repeat changes nothing. One fact per person joined.
-- Moved rows keep `origin_lead_id` (undo), and each distinct (kind, object) of them gets a pulse again.
-- Index: activity by lead_id. Waiting pulses and inbox rows of the left side need nothing: their identity is re-pointed.
WITH pair AS (
    SELECT DISTINCT ON (p.anon) p.anon, coalesce(k.merged_into, k.lead_id) AS person
    FROM unnest(%(anons)s::bigint[], %(persons)s::bigint[]) AS p (anon, person)
    JOIN lead a ON a.lead_id = p.anon AND a.known_at IS NULL AND a.merged_into IS NULL
    JOIN lead k ON k.lead_id = p.person
    WHERE p.anon <> coalesce(k.merged_into, k.lead_id)
    ORDER BY p.anon, p.person
),
taken AS (
    DELETE FROM activity USING pair WHERE activity.lead_id = pair.anon
    RETURNING pair.person, activity.at, activity.id, activity.kind, activity.object_id, activity.amount, activity.channel,
              coalesce(activity.origin_lead_id, pair.anon) AS origin, activity.details
),
given AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, channel, origin_lead_id, details)
    SELECT person, at, id, kind, object_id, amount, channel, origin, details FROM taken
),
renamed AS (
    UPDATE lead_identity SET lead_id = pair.person FROM pair WHERE lead_identity.lead_id = pair.anon
),
closed AS (
    UPDATE lead SET state = 'merged', merged_into = pair.person, updated_at = %(now)s::timestamptz
    FROM pair WHERE lead.lead_id = pair.anon
),
again AS (
    INSERT INTO pulse (lead_id, kind, object_id, at)
    SELECT person, kind, object_id, max(at) FROM taken GROUP BY person, kind, object_id
)
INSERT INTO fact (lead_id, at, kind, amount, details)
SELECT pair.person, %(now)s::timestamptz, %(kind)s::smallint, count(taken.id),
       jsonb_build_object('visitor', pair.anon, 'rows', count(taken.id), 'first', min(taken.at))
FROM pair LEFT JOIN taken ON taken.origin = pair.anon AND taken.person = pair.person
GROUP BY pair.person, pair.anon;
