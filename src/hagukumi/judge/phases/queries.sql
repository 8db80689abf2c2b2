-- name: begin
-- Gives every known lead of `scope` without a place in the model its first phase, with a fact each.
-- Grain: one lead_phase row and one fact per newly placed lead. Index: lead_phase's key. A second run adds nothing.
-- slot scope: SELECT lead_id FROM touched
WITH placed AS (
    INSERT INTO lead_phase (lead_id, model_id, phase_id, since, cause)
    SELECT l.lead_id, %(model_id)s::bigint, %(phase_id)s::bigint, %(now)s::timestamptz, %(start)s
    FROM lead l
    WHERE l.lead_id IN ({scope}) AND l.known_at IS NOT NULL AND l.merged_into IS NULL
    ON CONFLICT (lead_id, model_id) DO NOTHING
    RETURNING lead_id
)
INSERT INTO fact (lead_id, at, kind, object_id, details, hop)
SELECT p.lead_id, %(now)s::timestamptz, %(moved)s::smallint, %(phase_id)s::bigint,
       jsonb_build_object('model', %(model_id)s::bigint, 'to', %(phase_id)s::bigint, 'cause', %(start)s::text),
       coalesce(t.hop + 1, 0)
FROM placed p
LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) t USING (lead_id);

-- name: leave
-- Takes leads of `scope` that are no longer people of their own (merged away) off every board.
-- slot scope: SELECT lead_id FROM touched
DELETE FROM lead_phase p
WHERE p.model_id = %(model_id)s::bigint AND p.lead_id IN (
    SELECT lead_id FROM lead WHERE lead_id IN ({scope}) AND (known_at IS NULL OR merged_into IS NOT NULL)
);

-- name: open_asked
-- Whom each rule is asked of in this beat; `moves`: whether the answer may move them. Emptied before each use.
CREATE TEMP TABLE IF NOT EXISTS asked (rule_id bigint NOT NULL, lead_id bigint NOT NULL, moves boolean NOT NULL);

-- name: clear_asked
DELETE FROM asked;

-- name: analyze_asked
ANALYZE asked;

-- name: asked_rules
SELECT DISTINCT rule_id FROM asked;

-- name: ask
-- Notes for each rule of %(rules)s those in its source phase whom a fact of a kind it watches, the clock or their arrival
-- there concerns; everybody there when %(whole)s. %(watching)s and %(kinds)s are pairs (rule, kind).
-- Somebody who was moved back, or moved by a person, goes forward again only by a fresh fact: neither the arrival nor a
-- rebuild counts, else old points would undo the move at once.
-- Grain: one row per (rule, lead). Index: lead_phase's key, condition_due_at; lead_phase_phase when whole.
WITH rule AS (
    SELECT r.id, r.source_phase_id, t.position > s.position AS forward
    FROM phase_rule r JOIN phase s ON s.id = r.source_phase_id JOIN phase t ON t.id = r.target_phase_id
    WHERE r.id = ANY(%(rules)s::bigint[])
),
happened AS (
    SELECT DISTINCT lead_id, kind, CASE WHEN kind = %(moved)s::smallint THEN object_id END AS phase_id FROM touched
),
concerned AS (
    SELECT r.id AS rule_id, h.lead_id, true AS fresh
    FROM happened h
    JOIN unnest(%(watching)s::bigint[], %(kinds)s::smallint[]) w (rule_id, kind) ON w.kind = h.kind
    JOIN rule r ON r.id = w.rule_id AND r.source_phase_id IS DISTINCT FROM h.phase_id
    UNION ALL
    SELECT object_id, lead_id, true FROM condition_due WHERE owner = 'phase' AND due_at <= %(now)s::timestamptz
    UNION ALL
    SELECT r.id, h.lead_id, false FROM happened h JOIN rule r ON r.source_phase_id = h.phase_id
    UNION ALL
    SELECT r.id, p.lead_id, false FROM rule r JOIN lead_phase p ON p.phase_id = r.source_phase_id
    WHERE %(whole)s::boolean
)
INSERT INTO asked (rule_id, lead_id, moves)
SELECT r.id, p.lead_id,
       bool_or(c.fresh OR NOT r.forward OR p.cause = %(start)s
               OR coalesce(came.position > gone.position, false))
FROM concerned c
JOIN rule r ON r.id = c.rule_id
JOIN lead_phase p ON p.lead_id = c.lead_id AND p.phase_id = r.source_phase_id
LEFT JOIN phase_rule by ON by.id = p.rule_id
LEFT JOIN phase gone ON gone.id = by.source_phase_id
LEFT JOIN phase came ON came.id = by.target_phase_id
GROUP BY r.id, p.lead_id;

-- name: meeting
-- One composed question by itself, to find the one that breaks.
-- slot candidates: SELECT lead_id, 0::bigint AS rule_id FROM touched
SELECT count(*) FROM ({candidates}) c;

-- name: move
-- Moves each lead of `candidates` once, by the rule that comes first, with a fact each.
-- `candidates` yields (lead_id, rule_id): a rule that the lead, standing in its source phase, meets.
-- Grain: one lead_phase update and one fact per moved lead. Index: lead_phase's key.
-- slot candidates: SELECT lead_id, 0::bigint AS rule_id FROM touched
WITH chosen AS MATERIALIZED (
    SELECT DISTINCT ON (c.lead_id) c.lead_id, r.id AS rule_id, r.source_phase_id, r.target_phase_id, r.reason,
           r.reason_en
    FROM ({candidates}) c
    JOIN phase_rule r ON r.id = c.rule_id
    ORDER BY c.lead_id, r.priority, r.id
),
moved AS (
    UPDATE lead_phase p SET phase_id = c.target_phase_id, since = %(now)s::timestamptz, rule_id = c.rule_id,
                            cause = %(cause)s, reason = c.reason, user_id = NULL
    FROM chosen c
    WHERE p.lead_id = c.lead_id AND p.model_id = %(model_id)s::bigint AND p.phase_id = c.source_phase_id
    RETURNING p.lead_id, c.source_phase_id, c.target_phase_id, c.rule_id, c.reason, c.reason_en
)
INSERT INTO fact (lead_id, at, kind, object_id, details, hop)
SELECT m.lead_id, %(now)s::timestamptz, %(moved)s::smallint, m.target_phase_id,
       jsonb_build_object('model', %(model_id)s::bigint, 'from', m.source_phase_id, 'to', m.target_phase_id,
                          'rule', m.rule_id, 'cause', %(cause)s::text, 'reason', m.reason, 'reason_en', m.reason_en),
       coalesce(t.hop + 1, 0)
FROM moved m
LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) t USING (lead_id);

-- name: move_from
-- Moves the leads of `chosen` (lead_id) to one phase for a given reason, with a fact each; those already there stay.
-- Grain: one lead_phase row and one fact per moved lead. Repeats change nothing.
-- slot chosen: SELECT lead_id FROM touched
WITH chosen AS MATERIALIZED (
    SELECT DISTINCT l.lead_id, p.phase_id AS source_phase_id
    FROM ({chosen}) c
    JOIN lead l ON l.lead_id = c.lead_id AND l.known_at IS NOT NULL AND l.merged_into IS NULL
    LEFT JOIN lead_phase p ON p.lead_id = l.lead_id AND p.model_id = %(model_id)s::bigint
    WHERE p.phase_id IS DISTINCT FROM %(phase_id)s::bigint
),
moved AS (
    INSERT INTO lead_phase (lead_id, model_id, phase_id, since, rule_id, cause, reason, user_id)
    SELECT lead_id, %(model_id)s::bigint, %(phase_id)s::bigint, %(now)s::timestamptz, NULL, %(cause)s, %(reason)s,
           %(user_id)s::bigint
    FROM chosen
    ON CONFLICT (lead_id, model_id) DO UPDATE SET
        phase_id = excluded.phase_id, since = excluded.since, rule_id = NULL, cause = excluded.cause,
        reason = excluded.reason, user_id = excluded.user_id
    RETURNING lead_id
)
INSERT INTO fact (lead_id, at, kind, object_id, details, hop)
SELECT c.lead_id, %(now)s::timestamptz, %(moved)s::smallint, %(phase_id)s::bigint,
       jsonb_strip_nulls(jsonb_build_object(
           'model', %(model_id)s::bigint, 'from', c.source_phase_id, 'to', %(phase_id)s::bigint,
           'user', %(user_id)s::bigint, 'cause', %(cause)s::text, 'reason', %(reason)s::text
       )),
       %(hop)s::smallint
FROM moved m JOIN chosen c USING (lead_id);

-- name: unbuilt
SELECT EXISTS (SELECT FROM phase_model WHERE built_at IS NULL) AS unbuilt;

-- name: built
UPDATE phase_model SET built_at = %(now)s::timestamptz WHERE id = %(model_id)s::bigint;

-- name: phase_names
-- The phases of a model by its key, in order.
SELECT h.id, h.key, h.name, h.name_en FROM phase h JOIN phase_model m ON m.id = h.model_id
WHERE m.key = %(model)s ORDER BY h.position;

-- name: standing
-- Where one lead stands in a model (by key), since when and why.
SELECT h.id, h.key, h.name, h.name_en, h.position, h.hue, p.since, p.cause, p.reason, r.reason_en,
       p.rule_id, p.user_id
FROM lead_phase p JOIN phase h ON h.id = p.phase_id JOIN phase_model m ON m.id = p.model_id
LEFT JOIN phase_rule r ON r.id = p.rule_id
WHERE p.lead_id = %(lead_id)s::bigint AND m.key = %(model)s;

-- name: column_counts
-- How many leads stand in each phase of a model. Index: lead_phase_phase.
SELECT phase_id, count(*) AS leads FROM lead_phase
WHERE phase_id IN (SELECT id FROM phase WHERE model_id = %(model_id)s::bigint) GROUP BY phase_id;

-- name: cards
-- The latest arrivals of each phase of a model, at most %(limit)s a phase, newest first; whole days there at %(now)s.
-- Grain: one row per lead shown. Index: lead_phase_phase.
SELECT p.phase_id, p.lead_id, p.since, p.cause, p.reason, r.reason_en, l.last_name, l.first_name, l.email, l.title,
       coalesce(c.name, l.company_name) AS company, s.total AS score, coalesce(s.total >= v.threshold, false) AS reached,
       floor(extract(epoch FROM %(now)s::timestamptz - p.since) / 86400)::int AS days
FROM phase h
CROSS JOIN LATERAL (
    SELECT * FROM lead_phase x WHERE x.phase_id = h.id ORDER BY x.since DESC LIMIT %(limit)s::int
) p
JOIN lead l ON l.lead_id = p.lead_id
LEFT JOIN company c ON c.id = l.company_id
LEFT JOIN lead_score s ON s.lead_id = p.lead_id AND s.model_id = (SELECT min(id) FROM score_model)
LEFT JOIN score_version v ON v.id = s.version_id
LEFT JOIN phase_rule r ON r.id = p.rule_id
WHERE h.model_id = %(model_id)s::bigint
ORDER BY h.position, p.since DESC, p.lead_id DESC;

-- name: offered
-- Every phase of every model in order: what a condition may name.
SELECT m.key AS model, m.name AS model_name, m.name_en AS model_name_en, p.key, p.name, p.name_en
FROM phase p JOIN phase_model m ON m.id = p.model_id
ORDER BY m.id, p.position;
