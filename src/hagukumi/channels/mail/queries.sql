-- name: queue_from
-- One delivery row per send key (lead, message, occurrence); a key that is there already stays as it is.
-- `source` yields (lead_id bigint, occurrence text, due_at timestamptz). Idempotent. Index: the primary key.
-- slot source: SELECT 1::bigint AS lead_id, ''::text AS occurrence, NULL::timestamptz AS due_at WHERE false
INSERT INTO delivery (lead_id, message_id, occurrence, broadcast_id, scenario_id, queued_at, due_at)
SELECT source.lead_id, %(message_id)s::bigint, source.occurrence, %(broadcast_id)s::bigint, %(scenario_id)s::bigint,
       %(now)s::timestamptz, coalesce(source.due_at, %(now)s::timestamptz)
FROM ({source}) AS source
ON CONFLICT (lead_id, message_id, occurrence) DO NOTHING;

-- name: verdicts
-- The gate: one row per row of `picked` with `verdict`: '' (may go), 'hold' (broadcast paused), 'wait' (over the daily cap,
-- carried over to the next day, a broadcast's until its carry_until) or a code of rules.REASONS (skip). Sources: 特定電子メール法 3条 (consent), 4条 (display items).
-- An operational mail needs no consent and is not stopped by an unsubscription; other suppressions stop it too.
-- Parameters: day_start (JST midnight), next_day (9:00 JST tomorrow), carry_days (interval). The cap is the workspace's marketing mails a person a JST day; 0 = no limit.
-- Index: primary keys by lead_id; the day's mails of a person by the primary key of delivery.
-- slot picked: SELECT lead_id, message_id, occurrence, broadcast_id, due_at FROM delivery WHERE false
WITH rule AS MATERIALIZED (SELECT coalesce((SELECT daily_mail_cap FROM workspace WHERE id = 1), 0) AS cap),
looked AS (
    SELECT p.lead_id, p.message_id, p.occurrence, p.broadcast_id, p.due_at, m.kind,
        CASE WHEN b.id IS NOT NULL THEN
            coalesce(b.carry_until, coalesce(b.started_at, b.scheduled_at, %(now)s::timestamptz) + %(carry_days)s::interval)
        END AS carry_until,
        CASE
            WHEN b.state = 'cancelled' THEN 'cancelled'
            WHEN b.state = 'paused' THEN 'hold'
            WHEN l.lead_id IS NULL OR l.known_at IS NULL OR l.merged_into IS NOT NULL OR l.state <> 'active'
                THEN 'lead_inactive'
            WHEN l.email = '' THEN 'no_address'
            WHEN l.email ~ '[^!-~]' OR l.email !~ '^[^][@<>"(),;:\\]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]{2,}$'
                THEN 'bad_address'
            WHEN coalesce(s.reason, k.reason) = 'hard_bounce' THEN 'hard_bounce'
            WHEN coalesce(s.reason, k.reason) = 'complaint' THEN 'complaint'
            WHEN coalesce(s.reason, k.reason) = 'manual' THEN 'suppressed'
            WHEN m.kind = 'marketing' AND (coalesce(s.reason, k.reason) IS NOT NULL OR c.granted = false)
                THEN 'unsubscribed'
            WHEN m.kind = 'marketing' AND c.granted IS NULL THEN 'no_consent'
            WHEN btrim(f.legal_name) = '' OR btrim(f.postal_address) = '' OR btrim(f.contact) = ''
                THEN 'sender_incomplete'
            ELSE ''
        END AS verdict
    FROM ({picked}) AS p
    JOIN message m ON m.id = p.message_id
    JOIN sender f ON f.id = m.sender_id
    LEFT JOIN lead l ON l.lead_id = p.lead_id
    LEFT JOIN broadcast b ON b.id = p.broadcast_id
    LEFT JOIN consent_now c ON c.lead_id = p.lead_id AND c.channel = 'email'
    LEFT JOIN suppression s ON s.channel = 'email' AND s.value = lower(l.email)
    LEFT JOIN stop_kept k ON k.channel = 'email' AND k.digest = sha256(convert_to(lower(l.email), 'UTF8'))
),
ranked AS (
    SELECT looked.*,
        CASE WHEN verdict = '' AND kind = 'marketing' AND rule.cap > 0 THEN
            row_number() OVER (PARTITION BY lead_id, verdict, kind ORDER BY due_at, message_id, occurrence) + (
                SELECT count(*) FROM delivery t JOIN message tm ON tm.id = t.message_id AND tm.kind = 'marketing'
                WHERE t.lead_id = looked.lead_id AND t.state IN ('sending', 'sent', 'unknown')
                  AND t.sent_at >= %(day_start)s::timestamptz
            )
        ELSE 0 END AS nth_today, rule.cap
    FROM looked CROSS JOIN rule
)
SELECT lead_id, message_id, occurrence,
    CASE
        WHEN nth_today > cap AND carry_until IS NOT NULL AND carry_until < %(next_day)s::timestamptz THEN 'daily_cap'
        WHEN nth_today > cap THEN 'wait'
        ELSE verdict
    END AS verdict
FROM ranked;

-- name: due_deliveries
-- At most %(batch)s queued mails that are due, oldest first, of the buckets (lead_id mod 64) held. Index: delivery_queued.
-- %(held)s: messages whose line stands still; %(only)s: for a probe, the messages it may take (NULL = any).
SELECT lead_id, message_id, occurrence, broadcast_id, due_at FROM delivery
WHERE state = 'queued' AND due_at <= %(now)s::timestamptz AND (lead_id %% 64)::int = ANY (%(buckets)s::int[])
  AND message_id <> ALL (%(held)s::bigint[])
  AND (%(only)s::bigint[] IS NULL OR message_id = ANY (%(only)s::bigint[]))
ORDER BY due_at LIMIT %(batch)s::int;

-- name: messages_of_senders
-- The messages that go out in the name of these addresses. One row per message.
SELECT m.id FROM message m JOIN sender f ON f.id = m.sender_id WHERE f.email = ANY (%(senders)s::text[]);

-- name: lines_of_route
-- What stands still on a route (host:port). One row per sender ('' = the whole route).
SELECT sender, reason, reply, since, tries, retry_at FROM mail_line WHERE route = %(route)s::text;

-- name: keep_line
-- One line that stands still, as it is now. Idempotent.
INSERT INTO mail_line (route, sender, reason, reply, since, tries, retry_at)
VALUES (%(route)s::text, %(sender)s::text, %(reason)s::text, %(reply)s::text, %(since)s::timestamptz, %(tries)s::int,
    %(retry_at)s::timestamptz)
ON CONFLICT (route, sender) DO UPDATE
SET reason = excluded.reason, reply = excluded.reply, since = excluded.since, tries = excluded.tries,
    retry_at = excluded.retry_at;

-- name: drop_line
DELETE FROM mail_line WHERE route = %(route)s::text AND sender = %(sender)s::text;

-- name: standing_lines
-- Every line that stands still, the oldest trouble first, with how many mails wait for it. One row per line.
-- A line for which nothing waits any more (a broadcast cancelled meanwhile) troubles nobody.
SELECT n.route, n.sender, n.reason, n.reply, n.since, n.tries, n.retry_at, w.waiting
FROM mail_line n CROSS JOIN LATERAL (
    SELECT count(*) AS waiting
    FROM delivery d JOIN message m ON m.id = d.message_id JOIN sender f ON f.id = m.sender_id
    WHERE d.state = 'queued' AND d.reason IN ('', 'line_stopped', 'temporary', 'resent')
      AND (n.sender = '' OR f.email = n.sender)
) AS w
WHERE w.waiting > 0 ORDER BY n.since;

-- name: take_buckets
-- The buckets whose lock this transaction got; another sender that claims at this moment has the others.
SELECT bucket FROM generate_series(0, 63) AS bucket WHERE pg_try_advisory_xact_lock(%(lock)s::int, bucket);

-- name: claim
-- Judges due mails and moves each on: queued -> sending (leased), skipped (with its reason), or later (hold, wait).
-- One row back per mail judged, with what personalisation needs. Run only while holding the buckets.
-- The guard stands in a CASE so that the planner, whose statistics of states are always stale here, does not take it for
-- the way in: each row is found by its primary key.
-- `sent_at` of a mail in hand is the moment it was taken, so that the daily cap and a person can see it.
-- slot judged: SELECT lead_id, message_id, occurrence, ''::text AS verdict FROM delivery WHERE false
WITH judged AS MATERIALIZED ({judged})
UPDATE delivery d
SET state = CASE j.verdict WHEN '' THEN 'sending' WHEN 'hold' THEN 'queued' WHEN 'wait' THEN 'queued' ELSE 'skipped' END,
    reason = CASE j.verdict WHEN '' THEN '' WHEN 'hold' THEN '' WHEN 'wait' THEN 'daily_cap' ELSE j.verdict END,
    due_at = CASE j.verdict
        WHEN 'hold' THEN %(until_resumed)s::timestamptz WHEN 'wait' THEN %(next_day)s::timestamptz ELSE d.due_at END,
    lease_by = CASE j.verdict WHEN '' THEN %(sender)s::text ELSE '' END,
    lease_until = CASE j.verdict WHEN '' THEN %(lease_until)s::timestamptz END,
    sent_at = CASE j.verdict WHEN '' THEN %(now)s::timestamptz END,
    address = coalesce(l.email, '')
FROM judged j LEFT JOIN lead l ON l.lead_id = j.lead_id LEFT JOIN staff o ON o.id = l.owner_id
WHERE d.lead_id = j.lead_id AND d.message_id = j.message_id AND d.occurrence = j.occurrence
  AND CASE WHEN d.state = 'queued' THEN true ELSE false END
RETURNING d.state, d.lead_id, d.message_id, d.occurrence, d.id, d.attempts, d.address, l.last_name, l.first_name,
    l.company_name, l.department, l.title, l.prefecture, l.issue, coalesce(o.name, '') AS owner_name, l.fields,
    EXISTS (
        SELECT 1 FROM address_check c WHERE c.lead_id = d.lead_id AND c.value = lower(l.email) AND c.confirmed_at IS NULL
    ) AND NOT EXISTS (
        SELECT 1 FROM activity a WHERE a.lead_id = d.lead_id AND a.kind = %(clicked)s::smallint AND {by_a_person}
    ) AS unproven;

-- name: settle
-- Writes what became of mails in hand and puts one fact for each that ended (sent, failed) into `fact`. Arrays, one mail
-- each. A mail that an expired lease has made `unknown` in the meantime takes the truth too; one that is no longer ours
-- (resent by a person, settled before) is left alone. Idempotent. Index: the primary key (CASE: see `claim`).
WITH outcome AS (
    SELECT * FROM unnest(
        %(lead_ids)s::bigint[], %(message_ids)s::bigint[], %(occurrences)s::text[], %(states)s::text[], %(reasons)s::text[],
        %(attempts)s::smallint[], %(due_ats)s::timestamptz[], %(sent_ats)s::timestamptz[], %(receipts)s::text[]
    ) AS o (lead_id, message_id, occurrence, state, reason, attempts, due_at, sent_at, receipt)
),
settled AS (
    UPDATE delivery d
    SET state = o.state, reason = o.reason, attempts = o.attempts, due_at = coalesce(o.due_at, d.due_at),
        sent_at = o.sent_at, receipt = o.receipt, lease_until = NULL,
        lease_by = CASE WHEN o.state = 'unknown' THEN d.lease_by ELSE '' END
    FROM outcome o
    WHERE d.lead_id = o.lead_id AND d.message_id = o.message_id AND d.occurrence = o.occurrence
      AND CASE WHEN d.state IN ('sending', 'unknown') THEN d.lease_by = %(sender)s::text ELSE false END
    RETURNING d.lead_id, d.message_id, d.state, d.reason, d.sent_at
)
INSERT INTO fact (lead_id, at, kind, object_id, details)
SELECT lead_id, coalesce(sent_at, %(now)s::timestamptz),
    CASE state WHEN 'sent' THEN %(kind_sent)s::smallint ELSE %(kind_failed)s::smallint END, message_id,
    CASE WHEN state = 'failed' THEN jsonb_build_object('reason', reason) END
FROM settled WHERE state IN ('sent', 'failed');

-- name: sweep_leases
-- Mails in the hand of a sender that is gone, or for longer than their lease, are `unknown`: never resent by themselves.
-- A living sender holds the advisory lock of its name. Index: delivery_sending.
WITH gone AS MATERIALIZED (
    SELECT lease_by FROM (
        SELECT DISTINCT lease_by FROM delivery WHERE state = 'sending' AND lease_by <> %(sender)s::text
    ) AS others
    WHERE pg_try_advisory_xact_lock(%(lock)s::int, hashtext(lease_by))
)
UPDATE delivery SET state = 'unknown', reason = 'in_doubt', lease_until = NULL
WHERE state = 'sending' AND (lease_by IN (SELECT lease_by FROM gone) OR lease_until <= %(now)s::timestamptz);

-- name: release_lost
-- After a lost commit answer: mails leased by this sender that it does not hold were never handed off; they are queued.
UPDATE delivery SET state = 'queued', lease_by = '', lease_until = NULL, sent_at = NULL
WHERE state = 'sending' AND lease_by = %(sender)s::text AND id <> ALL (%(in_hand)s::bigint[]);

-- name: hold_name
-- Take the session lock that proves this sender lives.
SELECT pg_try_advisory_lock(%(lock)s::int, hashtext(%(sender)s::text));

-- name: compiled_sources
-- All that the mails of these messages are made of, one row per message.
SELECT m.id, m.kind, m.subject, m.preheader, m.mjml, m.text, m.updated_at, f.name, f.email, f.reply_to, f.legal_name,
    f.postal_address, f.contact
FROM message m JOIN sender f ON f.id = m.sender_id
WHERE m.id = ANY (%(ids)s::bigint[]);

-- name: gate_preview
-- How many people each verdict would meet now. One row per verdict.
-- slot judged: SELECT lead_id, message_id, occurrence, ''::text AS verdict FROM delivery WHERE false
SELECT verdict, count(*) AS people FROM ({judged}) AS judged GROUP BY verdict ORDER BY count(*) DESC;

-- name: stopped_reach
-- How many people who stopped mail an operational mail reaches all the same; of a segment, or of everybody (NULL). One row.
-- Index: primary keys by lead_id.
SELECT count(*) AS people
FROM lead l
LEFT JOIN consent_now c ON c.lead_id = l.lead_id AND c.channel = 'email'
LEFT JOIN suppression s ON s.channel = 'email' AND s.value = lower(l.email)
WHERE l.known_at IS NOT NULL AND l.merged_into IS NULL AND l.state = 'active' AND l.email <> ''
  AND (c.granted = false OR s.reason = 'unsubscribe')
  AND coalesce(s.reason, '') NOT IN ('hard_bounce', 'complaint', 'manual')
  AND (%(segment_id)s::bigint IS NULL OR EXISTS (
    SELECT 1 FROM segment_member m WHERE m.lead_id = l.lead_id AND m.segment_id = %(segment_id)s::bigint
  ));

-- name: segment_audience
-- The members of a segment as the gate reads them: what a broadcast to it would queue now. Index: segment_member_segment.
SELECT lead_id, %(message_id)s::bigint AS message_id, ''::text AS occurrence, 0::bigint AS broadcast_id,
    %(now)s::timestamptz AS due_at
FROM segment_member WHERE segment_id = %(segment_id)s::bigint;

-- name: due_broadcasts
-- Scheduled broadcasts whose time has come, and sending ones that have nothing more to do. One row per broadcast.
SELECT b.id, b.state, b.message_id, b.segment_id FROM broadcast b
WHERE (b.state = 'scheduled' AND b.scheduled_at <= %(now)s::timestamptz)
   OR (b.state = 'sending' AND NOT EXISTS (
        SELECT 1 FROM delivery d
        WHERE d.message_id = b.message_id AND d.state IN ('queued', 'sending') AND d.broadcast_id = b.id
   ));

-- name: start_broadcast
UPDATE broadcast SET state = 'sending', started_at = %(now)s::timestamptz
WHERE id = %(id)s::bigint AND state = 'scheduled';

-- name: finish_broadcast
UPDATE broadcast SET state = 'done' WHERE id = %(id)s::bigint AND state = 'sending';

-- name: cancel_queued
-- Mails of a broadcast that have not gone out never will. Index: delivery_message.
UPDATE delivery SET state = 'skipped', reason = 'cancelled'
WHERE message_id = %(message_id)s::bigint AND state = 'queued' AND broadcast_id = %(id)s::bigint;

-- name: resume_queued
-- Mails parked by a pause are due again.
UPDATE delivery SET due_at = %(now)s::timestamptz
WHERE message_id = %(message_id)s::bigint AND state = 'queued' AND broadcast_id = %(id)s::bigint
  AND due_at >= %(until_resumed)s::timestamptz;

-- name: resend_reason
-- A person says: send again whatever of this broadcast (or, NULL, of the message by itself) failed for this reason.
-- Mails in doubt are not among them: those are looked at one by one. Index: delivery_message.
UPDATE delivery
SET state = 'queued', reason = 'resent', attempts = 0, due_at = %(now)s::timestamptz, lease_by = '', lease_until = NULL,
    sent_at = NULL, receipt = ''
WHERE message_id = %(message_id)s::bigint AND state IN ('failed', 'skipped') AND reason = %(reason)s::text
  AND broadcast_id IS NOT DISTINCT FROM %(broadcast_id)s::bigint;

-- name: resend
-- A person says: send this one again. Only what failed, was skipped or is unknown; the row is the same send key.
UPDATE delivery
SET state = 'queued', reason = 'resent', attempts = 0, due_at = %(now)s::timestamptz, lease_by = '', lease_until = NULL,
    sent_at = NULL, receipt = ''
WHERE lead_id = %(lead_id)s::bigint AND id = %(id)s::bigint AND state IN ('failed', 'skipped', 'unknown');

-- name: reopen_broadcast
UPDATE broadcast SET state = 'sending' WHERE id = %(id)s::bigint AND state = 'done';

-- name: delivery_of
-- One delivery by its token's numbers. Index: primary key by lead_id.
SELECT lead_id, id, message_id, occurrence, broadcast_id, state, reason, address,
    (SELECT f.legal_name FROM message m JOIN sender f ON f.id = m.sender_id WHERE m.id = message_id) AS legal_name
FROM delivery
WHERE lead_id = %(lead_id)s::bigint AND id = %(id)s::bigint;

-- name: states
-- How many deliveries of a message or of a broadcast are in each state with each reason. One row per (state, reason).
-- Index: delivery_message.
SELECT state, reason, count(*) AS mails, count(*) FILTER (WHERE due_at >= %(until_resumed)s::timestamptz) AS parked
FROM delivery
WHERE message_id = %(message_id)s::bigint
  AND (%(broadcast_id)s::bigint IS NULL OR broadcast_id = %(broadcast_id)s::bigint)
GROUP BY state, reason ORDER BY count(*) DESC;

-- name: kpis
-- What followed from the mails of `sent`: one row per (message_id, month). People count once per message and month.
-- Opens and clicks that are not by a person are counted apart. CV: a form answered within %(days)s
-- days after a human click on that message. Index: activity_kind_at and the ledger's primary key.
-- slot sent: SELECT lead_id, object_id AS message_id, at FROM activity WHERE false
WITH mails AS MATERIALIZED (
    SELECT lead_id, message_id, date_trunc('month', at AT TIME ZONE 'Asia/Tokyo')::date AS month, at FROM ({sent}) AS sent
),
person AS MATERIALIZED (
    SELECT message_id, month, lead_id, count(*) AS mails, min(at) AS at FROM mails GROUP BY message_id, month, lead_id
),
act AS MATERIALIZED (
    SELECT a.lead_id, a.kind, a.object_id, a.at, NOT ({by_a_person}) AS suspect
    FROM activity a
    WHERE a.kind IN (%(opened)s::smallint, %(clicked)s::smallint, %(unsubscribed)s::smallint)
      AND a.at >= (SELECT min(at) FROM person)
),
clicked AS (
    SELECT p.message_id, p.month, p.lead_id, act.at FROM person p
    JOIN act ON act.lead_id = p.lead_id AND act.object_id = p.message_id AND act.at >= p.at
    WHERE act.kind = %(clicked)s::smallint AND NOT act.suspect
),
followed AS (
    SELECT p.message_id, p.month,
        count(DISTINCT p.lead_id) FILTER (WHERE act.kind = %(opened)s::smallint AND NOT suspect) AS opened,
        count(DISTINCT p.lead_id) FILTER (WHERE act.kind = %(clicked)s::smallint AND NOT suspect) AS clicked,
        count(DISTINCT p.lead_id) FILTER (WHERE act.kind = %(unsubscribed)s::smallint) AS unsubscribed,
        count(*) FILTER (WHERE act.kind = %(opened)s::smallint AND suspect) AS suspect_opens,
        count(*) FILTER (WHERE act.kind = %(clicked)s::smallint AND suspect) AS suspect_clicks
    FROM person p JOIN act ON act.lead_id = p.lead_id AND act.object_id = p.message_id AND act.at >= p.at
    GROUP BY p.message_id, p.month
),
converted AS (
    SELECT c.message_id, c.month, count(DISTINCT c.lead_id) AS converted
    FROM clicked c JOIN activity f ON f.lead_id = c.lead_id AND f.kind = %(answered)s::smallint
        AND f.at >= c.at AND f.at < c.at + make_interval(days => %(days)s::int)
    GROUP BY c.message_id, c.month
)
SELECT m.message_id, m.month, m.sent, coalesce(f.opened, 0) AS opened, coalesce(f.clicked, 0) AS clicked,
    coalesce(c.converted, 0) AS converted, coalesce(f.unsubscribed, 0) AS unsubscribed,
    coalesce(f.suspect_opens, 0) AS suspect_opens, coalesce(f.suspect_clicks, 0) AS suspect_clicks
FROM (SELECT message_id, month, sum(mails)::bigint AS sent FROM person GROUP BY message_id, month) AS m
LEFT JOIN followed f USING (message_id, month) LEFT JOIN converted c USING (message_id, month)
ORDER BY m.month DESC, m.sent DESC;

-- name: sent_facts
-- every act: what we sent
-- Mails sent in [first, last): one row per mail. Index: activity_kind_at.
SELECT lead_id, object_id AS message_id, at FROM activity
WHERE kind = %(sent)s::smallint AND at >= %(first)s::timestamptz AND at < %(last)s::timestamptz;

-- name: sent_of_broadcast
-- Mails of one broadcast that were sent. Index: delivery_message.
SELECT lead_id, message_id, sent_at AS at FROM delivery
WHERE message_id = %(message_id)s::bigint AND state = 'sent' AND broadcast_id = %(broadcast_id)s::bigint;

-- name: failed_facts
-- every act: what did not arrive
-- Mails that failed for good in [first, last), per message and JST month. Index: activity_kind_at.
SELECT object_id AS message_id, date_trunc('month', at AT TIME ZONE 'Asia/Tokyo')::date AS month, count(*) AS failed
FROM activity WHERE kind = %(failed)s::smallint AND at >= %(first)s::timestamptz AND at < %(last)s::timestamptz
GROUP BY 1, 2;

-- name: broadcasts
-- Broadcasts with their audience by state, newest first. One row per broadcast. Index: delivery_message.
WITH page AS MATERIALIZED (
    SELECT b.id, b.state, b.scheduled_at, b.started_at, b.created_at, b.message_id, m.name AS message, m.subject, s.name AS segment
    FROM broadcast b JOIN message m ON m.id = b.message_id JOIN segment s ON s.id = b.segment_id
    WHERE b.id < %(before)s::bigint AND (%(id)s::bigint IS NULL OR b.id = %(id)s::bigint)
    ORDER BY b.id DESC LIMIT %(limit)s::int
),
n AS MATERIALIZED (
    SELECT d.broadcast_id, count(*) AS audience, count(*) FILTER (WHERE d.state = 'queued') AS queued,
        count(*) FILTER (WHERE d.state = 'sending') AS sending, count(*) FILTER (WHERE d.state = 'sent') AS sent,
        count(*) FILTER (WHERE d.state = 'failed') AS failed, count(*) FILTER (WHERE d.state = 'skipped') AS skipped,
        count(*) FILTER (WHERE d.state = 'unknown') AS unknown
    FROM delivery d
    WHERE d.message_id IN (SELECT message_id FROM page) AND d.broadcast_id IN (SELECT id FROM page) GROUP BY d.broadcast_id
)
SELECT page.*, coalesce(n.queued, 0) AS queued, coalesce(n.sending, 0) AS sending, coalesce(n.sent, 0) AS sent,
       coalesce(n.failed, 0) AS failed, coalesce(n.skipped, 0) AS skipped, coalesce(n.unknown, 0) AS unknown,
       coalesce(n.audience, 0) AS audience
FROM page LEFT JOIN n ON n.broadcast_id = page.id
ORDER BY page.id DESC;

-- name: message_totals
-- Per message that is not archived: how many mails are in each state. One row per message.
SELECT m.id, m.name, m.subject, m.kind, m.updated_at, f.name AS sender,
    btrim(f.legal_name) = '' OR btrim(f.postal_address) = '' OR btrim(f.contact) = '' AS incomplete,
    count(d.lead_id) FILTER (WHERE d.state = 'sent') AS sent, count(d.lead_id) AS audience
FROM message m JOIN sender f ON f.id = m.sender_id LEFT JOIN delivery d ON d.message_id = m.id
WHERE m.archived_at IS NULL GROUP BY m.id, f.id ORDER BY m.updated_at DESC;

-- name: deliveries
-- One page of a broadcast's or a message's mails in lead order, with whom and what they did. Keyset: lead_id, id.
SELECT d.lead_id, d.id, d.state, d.reason, d.attempts, d.due_at, d.sent_at, d.address, d.receipt,
    coalesce(l.last_name || ' ' || l.first_name, '') AS person, coalesce(l.company_name, '') AS company,
    EXISTS (SELECT 1 FROM activity a WHERE a.lead_id = d.lead_id AND a.kind = %(opened)s::smallint
        AND a.object_id = d.message_id AND a.at >= d.sent_at AND {by_a_person}) AS opened,
    EXISTS (SELECT 1 FROM activity a WHERE a.lead_id = d.lead_id AND a.kind = %(clicked)s::smallint
        AND a.object_id = d.message_id AND a.at >= d.sent_at AND {by_a_person}) AS clicked,
    (SELECT max(CASE a.details ->> 'by' WHEN 'bot' THEN 2 ELSE 1 END) FROM activity a WHERE a.lead_id = d.lead_id
        AND a.kind IN (%(opened)s::smallint, %(clicked)s::smallint) AND a.object_id = d.message_id AND a.at >= d.sent_at
        AND NOT ({by_a_person})) AS machine
FROM delivery d LEFT JOIN lead l ON l.lead_id = d.lead_id
WHERE d.message_id = %(message_id)s::bigint
  AND (%(broadcast_id)s::bigint IS NULL OR d.broadcast_id = %(broadcast_id)s::bigint)
  AND (%(state)s::text = '' OR d.state = %(state)s::text) AND (%(reason)s::text = '' OR d.reason = %(reason)s::text)
  AND (d.lead_id, d.id) > (%(after_lead)s::bigint, %(after_id)s::bigint)
ORDER BY d.lead_id, d.id LIMIT %(limit)s::int;
