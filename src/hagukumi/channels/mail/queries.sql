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

-- name: compiled_sources
-- All that the mails of these messages are made of, one row per message.
SELECT m.id, m.kind, m.subject, m.preheader, m.mjml, m.text, m.updated_at, f.name, f.email, f.reply_to, f.legal_name,
    f.postal_address, f.contact
FROM message m JOIN sender f ON f.id = m.sender_id
WHERE m.id = ANY (%(ids)s::bigint[]);

-- name: author
-- The legal name of the sender of a message. One row.
SELECT f.legal_name FROM message m JOIN sender f ON f.id = m.sender_id WHERE m.id = %(id)s::bigint;
