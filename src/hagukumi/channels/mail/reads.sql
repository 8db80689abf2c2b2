-- name: standing_lines
-- Every line that stands still, the oldest trouble first, with how many mails wait for it. One row per line.
-- A line for which nothing waits any more (a broadcast cancelled meanwhile) troubles nobody.
WITH waiting AS MATERIALIZED (
    SELECT f.email AS sender, count(*) AS waiting
    FROM delivery d JOIN message m ON m.id = d.message_id JOIN sender f ON f.id = m.sender_id
    WHERE d.state = 'queued' AND d.reason IN ('', 'line_stopped', 'temporary', 'resent') AND EXISTS (SELECT 1 FROM mail_line)
    GROUP BY f.email
)
SELECT n.route, n.sender, n.reason, n.reply, n.since, n.tries, n.retry_at, sum(w.waiting)::bigint AS waiting
FROM mail_line n JOIN waiting w ON n.sender = '' OR w.sender = n.sender
GROUP BY n.route, n.sender, n.reason, n.reply, n.since, n.tries, n.retry_at
ORDER BY n.since;

-- name: stopped_reach
-- How many people who stopped mail an operational mail reaches all the same; of a segment, or of everybody (NULL). One row.
-- Index: primary keys by lead_id.
SELECT count(*) AS people
FROM lead l
LEFT JOIN consent_now c ON c.lead_id = l.lead_id AND c.channel = 'email'
LEFT JOIN suppression s ON s.channel = 'email' AND s.value = lower(l.email)
WHERE {known_lead} AND l.state = 'active' AND l.email <> ''
  AND (c.granted = false OR s.reason = 'unsubscribe')
  AND coalesce(s.reason, '') NOT IN ('hard_bounce', 'complaint', 'manual')
  AND (%(segment_id)s::bigint IS NULL OR EXISTS (
    SELECT 1 FROM segment_member m WHERE m.lead_id = l.lead_id AND m.segment_id = %(segment_id)s::bigint
  ));

-- name: kpis
-- What followed from the mails of `sent`: one row per (message_id, month). People count once per message and month.
-- Opens and clicks that are not by a person are counted apart. CV: a form answered within %(days)s
-- days after a human click on that message. Index: activity_kind_at and activity_lead_at.
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
