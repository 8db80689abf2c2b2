-- name: open_digest
-- One row per inbox row of this digest. `person` is the lead it belongs to; a row with a drop_reason goes no further.
CREATE TEMP TABLE IF NOT EXISTS digest_row (
    id bigint NOT NULL, event_id uuid NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, visitor text NOT NULL,
    lead_id bigint, delivery_id bigint, object_id bigint, url text NOT NULL, title text NOT NULL, referrer text NOT NULL,
    amount float8, drop_reason text NOT NULL, details jsonb, person bigint
);

-- name: clear_digest
DELETE FROM digest_row;

-- name: take_inbox
-- Moves at most %(batch)s of the oldest inbox rows into `digest_row`. The inbox is a flow table: SKIP LOCKED is allowed.
WITH taken AS (
    DELETE FROM inbox
    WHERE id = ANY(ARRAY(SELECT id FROM inbox ORDER BY id LIMIT %(batch)s::int FOR UPDATE SKIP LOCKED))
    RETURNING id, event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, drop_reason,
              details
)
INSERT INTO digest_row
SELECT id, event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, drop_reason, details
FROM taken;

-- name: mark_repeats
-- Remembers each event id; a row whose id was seen before, or earlier in this digest, is a repeat. A repeated count of
-- drops (a spool that was copied twice) is forgotten. Index: seen_event_pkey. Idempotent.
WITH first AS (SELECT event_id, min(id) AS id FROM digest_row GROUP BY event_id),
fresh AS (
    INSERT INTO seen_event (event_id, at) SELECT event_id, %(now)s::timestamptz FROM first
    ON CONFLICT DO NOTHING RETURNING event_id
),
kept AS (SELECT first.id FROM first JOIN fresh USING (event_id))
UPDATE digest_row SET drop_reason = 'repeat', amount = CASE WHEN drop_reason = '' THEN 1 ELSE 0 END
WHERE id NOT IN (SELECT id FROM kept);

-- name: make_visitors
-- One anonymous lead per visitor that nobody has met yet. Index: lead_identity_pkey. Idempotent.
WITH stranger AS (
    SELECT visitor, min(at) AS first_at FROM digest_row
    WHERE visitor <> '' AND drop_reason = ''
      AND NOT EXISTS (SELECT 1 FROM lead_identity i WHERE i.kind = 'visitor' AND i.value = digest_row.visitor)
    GROUP BY visitor
),
numbered AS MATERIALIZED (
    SELECT visitor, first_at, nextval(pg_get_serial_sequence('lead', 'lead_id')) AS lead_id FROM stranger
),
made AS (
    INSERT INTO lead (lead_id, created_at, updated_at) SELECT lead_id, first_at, first_at FROM numbered
)
INSERT INTO lead_identity (kind, value, lead_id) SELECT 'visitor', visitor, lead_id FROM numbered;

-- name: arrivals
-- One row per arrival from a mail that ties a browser without a name to the reader: (visitor, visitor_lead_id, lead_id).
-- An arrival counts once, for the first browser that shows it; a browser that already has a name keeps it. What follows
-- a link that a machine alone has followed is that machine's browser and ties nothing. Index: delivery_pkey, activity_lead_at.
WITH shown AS MATERIALIZED (
    SELECT DISTINCT ON (details ->> 'arrival') (details ->> 'arrival')::uuid AS arrival, visitor, lead_id, delivery_id, at
    FROM digest_row WHERE drop_reason = '' AND visitor <> '' AND lead_id IS NOT NULL AND details ? 'arrival'
    ORDER BY details ->> 'arrival', id
),
reader AS MATERIALIZED (
    SELECT lead_id, coalesce(merged_into, lead_id) AS person, known_at FROM lead
    WHERE lead_id IN (SELECT lead_id FROM shown)
),
mailed AS MATERIALIZED (
    SELECT lead_id, id, message_id FROM delivery
    WHERE lead_id IN (SELECT lead_id FROM shown) AND id IN (SELECT delivery_id FROM shown)
),
clicked AS MATERIALIZED (
    SELECT a.lead_id, a.object_id, a.at, NOT ({by_a_person}) AS machine FROM activity a
    WHERE a.lead_id IN (SELECT person FROM reader) AND a.kind = %(clicked)s::smallint
      AND a.at >= (SELECT min(at) FROM shown) - interval '11 minutes'
      AND a.at <= (SELECT max(at) FROM shown) + interval '1 minute'
),
followed AS MATERIALIZED (
    SELECT s.arrival, NOT ({by_a_person}) AS machine
    FROM shown s JOIN digest_row a ON a.lead_id = s.lead_id AND a.delivery_id = s.delivery_id
    WHERE a.kind = 'click' AND a.drop_reason = ''
    UNION ALL
    SELECT s.arrival, c.machine
    FROM shown s
    JOIN reader r ON r.lead_id = s.lead_id
    JOIN mailed d ON d.lead_id = s.lead_id AND d.id = s.delivery_id
    JOIN clicked c ON c.lead_id = r.person AND c.object_id = d.message_id
                  AND c.at BETWEEN s.at - interval '11 minutes' AND s.at + interval '1 minute'
),
first AS MATERIALIZED (
    SELECT * FROM shown
    WHERE arrival NOT IN (SELECT arrival FROM followed GROUP BY arrival HAVING bool_and(machine))
),
claimed AS (
    INSERT INTO seen_event (event_id, at) SELECT arrival, %(now)s::timestamptz FROM first
    ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT DISTINCT ON (seen.lead_id) first.visitor, seen.lead_id AS visitor_lead_id, reader.person AS lead_id
FROM first JOIN claimed ON claimed.event_id = first.arrival
JOIN lead_identity i ON i.kind = 'visitor' AND i.value = first.visitor
JOIN lead seen ON seen.lead_id = i.lead_id AND seen.known_at IS NULL
JOIN reader ON reader.lead_id = first.lead_id AND reader.known_at IS NOT NULL
ORDER BY seen.lead_id, first.arrival;

-- name: resolve_people
-- Who each row belongs to: the browser's person, else the reader of the mail; merged people resolve to the one who is left.
WITH found AS MATERIALIZED (
    SELECT r.id, coalesce(l.merged_into, l.lead_id) AS lead_id
    FROM digest_row r
    LEFT JOIN lead_identity i ON i.kind = 'visitor' AND i.value = r.visitor AND r.visitor <> ''
    JOIN lead l ON l.lead_id = coalesce(i.lead_id, r.lead_id)
    WHERE r.drop_reason = ''
)
UPDATE digest_row SET person = found.lead_id FROM found WHERE digest_row.id = found.id;

-- name: mark_unknown
-- Rows of nobody: a link of a person since erased. Forms bring their person with them; contents are tied to a form's answer.
UPDATE digest_row SET drop_reason = 'unknown' WHERE drop_reason = '' AND person IS NULL AND kind NOT IN ('form', 'content');

-- name: keep_pages
-- Each address once; its title follows the latest row that names one (a late title comes with the dwell). Index: page_url
-- unique. Idempotent.
INSERT INTO page (url, title, first_seen_at)
SELECT DISTINCT ON (url) url, title, at FROM digest_row
WHERE drop_reason = '' AND kind IN ('view', 'dwell', 'scroll', 'download', 'custom') AND url <> ''
ORDER BY url, (title <> '') DESC, at DESC
ON CONFLICT (url) DO UPDATE SET title = excluded.title WHERE excluded.title <> '' AND page.title <> excluded.title;

-- name: cause_web_facts
-- One fact per row of a tagged page. `amount`: seconds (dwell, at most four hours a row) or percent (scroll).
-- `details`: what the page sent, the referrer where it is another site, and `browser` (the lead that the browser was before
-- a mail tied it to its reader) until they have named themselves: mail is passed on, and these rows can be told apart.
INSERT INTO fact (lead_id, at, kind, object_id, amount, details)
SELECT r.person, r.at,
       CASE r.kind WHEN 'view' THEN %(view)s::smallint WHEN 'dwell' THEN %(dwell)s::smallint
                   WHEN 'scroll' THEN %(scroll)s::smallint WHEN 'download' THEN %(download)s::smallint
                   ELSE %(custom)s::smallint END,
       page.id,
       CASE r.kind WHEN 'dwell' THEN least(greatest(r.amount, 0), 14400)
                   WHEN 'scroll' THEN least(greatest(r.amount, 0), 100)
                   WHEN 'custom' THEN r.amount END,
       nullif(
           coalesce(r.details - 'arrival', '{}')
           || CASE WHEN r.kind = 'view' AND r.referrer <> ''
                    AND substring(r.referrer FROM '^https?://[^/?]+') IS DISTINCT FROM substring(r.url FROM '^https?://[^/?]+')
                   THEN jsonb_build_object('referrer', r.referrer) ELSE '{}' END
           || CASE WHEN weak.lead_id IS NOT NULL THEN jsonb_build_object('browser', weak.lead_id) ELSE '{}' END,
           '{}'
       )
FROM digest_row r JOIN page ON page.url = r.url
LEFT JOIN lead_identity weak ON weak.kind = 'arrived' AND weak.value = r.visitor
WHERE r.drop_reason = '' AND r.kind IN ('view', 'dwell', 'scroll', 'download', 'custom');

-- name: cause_mail_facts
-- One fact per click or open, about the message of its delivery, with the verdict that the row carries (verdicts.sql).
-- Index: delivery_pkey (lead_id).
INSERT INTO fact (lead_id, at, kind, object_id, details)
SELECT r.person, r.at, CASE r.kind WHEN 'click' THEN %(clicked)s::smallint ELSE %(opened)s::smallint END, d.message_id,
       nullif(
           coalesce(r.details, '{}') || CASE WHEN r.url <> '' THEN jsonb_build_object('url', r.url) ELSE '{}' END,
           '{}'
       )
FROM digest_row r LEFT JOIN delivery d ON d.lead_id = r.lead_id AND d.id = r.delivery_id
WHERE r.drop_reason = '' AND r.kind IN ('click', 'open');

-- name: waiting_for_taker
-- One row per row that another room takes in, oldest first.
SELECT event_id, at, visitor, lead_id, person, object_id, details FROM digest_row
WHERE drop_reason = '' AND kind = %(kind)s::text ORDER BY id;

-- name: kinds_taken
SELECT DISTINCT kind FROM digest_row WHERE drop_reason = '';

-- name: put_back
-- Returns the rows of a kind to the inbox, as if they had not been taken: their event ids are forgotten with them.
WITH back AS (DELETE FROM digest_row WHERE drop_reason = '' AND kind = %(kind)s::text RETURNING *),
forgotten AS (DELETE FROM seen_event USING back WHERE seen_event.event_id = back.event_id)
INSERT INTO inbox (event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, details)
SELECT event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, details FROM back ORDER BY id;

-- name: count_drops
-- Adds to the count per JST day and reason; a drop row stands for `amount` events.
INSERT INTO dropped (day, reason, count)
SELECT (at AT TIME ZONE 'Asia/Tokyo')::date, drop_reason, sum(coalesce(amount, 1))::bigint
FROM digest_row WHERE drop_reason <> '' AND coalesce(amount, 1) > 0 GROUP BY 1, 2
ON CONFLICT (day, reason) DO UPDATE SET count = dropped.count + excluded.count;

-- name: note_sites
-- When each site was last heard, to ten seconds (a busy site is not rewritten at each beat).
UPDATE site SET last_seen_at = seen.at
FROM (
    SELECT substring(lower(url) FROM '^https?://[^/?]+') AS origin, max(at) AS at
    FROM digest_row WHERE drop_reason = '' AND kind = 'view' GROUP BY 1
) seen
WHERE site.origin = seen.origin AND (site.last_seen_at IS NULL OR site.last_seen_at < seen.at - interval '10 seconds');

-- name: forget_events
-- Drops remembered event ids older than %(before)s, at most 20,000 at a time. Index: seen_event (at).
DELETE FROM seen_event WHERE event_id = ANY(ARRAY(
    SELECT event_id FROM seen_event WHERE at < %(before)s::timestamptz ORDER BY at LIMIT 20000
));

-- name: put_in_inbox
-- One inbox row, as the collector writes them.
INSERT INTO inbox (event_id, at, kind, visitor, object_id, amount, drop_reason, details)
VALUES (%(event_id)s::uuid, %(now)s::timestamptz, %(kind)s, %(visitor)s, %(object_id)s::bigint, %(amount)s::float8,
        %(drop_reason)s, %(details)s::jsonb);

-- name: add_days
-- Adds this beat's facts to their JST day, kind and object: how many, and how many people of whom it is the day's first.
-- What machines did is left out. A lead's acts of those days are read by its key, once. Index: activity_lead_at.
WITH told AS MATERIALIZED (SELECT DISTINCT lead_id, at FROM touched WHERE is_fact),
span AS MATERIALIZED (
    SELECT ((min(at) AT TIME ZONE 'Asia/Tokyo')::date)::timestamp AT TIME ZONE 'Asia/Tokyo' AS since, max(at) AS until
    FROM told
),
acts AS MATERIALIZED (
    SELECT a.lead_id, (a.at AT TIME ZONE 'Asia/Tokyo')::date AS day, a.kind, coalesce(a.object_id, 0) AS object_id, a.at,
           {by_a_person} AS human
    FROM (
        SELECT * FROM activity
        WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM told))
          AND at >= (SELECT since FROM span) AND at <= (SELECT until FROM span) OFFSET 0
    ) a
),
machine AS MATERIALIZED (SELECT DISTINCT lead_id, kind, object_id, at FROM acts WHERE NOT human),
new AS MATERIALIZED (
    SELECT (t.at AT TIME ZONE 'Asia/Tokyo')::date AS day, t.kind, coalesce(t.object_id, 0) AS object_id, t.lead_id,
           count(*) AS times, min(t.at) AS first_at
    FROM touched t
    LEFT JOIN machine m
      ON m.lead_id = t.lead_id AND m.kind = t.kind AND m.object_id = coalesce(t.object_id, 0) AND m.at = t.at
    WHERE t.is_fact AND m.lead_id IS NULL
    GROUP BY 1, 2, 3, 4
),
earlier AS MATERIALIZED (
    SELECT DISTINCT n.lead_id, n.day, n.kind, n.object_id
    FROM new n JOIN acts a USING (lead_id, day, kind, object_id) WHERE a.human AND a.at < n.first_at
)
INSERT INTO activity_day AS d (day, kind, object_id, count, leads)
SELECT n.day, n.kind, n.object_id, sum(n.times), count(*) FILTER (WHERE e.lead_id IS NULL)
FROM new n LEFT JOIN earlier e USING (lead_id, day, kind, object_id)
GROUP BY 1, 2, 3
ON CONFLICT (day, kind, object_id) DO UPDATE SET count = d.count + excluded.count, leads = d.leads + excluded.leads;

-- name: mark_days
-- When the (JST day, kind) pairs of this beat's pulses are to be counted from the ledger itself: where acts have moved to
-- somebody else or were judged, at once (%(soon)s); where a late fact came to a day that is over, in a while (%(late)s);
-- else when the day is over. Idempotent.
INSERT INTO rollup_due AS r (day, kind, due_at)
SELECT day, kind, CASE WHEN again THEN %(soon)s::timestamptz WHEN day < %(today)s::date THEN %(late)s::timestamptz
                       ELSE (day + 1)::timestamp AT TIME ZONE 'Asia/Tokyo' + interval '1 hour' END
FROM (
    SELECT (at AT TIME ZONE 'Asia/Tokyo')::date AS day, kind, bool_or(NOT is_fact) AS again FROM touched GROUP BY 1, 2
) t
ON CONFLICT (day, kind) DO UPDATE SET due_at = excluded.due_at WHERE r.due_at > excluded.due_at;

-- name: mark_range
-- Every (JST day, kind) of the ledger between two days is counted anew: the watermark redone.
-- every act: which days there are, not what happened on them
INSERT INTO rollup_due (day, kind, due_at)
SELECT DISTINCT (at AT TIME ZONE 'Asia/Tokyo')::date, kind, %(now)s::timestamptz FROM activity
WHERE at >= (%(first)s::date)::timestamp AT TIME ZONE 'Asia/Tokyo'
  AND at < (%(last)s::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo'
ON CONFLICT (day, kind) DO UPDATE SET due_at = excluded.due_at;

-- name: take_due_days
-- At most %(limit)s pairs that are due, taken away. A beat without any reads one index page.
WITH due AS MATERIALIZED (
    SELECT day, kind FROM rollup_due WHERE due_at <= %(now)s::timestamptz ORDER BY due_at, day, kind LIMIT %(limit)s::int
)
DELETE FROM rollup_due USING due WHERE rollup_due.day = due.day AND rollup_due.kind = due.kind
RETURNING rollup_due.day, rollup_due.kind;

-- name: clear_day
DELETE FROM activity_day WHERE day = %(day)s::date AND kind = ANY(%(kinds)s::smallint[]);

-- name: count_day
-- Counts kinds of one JST day from the ledger, one row per object (0 = none), without what machines did and less what
-- still waits as a pulse and will be added when it is taken. Index: activity_kind_at, for web acts activity_at.
-- Idempotent.
WITH counted AS (
    SELECT kind, object_id, sum(times) AS count, count(*) AS leads
    FROM (
        SELECT a.kind, coalesce(a.object_id, 0) AS object_id, a.lead_id, count(*) AS times FROM activity a
        WHERE a.kind = ANY(%(kinds)s::smallint[])
          AND a.at >= %(since)s::timestamptz AND a.at < %(until)s::timestamptz AND {by_a_person}
        GROUP BY 1, 2, 3
    ) per_lead
    GROUP BY 1, 2
),
waiting AS (
    SELECT kind, coalesce(object_id, 0) AS object_id, count(*) AS count FROM pulse
    WHERE is_fact AND kind = ANY(%(kinds)s::smallint[])
      AND at >= %(since)s::timestamptz AND at < %(until)s::timestamptz
    GROUP BY 1, 2
)
INSERT INTO activity_day (day, kind, object_id, count, leads)
SELECT %(day)s::date, c.kind, c.object_id, c.count - coalesce(w.count, 0), c.leads
FROM counted c LEFT JOIN waiting w USING (kind, object_id)
WHERE c.count > coalesce(w.count, 0);

-- name: put_batch_in_inbox
-- Rows as the collector writes them, for the digest to take: it drops repeats by event_id. Arrays of equal length.
INSERT INTO inbox (event_id, at, kind, lead_id, url, title, referrer, amount, details)
SELECT * FROM unnest(
    %(event_ids)s::uuid[], %(ats)s::timestamptz[], %(kinds)s::text[], %(lead_ids)s::bigint[], %(urls)s::text[],
    %(titles)s::text[], %(referrers)s::text[], %(amounts)s::float8[], %(details)s::jsonb[]
);

-- name: remember_events
-- Remembers event ids; one row per id that was not seen before. Idempotent.
INSERT INTO seen_event (event_id, at) SELECT DISTINCT id, %(now)s::timestamptz FROM unnest(%(event_ids)s::uuid[]) AS id
ON CONFLICT DO NOTHING
RETURNING event_id;
