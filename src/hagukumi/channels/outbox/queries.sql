-- name: queue_from
-- One delivery row per send key (lead, message, occurrence); a key that is there already stays as it is.
-- `source` yields (lead_id bigint, occurrence text, due_at timestamptz). Idempotent. Index: the primary key.
-- slot source: SELECT 1::bigint AS lead_id, ''::text AS occurrence, NULL::timestamptz AS due_at WHERE false
INSERT INTO delivery (lead_id, message_id, occurrence, channel, broadcast_id, scenario_id, queued_at, due_at)
SELECT source.lead_id, %(message_id)s::bigint, source.occurrence, %(channel)s::text, %(broadcast_id)s::bigint,
       %(scenario_id)s::bigint, %(now)s::timestamptz, coalesce(source.due_at, %(now)s::timestamptz)
FROM ({source}) AS source
ON CONFLICT (lead_id, message_id, occurrence) DO NOTHING;

-- name: verdicts
-- The gate: one row per row of `picked` with `verdict`: '' (may go), 'hold' (its batch is paused), 'wait' (over the daily cap,
-- carried over to the next day, a batch's until its carry_until) or a reason code (skip). Source: 特定電子メール法 3条 (consent).
-- What is operational needs no consent and is not stopped by an unsubscription; other suppressions stop it too.
-- The channel fills in its own (`channel.Channel`): its messages, a lead's address and whether it can be one, the cap.
-- `batches` is filled by the room that sends many at once: broadcast_id, message_id, state, carry_until.
-- Parameters: channel, day_start (JST midnight), next_day (9:00 JST tomorrow). The cap is of marketing a person a JST day; 0 = no limit.
-- Index: primary keys by lead_id; the day's messages of a person by the primary key of delivery.
-- slot picked: SELECT lead_id, message_id, occurrence, broadcast_id, due_at FROM delivery WHERE false
-- slot messages: SELECT 0::bigint AS message_id, ''::text AS kind, ''::text AS unfit
-- slot address: ''
-- slot unsendable: false
-- slot cap: 0
WITH rule AS MATERIALIZED (SELECT coalesce({cap}, 0) AS cap),
looked AS (
    SELECT p.lead_id, p.message_id, p.occurrence, p.broadcast_id, p.due_at, m.kind, b.carry_until,
        CASE
            WHEN b.state = 'cancelled' THEN 'cancelled'
            WHEN b.state = 'paused' THEN 'hold'
            WHEN l.lead_id IS NULL OR l.known_at IS NULL OR l.merged_into IS NOT NULL OR l.state <> 'active'
                THEN 'lead_inactive'
            WHEN {address} = '' THEN 'no_address'
            WHEN {unsendable} THEN 'bad_address'
            WHEN coalesce(s.reason, k.reason) = 'hard_bounce' THEN 'hard_bounce'
            WHEN coalesce(s.reason, k.reason) = 'complaint' THEN 'complaint'
            WHEN coalesce(s.reason, k.reason) = 'manual' THEN 'suppressed'
            WHEN m.kind = 'marketing' AND (coalesce(s.reason, k.reason) IS NOT NULL OR c.granted = false)
                THEN 'unsubscribed'
            WHEN m.kind = 'marketing' AND c.granted IS NULL THEN 'no_consent'
            ELSE m.unfit
        END AS verdict
    FROM ({picked}) AS p
    JOIN ({messages}) AS m ON m.message_id = p.message_id
    LEFT JOIN lead l ON l.lead_id = p.lead_id
    LEFT JOIN ({batches}) AS b ON b.broadcast_id = p.broadcast_id
    LEFT JOIN consent_now c ON c.lead_id = p.lead_id AND c.channel = %(channel)s::text
    LEFT JOIN suppression s ON s.channel = %(channel)s::text AND s.value = lower({address})
    LEFT JOIN stop_kept k ON k.channel = %(channel)s::text AND k.digest = sha256(convert_to(lower({address}), 'UTF8'))
),
ranked AS (
    SELECT looked.*,
        CASE WHEN verdict = '' AND kind = 'marketing' AND rule.cap > 0 THEN
            row_number() OVER (PARTITION BY lead_id, verdict, kind ORDER BY due_at, message_id, occurrence) + (
                SELECT count(*) FROM delivery t JOIN ({messages}) AS tm ON tm.message_id = t.message_id AND tm.kind = 'marketing'
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
-- At most %(batch)s queued rows of the channel that are due, oldest first, of the buckets (lead_id mod 64) held.
-- %(held)s: messages that stay where they are; %(only)s: the messages that may be taken (NULL = any). Index: delivery_due.
SELECT lead_id, message_id, occurrence, broadcast_id, due_at FROM delivery
WHERE state = 'queued' AND channel = %(channel)s::text AND due_at <= %(now)s::timestamptz
  AND (lead_id %% 64)::int = ANY (%(buckets)s::int[])
  AND message_id <> ALL (%(held)s::bigint[])
  AND (%(only)s::bigint[] IS NULL OR message_id = ANY (%(only)s::bigint[]))
ORDER BY due_at LIMIT %(batch)s::int;

-- name: take_buckets
-- The buckets whose lock this transaction got; another sender that claims at this moment has the others.
SELECT bucket FROM generate_series(0, 63) AS bucket
WHERE pg_try_advisory_xact_lock(%(lock)s::int # hashtext(%(channel)s::text), bucket);

-- name: claim
-- Judges what is due and moves each on: queued -> sending (leased), skipped (with its reason), or later (hold, wait).
-- One row back per row judged, with what personalisation needs. Run only while holding the buckets.
-- The guard stands in a CASE so that the planner, whose statistics of states are always stale here, does not take it for
-- the way in: each row is found by its primary key.
-- `sent_at` of what is in hand is the moment it was taken, so that the daily cap and a person can see it.
-- `unproven`: whether the address may be somebody else's, so that nothing typed may go to it.
-- slot judged: SELECT lead_id, message_id, occurrence, ''::text AS verdict FROM delivery WHERE false
-- slot address: ''
-- slot unproven: false
WITH judged AS MATERIALIZED ({judged})
UPDATE delivery d
SET state = CASE j.verdict WHEN '' THEN 'sending' WHEN 'hold' THEN 'queued' WHEN 'wait' THEN 'queued' ELSE 'skipped' END,
    reason = CASE j.verdict WHEN '' THEN '' WHEN 'hold' THEN '' WHEN 'wait' THEN 'daily_cap' ELSE j.verdict END,
    due_at = CASE j.verdict
        WHEN 'hold' THEN %(until_resumed)s::timestamptz WHEN 'wait' THEN %(next_day)s::timestamptz ELSE d.due_at END,
    lease_by = CASE j.verdict WHEN '' THEN %(sender)s::text ELSE '' END,
    lease_until = CASE j.verdict WHEN '' THEN %(lease_until)s::timestamptz END,
    sent_at = CASE j.verdict WHEN '' THEN %(now)s::timestamptz END,
    address = coalesce({address}, '')
FROM judged j LEFT JOIN lead l ON l.lead_id = j.lead_id LEFT JOIN staff o ON o.id = l.owner_id
WHERE d.lead_id = j.lead_id AND d.message_id = j.message_id AND d.occurrence = j.occurrence
  AND CASE WHEN d.state = 'queued' THEN true ELSE false END
RETURNING d.state, d.lead_id, d.message_id, d.occurrence, d.id, d.attempts, d.address, l.last_name, l.first_name,
    l.company_name, l.department, l.title, l.prefecture, l.issue, coalesce(o.name, '') AS owner_name, l.fields,
    {unproven} AS unproven;

-- name: settle
-- Writes what became of what was in hand and puts one fact for each that ended (sent, failed) into `fact`. Arrays, one
-- entry each. A row that an expired lease has made `unknown` in the meantime takes the truth too; one that is no longer ours
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
-- What a sender that is gone has in hand, or for longer than its lease, is `unknown`: never resent by itself.
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
-- After a lost commit answer: rows leased by this sender that it does not hold were never handed off; they are queued.
UPDATE delivery SET state = 'queued', lease_by = '', lease_until = NULL, sent_at = NULL
WHERE state = 'sending' AND lease_by = %(sender)s::text AND id <> ALL (%(in_hand)s::bigint[]);

-- name: hold_name
-- Take the session lock that proves this sender lives.
SELECT pg_try_advisory_lock(%(lock)s::int, hashtext(%(sender)s::text));

-- name: gate_preview
-- How many people each verdict would meet now. One row per verdict.
-- slot judged: SELECT lead_id, message_id, occurrence, ''::text AS verdict FROM delivery WHERE false
SELECT verdict, count(*) AS people FROM ({judged}) AS judged GROUP BY verdict ORDER BY count(*) DESC;

-- name: cancel_queued
-- What of a broadcast has not gone out never will. Index: delivery_message.
UPDATE delivery SET state = 'skipped', reason = 'cancelled'
WHERE message_id = %(message_id)s::bigint AND state = 'queued' AND broadcast_id = %(id)s::bigint;

-- name: resume_queued
-- What a pause has parked is due again.
UPDATE delivery SET due_at = %(now)s::timestamptz
WHERE message_id = %(message_id)s::bigint AND state = 'queued' AND broadcast_id = %(id)s::bigint
  AND due_at >= %(until_resumed)s::timestamptz;

-- name: resend_reason
-- A person says: send again whatever of this broadcast (or, NULL, of the message by itself) failed for this reason.
-- What is in doubt is not among them: those are looked at one by one. Index: delivery_message.
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

-- name: delivery_of
-- One delivery by its token's numbers. Index: primary key by lead_id.
SELECT lead_id, id, message_id, occurrence, channel, broadcast_id, scenario_id, state, reason, address FROM delivery
WHERE lead_id = %(lead_id)s::bigint AND id = %(id)s::bigint;

-- name: in_flight
-- Whether a batch of this message is going out. {batches} takes `now`.
SELECT EXISTS (SELECT 1 FROM ({batches}) AS b WHERE b.message_id = %(message_id)s::bigint AND b.state = 'sending');

-- name: states
-- How many deliveries of a message or of a broadcast are in each state with each reason. One row per (state, reason).
-- Index: delivery_message.
SELECT state, reason, count(*) AS mails, count(*) FILTER (WHERE due_at >= %(until_resumed)s::timestamptz) AS parked
FROM delivery
WHERE message_id = %(message_id)s::bigint
  AND (%(broadcast_id)s::bigint IS NULL OR broadcast_id = %(broadcast_id)s::bigint)
GROUP BY state, reason ORDER BY count(*) DESC;
