-- name: throttle_hit
-- Counts tries: arrays of subjects (each once), of what is allowed (most) and of tries (times). One row per subject: its tries in
-- the running window, which begins anew where the last one began before %(since)s. What is over `most` is counted as refused.
-- Not idempotent: every call is a try.
INSERT INTO throttle AS t (scope, subject, since, hits, refused, last_at)
SELECT %(scope)s::text, tried.subject, %(now)s::timestamptz, tried.times, greatest(tried.times - tried.most, 0),
       %(now)s::timestamptz
FROM unnest(%(subjects)s::text[], %(mosts)s::int[], %(times)s::int[]) AS tried (subject, most, times)
ORDER BY tried.subject
ON CONFLICT (scope, subject) DO UPDATE
SET hits = CASE WHEN t.since <= %(since)s::timestamptz THEN 0 ELSE t.hits END + excluded.hits,
    refused = t.refused + greatest(
        least(
            CASE WHEN t.since <= %(since)s::timestamptz THEN 0 ELSE t.hits END + excluded.hits - (
                SELECT tried.most FROM unnest(%(subjects)s::text[], %(mosts)s::int[]) AS tried (subject, most)
                WHERE tried.subject = excluded.subject
            ),
            excluded.hits
        ),
        0
    ),
    since = CASE WHEN t.since <= %(since)s::timestamptz THEN %(now)s::timestamptz ELSE t.since END,
    last_at = %(now)s::timestamptz
RETURNING subject, hits;

-- name: throttle_over
-- True where the subject has used up its window; that it asked again is counted as refused.
UPDATE throttle SET refused = refused + 1, last_at = %(now)s::timestamptz
WHERE scope = %(scope)s::text AND subject = %(subject)s::text AND since > %(since)s::timestamptz AND hits >= %(most)s::int
RETURNING true;

-- name: throttle_forget
DELETE FROM throttle WHERE scope = %(scope)s::text AND subject = %(subject)s::text;

-- name: throttle_refused
-- The subjects that were refused since %(since)s, the latest first.
SELECT scope, subject, hits, refused, since, last_at FROM throttle
WHERE refused > 0 AND last_at >= %(since)s::timestamptz ORDER BY last_at DESC, scope, subject LIMIT %(limit)s::int;

-- name: throttle_clean
DELETE FROM throttle WHERE last_at < %(before)s::timestamptz;
