-- name: hand_over
-- Opens one handover for each selected lead that has none open, with its packet: the evidence at this moment.
-- Slot people: SELECT lead_id. Idempotent while a handover is open. Facts go to `fact` (one per handover made).
-- slot people: SELECT NULL::bigint AS lead_id WHERE false
WITH asked AS MATERIALIZED (SELECT DISTINCT lead_id FROM ({people}) AS p (lead_id)),
chosen AS MATERIALIZED (
    SELECT l.lead_id FROM lead l
    WHERE l.lead_id IN (SELECT lead_id FROM asked) AND {known_lead}
      AND NOT EXISTS (SELECT 1 FROM handover h WHERE h.lead_id = l.lead_id AND h.state = 'open')
),
packet AS MATERIALIZED (
    SELECT l.lead_id,
           jsonb_build_object(
               'score', (SELECT jsonb_build_object('attribute', s.attribute, 'behaviour', s.behaviour, 'total', s.total,
                                                   'matched', to_jsonb(s.matched), 'version_id', s.version_id)
                         FROM lead_score s WHERE s.lead_id = l.lead_id ORDER BY s.model_id LIMIT 1),
               'phase_id', (SELECT lp.phase_id FROM lead_phase lp JOIN phase_model m ON m.id = lp.model_id
                            WHERE lp.lead_id = l.lead_id AND m.is_primary),
               'facts', coalesce((
                   SELECT jsonb_agg(jsonb_build_object('kind', f.kind, 'object_id', f.object_id, 'at', f.at) ORDER BY f.at DESC)
                   FROM (
                       SELECT a.kind, a.object_id, a.at FROM activity a
                       WHERE a.lead_id = l.lead_id AND a.kind = ANY (%(evidence_kinds)s::smallint[])
                         AND a.at <= %(now)s::timestamptz AND {by_a_person}
                       ORDER BY a.at DESC LIMIT 8
                   ) f
               ), '[]'::jsonb)
           ) AS packet
    FROM lead l WHERE l.lead_id IN (SELECT lead_id FROM chosen)
),
made AS (
    INSERT INTO handover (lead_id, state, cause, packet, created_at, due_at, note, return_reason)
    SELECT lead_id, 'open', %(cause)s, packet, %(now)s::timestamptz, %(due_at)s::timestamptz, '', '' FROM packet
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
