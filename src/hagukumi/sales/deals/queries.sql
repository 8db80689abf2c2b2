-- name: hand_over
-- Opens one handover for each selected lead that has none open, with its packet: the evidence at this moment.
-- Slot people: SELECT lead_id. Idempotent while a handover is open. Facts go to `fact` (one per handover made).
-- slot people: SELECT NULL::bigint AS lead_id WHERE false
WITH chosen AS (
    SELECT DISTINCT p.lead_id FROM ({people}) AS p (lead_id) JOIN lead l USING (lead_id)
    WHERE l.known_at IS NOT NULL AND l.merged_into IS NULL
      AND NOT EXISTS (SELECT 1 FROM handover h WHERE h.lead_id = p.lead_id AND h.state = 'open')
),
recent AS (
    SELECT c.lead_id, jsonb_agg(jsonb_build_object('kind', a.kind, 'object_id', a.object_id, 'at', a.at) ORDER BY a.at DESC) AS facts
    FROM chosen c
    CROSS JOIN LATERAL (
        SELECT a.kind, a.object_id, a.at FROM activity a
        WHERE a.lead_id = c.lead_id AND a.kind = ANY (%(evidence_kinds)s::smallint[]) AND a.at <= %(now)s::timestamptz
          AND {by_a_person}
        ORDER BY a.at DESC LIMIT 8
    ) a
    GROUP BY c.lead_id
),
made AS (
    INSERT INTO handover (lead_id, state, cause, packet, created_at, due_at, note, return_reason)
    SELECT c.lead_id, 'open', %(cause)s,
           jsonb_build_object(
               'score', (SELECT jsonb_build_object('attribute', s.attribute, 'behaviour', s.behaviour, 'total', s.total,
                                                   'matched', to_jsonb(s.matched), 'version_id', s.version_id)
                         FROM lead_score s WHERE s.lead_id = c.lead_id ORDER BY s.model_id LIMIT 1),
               'phase_id', (SELECT lp.phase_id FROM lead_phase lp JOIN phase_model m ON m.id = lp.model_id
                            WHERE lp.lead_id = c.lead_id AND m.is_primary),
               'facts', coalesce(r.facts, '[]'::jsonb)
           ),
           %(now)s::timestamptz, %(due_at)s::timestamptz, '', ''
    FROM chosen c LEFT JOIN recent r USING (lead_id)
    RETURNING lead_id, id
)
INSERT INTO fact (lead_id, at, kind, object_id, details, hop)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, id, jsonb_build_object('cause', %(cause)s::text), %(hop)s::smallint
FROM made;

-- name: answer_handover
-- Answers an open handover, once: a second answer touches no row.
UPDATE handover SET state = %(state)s, answered_at = %(now)s::timestamptz, answered_by_id = %(user_id)s::bigint,
       return_reason = %(reason)s, note = %(note)s
WHERE lead_id = %(lead_id)s::bigint AND id = %(handover_id)s::bigint AND state = 'open';

-- name: previous_phase
-- The phase just before the lead's present one in the primary model; no row at the first phase.
SELECT p.id
FROM lead_phase lp
JOIN phase_model m ON m.id = lp.model_id AND m.is_primary
JOIN phase here ON here.id = lp.phase_id
JOIN phase p ON p.model_id = m.id AND p.position = here.position - 1
WHERE lp.lead_id = %(lead_id)s::bigint;

-- name: open_handovers
-- The desk: handovers in a state, most urgent first, with what sales needs at a glance. Index: handover_state.
-- slot owner: true
SELECT h.lead_id, h.id, h.state, h.cause, h.packet, h.created_at, h.due_at, h.answered_at, h.return_reason, h.note,
       h.due_at < %(now)s::timestamptz AND h.state = 'open' AS is_late,
       l.last_name, l.first_name, l.company_name, l.department, l.title, l.phone, l.mobile, l.email,
       s.attribute, s.behaviour, s.total, st.name AS answered_by
FROM handover h
JOIN lead l USING (lead_id)
LEFT JOIN LATERAL (SELECT attribute, behaviour, total FROM lead_score WHERE lead_id = h.lead_id LIMIT 1) s ON true
LEFT JOIN staff st ON st.id = h.answered_by_id
WHERE h.state = %(state)s AND {owner}
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

-- name: open_deals
-- Open deals with their person, per stage in stage order, largest amount first.
SELECT d.lead_id, d.id, d.name, d.amount_yen, d.stage, d.expected_on, d.created_at, d.owner_id, st.name AS owner,
       l.last_name, l.first_name, l.company_name, d.expected_on < %(today)s::date AS is_overdue
FROM deal d JOIN lead l USING (lead_id) LEFT JOIN staff st ON st.id = d.owner_id
WHERE d.outcome = ''
ORDER BY d.amount_yen DESC NULLS LAST, d.id
LIMIT 500;

-- name: won_since
-- How many deals were won since %(since)s, and their yen.
SELECT count(*) AS deals, coalesce(sum(amount_yen), 0)::bigint AS yen FROM deal
WHERE outcome = 'won' AND closed_at >= %(since)s::timestamptz;

-- name: closed_deals
-- The latest deals won or lost since %(since)s, newest first.
SELECT d.lead_id, d.id, d.name, d.amount_yen, d.outcome, d.reason, d.closed_at, st.name AS owner,
       l.last_name, l.first_name, l.company_name
FROM deal d JOIN lead l USING (lead_id) LEFT JOIN staff st ON st.id = d.owner_id
WHERE d.outcome <> '' AND d.closed_at >= %(since)s::timestamptz
ORDER BY d.closed_at DESC, d.id
LIMIT 30;

-- name: next_deal_id
SELECT nextval('deal_id_seq');

-- name: deals_with_outcome
-- The three latest deals of one lead with an outcome ('' = open). Index: deal's key.
SELECT name, coalesce(closed_at, created_at) AS at FROM deal
WHERE lead_id = %(lead_id)s::bigint AND outcome = %(outcome)s ORDER BY created_at DESC, id DESC LIMIT 3;
