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

-- name: empty_broadcast
-- Nobody was in the segment when it began: it is over, and says so.
UPDATE broadcast SET state = 'empty' WHERE id = %(id)s::bigint AND state = 'sending';

-- name: finish_broadcast
UPDATE broadcast SET state = 'done' WHERE id = %(id)s::bigint AND state = 'sending';

-- name: reopen_broadcast
UPDATE broadcast SET state = 'sending' WHERE id = %(id)s::bigint AND state = 'done';
