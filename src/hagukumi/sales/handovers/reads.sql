-- name: open_handovers
-- The desk: handovers in a state, most urgent first, with what sales needs at a glance. Index: handover_state.
SELECT h.lead_id, h.id, h.state, h.cause, h.packet, h.created_at, h.due_at, h.answered_at, h.return_reason, h.note,
       h.due_at < %(now)s::timestamptz AND h.state = 'open' AS is_late,
       l.last_name, l.first_name, l.company_name, l.department, l.title, l.phone, l.mobile, l.email,
       s.attribute, s.behaviour, s.total, st.name AS answered_by
FROM handover h
JOIN lead l USING (lead_id)
LEFT JOIN LATERAL (SELECT attribute, behaviour, total FROM lead_score WHERE lead_id = h.lead_id LIMIT 1) s ON true
LEFT JOIN staff st ON st.id = h.answered_by_id
WHERE h.state = %(state)s
ORDER BY CASE WHEN h.state = 'open' THEN h.due_at END, h.answered_at DESC, h.id
LIMIT %(limit)s::int OFFSET %(offset)s::int;

-- name: handover_counts
-- How many handovers stand in each state, and how the SLA is kept: answered in time / answered (since %(since)s).
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'open' AND due_at < %(now)s::timestamptz) AS late,
       count(*) FILTER (WHERE state = 'accepted' AND answered_at >= %(since)s::timestamptz) AS accepted,
       count(*) FILTER (WHERE state = 'returned' AND answered_at >= %(since)s::timestamptz) AS returned,
       count(*) FILTER (WHERE answered_at >= %(since)s::timestamptz AND answered_at <= due_at) AS in_time
FROM handover;
