-- name: open_verdicts
-- What a digest thinks of its mail acts and of those near them: `row_id` of a digest row, or `id` of an act in the ledger.
CREATE TEMP TABLE IF NOT EXISTS mail_verdict (
    row_id bigint, lead_id bigint NOT NULL, at timestamptz NOT NULL, id bigint, by text NOT NULL, why text NOT NULL
);

-- name: clear_verdicts
DELETE FROM mail_verdict;

-- name: hold_mail_acts
-- Puts opens and clicks of the first ten minutes of a mail, and the visits they lead to, back into the inbox for four
-- seconds: a gateway's burst is over by then and is judged as a whole, before anybody moves because of its first click.
-- What comes from a clock ahead of ours is not held. Index: delivery_pkey.
WITH held AS (
    DELETE FROM digest_row r USING delivery d
    WHERE (r.kind IN ('click', 'open') OR r.details ? 'arrival') AND r.drop_reason = ''
      AND d.lead_id = r.lead_id AND d.id = r.delivery_id
      AND r.at > %(now)s::timestamptz - interval '4 seconds' AND r.at < %(now)s::timestamptz + interval '4 seconds'
      AND r.at < coalesce(d.sent_at, d.queued_at) + interval '10 minutes'
    RETURNING r.*
)
INSERT INTO inbox (event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, details)
SELECT event_id, at, kind, visitor, lead_id, delivery_id, object_id, url, title, referrer, amount, details
FROM held ORDER BY id;

-- name: judge_mail_acts
-- every act: it is here that they are told apart
-- Who did each open and click of this digest, and those within a minute of them in the ledger: one row per act that is not
-- a person's. Everything of one mail to one person is looked at together; a verdict is never taken back by this, and one
-- that a person has given ("staff") stays. By what speaks for a machine, the strongest first:
--   trap      the link that no reader can see was followed; then all within a minute of it is the same machine's
--   agent     the program said what it is (the collector's verdict)
--   burst     different links, each within 3 s of the one before: four or more at less than a second each are a bot's;
--             three, or two within a second, are suspect. Opens within 3 s of them are by the same hand
--   early     within two seconds of sending
--   unopened  a click in the first minute that came before the pictures were fetched
-- Index: delivery_pkey, activity_lead_at.
INSERT INTO mail_verdict (row_id, lead_id, at, id, by, why)
WITH fresh AS MATERIALIZED (
    SELECT r.id AS row_id, coalesce(l.merged_into, l.lead_id) AS lead_id, coalesce(d.message_id, 0) AS message_id, r.at,
           NULL::bigint AS id, r.kind = 'click' AS clicked, coalesce(r.details ->> 'link', r.url) AS link,
           coalesce(r.details ->> 'by', '') AS by, coalesce(r.details ->> 'why', '') AS why,
           coalesce(d.sent_at, d.queued_at) AS sent_at
    FROM digest_row r JOIN lead l ON l.lead_id = r.lead_id
    LEFT JOIN delivery d ON d.lead_id = r.lead_id AND d.id = r.delivery_id
    WHERE r.drop_reason = '' AND r.kind IN ('click', 'open')
),
mail AS MATERIALIZED (
    SELECT lead_id, message_id, max(sent_at) AS sent_at, min(at) - interval '1 minute' AS since,
           max(at) + interval '1 minute' AS until
    FROM fresh GROUP BY lead_id, message_id
),
act AS MATERIALIZED (
    SELECT * FROM fresh
    UNION ALL
    SELECT NULL, m.lead_id, m.message_id, a.at, a.id, a.kind = %(clicked)s::smallint,
           coalesce(a.details ->> 'link', a.details ->> 'url'), coalesce(a.details ->> 'by', ''),
           coalesce(a.details ->> 'why', ''), m.sent_at
    FROM mail m JOIN (
        SELECT * FROM activity
        WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM mail)) AND kind IN (%(clicked)s::smallint, %(opened)s::smallint)
          AND at >= (SELECT min(since) FROM mail) AND at <= (SELECT max(until) FROM mail)
        OFFSET 0
    ) a ON a.lead_id = m.lead_id AND a.object_id = m.message_id AND a.at >= m.since AND a.at <= m.until
),
click AS (
    SELECT *, sum(CASE WHEN gap <= interval '3 seconds' THEN 0 ELSE 1 END)
                  OVER (PARTITION BY lead_id, message_id ORDER BY at, row_id, id) AS run
    FROM (
        SELECT *, at - lag(at) OVER (PARTITION BY lead_id, message_id ORDER BY at, row_id, id) AS gap FROM act WHERE clicked
    ) c
),
run AS (
    SELECT lead_id, message_id, min(at) AS first, max(at) AS last,
           CASE WHEN count(DISTINCT link) >= 4 AND max(at) - min(at) < (count(DISTINCT link) - 1) * interval '1 second' THEN 'bot'
                WHEN count(DISTINCT link) >= 3 THEN 'suspect'
                WHEN count(DISTINCT link) = 2 AND max(at) - min(at) < interval '1 second' THEN 'suspect'
           END AS by
    FROM click GROUP BY lead_id, message_id, run
),
burst AS (
    SELECT act.row_id, act.lead_id, act.at, act.id, max(CASE run.by WHEN 'bot' THEN 2 ELSE 1 END) AS burst
    FROM act JOIN run ON run.lead_id = act.lead_id AND run.message_id = act.message_id
     AND act.at >= run.first - CASE WHEN act.clicked THEN interval '0' ELSE interval '3 seconds' END
     AND act.at <= run.last + CASE WHEN act.clicked THEN interval '0' ELSE interval '3 seconds' END
    WHERE run.by IS NOT NULL
    GROUP BY act.row_id, act.lead_id, act.at, act.id
),
found AS (
    SELECT act.*, burst.burst,
        act.clicked AND act.at < act.sent_at + interval '1 minute' AND act.first_open > act.at AS unopened
    FROM (
        SELECT *,
            bool_or(link = %(trap)s::text) OVER (
                PARTITION BY lead_id, message_id ORDER BY at
                RANGE BETWEEN interval '1 minute' PRECEDING AND interval '1 minute' FOLLOWING
            ) AS trapped,
            min(at) FILTER (WHERE NOT clicked) OVER (PARTITION BY lead_id, message_id) AS first_open
        FROM act
    ) act
    LEFT JOIN burst ON burst.lead_id = act.lead_id AND burst.at = act.at
                   AND burst.row_id IS NOT DISTINCT FROM act.row_id AND burst.id IS NOT DISTINCT FROM act.id
    WHERE act.why <> 'staff'
),
said AS (
    SELECT *,
        CASE WHEN trapped OR burst = 2 OR by = 'bot' THEN 'bot'
             WHEN burst = 1 OR unopened OR by = 'suspect' OR at < sent_at + interval '2 seconds' THEN 'suspect'
        END AS now_by,
        CASE WHEN trapped THEN 'trap'
             WHEN by = 'bot' THEN why
             WHEN burst = 2 THEN 'burst'
             WHEN by = 'suspect' AND why <> '' THEN why
             WHEN burst = 1 THEN 'burst'
             WHEN at < sent_at + interval '2 seconds' THEN 'early'
             WHEN unopened THEN 'unopened'
             ELSE why
        END AS now_why
    FROM found
)
SELECT row_id, lead_id, at, id, now_by, now_why FROM said
WHERE now_by IS NOT NULL AND (row_id IS NOT NULL OR by <> now_by);

-- name: note_verdicts
-- What this digest's own rows say of who did them.
UPDATE digest_row SET details = coalesce(details, '{}') || jsonb_build_object('by', v.by, 'why', v.why)
FROM mail_verdict v WHERE v.row_id = digest_row.id;

-- name: changed_verdicts
-- Acts that are in the ledger already and of which a later one has told who did them.
SELECT lead_id, at, id, by, why FROM mail_verdict WHERE id IS NOT NULL

-- name: doubtful_act
-- every act: whatever was thought of it is what staff may correct
-- One act of one of the kinds that machines do in people's place, kept from others' verdicts until the end of the
-- transaction. Index: activity_lead_at.
SELECT kind, coalesce(details ->> 'by', 'human') AS by FROM activity
WHERE lead_id = %(lead_id)s::bigint AND at = %(at)s::timestamptz AND id = %(id)s::bigint
  AND kind = ANY(%(kinds)s::smallint[])
FOR UPDATE;
