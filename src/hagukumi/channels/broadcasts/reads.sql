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

-- name: segment_audience
-- The members of a segment as the gate reads them: what a broadcast to it would queue now. Index: segment_member_segment.
SELECT lead_id, %(message_id)s::bigint AS message_id, ''::text AS occurrence, 0::bigint AS broadcast_id,
    %(now)s::timestamptz AS due_at
FROM segment_member WHERE segment_id = %(segment_id)s::bigint;
