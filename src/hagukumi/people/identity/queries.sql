-- name: join_visitors
-- every act: all of a visitor's rows move, with their verdicts
-- Moves what each anonymous lead did to the person it turned out to be. Pairs whose left side is known or already joined,
-- or whose sides are the same, are left alone, so a repeat changes nothing. One fact per person joined.
-- Moved rows keep `origin_lead_id` (undo), and each distinct (kind, object) of them gets a pulse again.
-- Index: activity by lead_id. Waiting pulses and inbox rows of the left side need nothing: their identity is re-pointed.
WITH asked AS MATERIALIZED (SELECT * FROM unnest(%(anons)s::bigint[], %(persons)s::bigint[]) AS p (anon, person)),
known AS MATERIALIZED (
    SELECT lead_id, coalesce(merged_into, lead_id) AS person FROM lead WHERE lead_id IN (SELECT person FROM asked)
),
pair AS MATERIALIZED (
    SELECT DISTINCT ON (p.anon) p.anon, k.person
    FROM asked p
    JOIN lead a ON a.lead_id = p.anon AND a.known_at IS NULL AND a.merged_into IS NULL
    JOIN known k ON k.lead_id = p.person
    WHERE p.anon <> k.person
    ORDER BY p.anon, p.person
),
taken AS (
    DELETE FROM activity USING pair WHERE activity.lead_id = pair.anon
    RETURNING pair.person, activity.at, activity.id, activity.kind, activity.object_id, activity.amount,
              coalesce(activity.origin_lead_id, pair.anon) AS origin, activity.details
),
given AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, origin_lead_id, details)
    SELECT person, at, id, kind, object_id, amount, origin, details FROM taken
),
renamed AS (
    UPDATE lead_identity SET lead_id = pair.person FROM pair WHERE lead_identity.lead_id = pair.anon
),
closed AS (
    UPDATE lead SET state = 'merged', merged_into = pair.person, updated_at = %(now)s::timestamptz
    FROM pair WHERE lead.lead_id = pair.anon
),
again AS (
    INSERT INTO pulse (lead_id, kind, object_id, at, is_fact)
    SELECT person, kind, object_id, max(at), false FROM taken GROUP BY person, kind, object_id
)
INSERT INTO fact (lead_id, at, kind, amount, details)
SELECT pair.person, %(now)s::timestamptz, %(kind)s::smallint, count(taken.id),
       jsonb_build_object('visitor', pair.anon, 'rows', count(taken.id), 'first', min(taken.at))
FROM pair LEFT JOIN taken ON taken.origin = pair.anon AND taken.person = pair.person
GROUP BY pair.person, pair.anon;

-- name: note_arrivals
-- Which browsers a mail alone has tied to its reader: value = visitor, lead_id = the anonymous lead that it was.
INSERT INTO lead_identity (kind, value, lead_id)
SELECT 'arrived', visitor, lead_id FROM unnest(%(visitors)s::text[], %(leads)s::bigint[]) AS b (visitor, lead_id)
ON CONFLICT (kind, value) DO UPDATE SET lead_id = excluded.lead_id;

-- name: leave_doubtful
-- For each browser of %(visitors)s that a mail alone had tied to somebody other than %(persons)s: what was done there
-- (before: `origin_lead_id`; since: details' `browser`) goes back to its anonymous lead, which is open again. One fact per
-- person who loses rows; what stood on them is asked again. Index: lead_identity_pkey, activity_lead_at.
-- every act: all of the browser's rows move, with their verdicts
WITH pair AS (
    SELECT weak.lead_id AS anon, coalesce(l.merged_into, l.lead_id) AS holder
    FROM (
        SELECT DISTINCT ON (visitor) visitor, person FROM unnest(%(visitors)s::text[], %(persons)s::bigint[])
            WITH ORDINALITY AS p (visitor, person, n) ORDER BY visitor, n DESC
    ) p
    JOIN lead_identity weak ON weak.kind = 'arrived' AND weak.value = p.visitor
    JOIN lead_identity v ON v.kind = 'visitor' AND v.value = p.visitor
    JOIN lead l ON l.lead_id = v.lead_id
    WHERE coalesce(l.merged_into, l.lead_id) <> p.person
),
taken AS (
    DELETE FROM activity a USING pair
    WHERE a.lead_id = pair.holder AND (a.origin_lead_id = pair.anon OR (a.details ->> 'browser')::bigint = pair.anon)
    RETURNING pair.anon, pair.holder, a.at, a.id, a.kind, a.object_id, a.amount, a.details
),
given AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, details)
    SELECT anon, at, id, kind, object_id, amount, nullif(details - 'browser', '{}') FROM taken
),
opened AS (
    UPDATE lead SET state = 'active', merged_into = NULL, updated_at = %(now)s::timestamptz
    FROM pair WHERE lead.lead_id = pair.anon AND lead.known_at IS NULL
),
again AS (
    INSERT INTO pulse (lead_id, kind, object_id, at)
    SELECT holder, kind, object_id, max(at) FROM taken GROUP BY holder, kind, object_id
)
INSERT INTO fact (lead_id, at, kind, amount, details)
SELECT holder, %(now)s::timestamptz, %(kind)s::smallint, count(*), jsonb_build_object('visitor', anon)
FROM taken GROUP BY holder, anon;

-- name: take_browsers
-- The browsers that name themselves belong to who did; those that nobody has met are met now. Idempotent.
INSERT INTO lead_identity (kind, value, lead_id)
SELECT DISTINCT ON (visitor) 'visitor', visitor, person
FROM unnest(%(visitors)s::text[], %(persons)s::bigint[]) WITH ORDINALITY AS p (visitor, person, n)
ORDER BY visitor, n DESC
ON CONFLICT (kind, value) DO UPDATE SET lead_id = excluded.lead_id
WHERE lead_identity.lead_id <> excluded.lead_id;

-- name: forget_arrivals
-- Who has named themselves is tied by more than a mail.
DELETE FROM lead_identity WHERE kind = 'arrived' AND value = ANY(%(visitors)s::text[]);
