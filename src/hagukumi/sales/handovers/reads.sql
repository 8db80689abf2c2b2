-- name: open_handovers
-- The desk: handovers in a state, most urgent first, with what sales needs at a glance. One row per handover; {order} and
-- {after} go together. Index: handover_state (those that wait), handover_answered (the others).
-- slot order: h.due_at, h.id
-- slot after: true
SELECT h.lead_id, h.id, h.state, h.cause, h.packet, h.created_at, h.due_at, h.answered_at, h.return_reason, h.note,
       h.due_at < %(now)s::timestamptz AND h.state = 'open' AS is_late,
       l.last_name, l.first_name, l.company_name, l.department, l.title, l.phone, l.mobile, l.email,
       s.attribute, s.behaviour, s.total, st.name AS answered_by
FROM handover h
JOIN lead l USING (lead_id)
LEFT JOIN lead_score s ON s.lead_id = h.lead_id AND s.model_id = {primary_score_model}
LEFT JOIN staff st ON st.id = h.answered_by_id
WHERE h.state = %(state)s AND {after}
ORDER BY {order}
LIMIT %(limit)s::int;

-- name: handover_counts
-- How many handovers stand in each state, and how the SLA is kept: answered in time / answered (since %(since)s).
SELECT count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'open' AND due_at < %(now)s::timestamptz) AS late,
       count(*) FILTER (WHERE state = 'accepted' AND answered_at >= %(since)s::timestamptz) AS accepted,
       count(*) FILTER (WHERE state = 'returned' AND answered_at >= %(since)s::timestamptz) AS returned,
       count(*) FILTER (WHERE answered_at >= %(since)s::timestamptz AND answered_at <= due_at) AS in_time
FROM handover;
