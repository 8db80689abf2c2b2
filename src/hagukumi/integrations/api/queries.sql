-- name: people
-- One row per item of a batch, in order: the known lead that its id or its address names, or null. Arrays of equal length.
-- Index: lead_pkey, lead_identity_pkey. Merged people resolve to the one who is left.
SELECT asked.place, coalesce(l.merged_into, l.lead_id) AS lead_id
FROM unnest(%(lead_ids)s::bigint[], %(emails)s::text[]) WITH ORDINALITY AS asked (lead_id, email, place)
LEFT JOIN lead_identity i ON i.kind = 'email' AND i.value = asked.email AND asked.lead_id IS NULL
LEFT JOIN lead l ON l.lead_id = coalesce(asked.lead_id, i.lead_id) AND {known_lead}
ORDER BY asked.place;

-- name: members
-- Members of a segment by lead_id, after %(after)s. Index: segment_member_segment.
SELECT m.lead_id, m.since, l.email, l.last_name, l.first_name, l.company_name
FROM segment_member m JOIN lead l ON l.lead_id = m.lead_id
WHERE m.segment_id = %(segment_id)s::bigint AND m.lead_id > %(after)s::bigint
ORDER BY m.lead_id
LIMIT %(limit)s::int;

-- name: segment_counts
-- One row per segment that has members: how many.
SELECT segment_id, count(*) AS members FROM segment_member GROUP BY segment_id;

-- name: deliveries
-- Newest first by delivery id before %(before)s; {filters} restricts. Index: delivery_id, delivery_pkey, delivery_message.
-- slot filters: true
SELECT d.id, d.lead_id, d.message_id, m.name AS message, d.occurrence, d.broadcast_id, d.scenario_id, d.state, d.reason,
       d.attempts, d.queued_at, d.due_at, d.sent_at, d.address, d.receipt
FROM delivery d JOIN message m ON m.id = d.message_id
WHERE d.id < %(before)s::bigint AND {filters}
ORDER BY d.id DESC
LIMIT %(limit)s::int;
