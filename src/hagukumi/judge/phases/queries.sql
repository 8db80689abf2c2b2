-- name: begin
-- Gives every known lead of `scope` without a place in the model its first phase, with a fact each; quiet ones in a build
-- (%(quiet)s), and none where nobody else reads them (%(told)s).
-- Grain: one lead_phase row and one fact per newly placed lead. Index: lead_phase's key. A second run adds nothing.
-- One row: how many were placed.
-- slot leads: lead l
WITH placed AS (
    INSERT INTO lead_phase (lead_id, model_id, phase_id, since, cause)
    SELECT l.lead_id, %(model_id)s::bigint, %(phase_id)s::bigint, %(now)s::timestamptz, %(start)s
    FROM {leads}
    WHERE {known_lead}
    ON CONFLICT (lead_id, model_id) DO NOTHING
    RETURNING lead_id
),
told AS (
    INSERT INTO fact (lead_id, at, kind, object_id, details, hop, quiet)
    SELECT p.lead_id, %(now)s::timestamptz, %(moved)s::smallint, %(phase_id)s::bigint,
           jsonb_build_object('model', %(model_id)s::bigint, 'to', %(phase_id)s::bigint, 'cause', %(start)s::text),
           coalesce(t.hop + 1, 0), %(quiet)s::boolean
    FROM placed p
    LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) t USING (lead_id)
    WHERE %(told)s::boolean
)
SELECT count(*) AS placed FROM placed;

-- name: leave
-- Takes people of {leads} that are no longer people of their own (merged away) off a model's board.
-- slot leads: lead l
DELETE FROM lead_phase
WHERE model_id = %(model_id)s::bigint
  AND lead_id = ANY(ARRAY(SELECT l.lead_id FROM {leads} WHERE l.known_at IS NULL OR l.merged_into IS NOT NULL));

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
-- Notes for each rule of %(rules)s those in its source phase whom a fact that it reads ({heard}: rule_id, lead_id), the
-- clock ({due}) or their arrival there ({arrived}: lead_id, phase_id) concerns.
-- Somebody who was moved back, or moved by a person, goes forward again only by a fresh fact: an arrival does not count,
-- else old points would undo the move at once.
-- Grain: one row per (rule, lead). Index: lead_phase's key, condition_due_at.
-- slot heard: SELECT 0::bigint AS rule_id, lead_id FROM touched
-- slot due: SELECT object_id AS rule_id, lead_id FROM condition_due WHERE false
-- slot arrived: SELECT lead_id, object_id AS phase_id FROM touched
WITH rule AS (
    SELECT r.id, r.source_phase_id, r.model_id, t.position > s.position AS forward
    FROM phase_rule r JOIN phase s ON s.id = r.source_phase_id JOIN phase t ON t.id = r.target_phase_id
    WHERE r.id = ANY(%(rules)s::bigint[])
),
concerned AS MATERIALIZED (
    SELECT rule_id, lead_id, true AS fresh FROM ({heard}) h
    UNION ALL
    SELECT rule_id, lead_id, true FROM ({due}) d
    UNION ALL
    SELECT r.id, a.lead_id, false FROM ({arrived}) a JOIN rule r ON r.source_phase_id = a.phase_id
),
stands AS MATERIALIZED (
    SELECT lead_id, phase_id, rule_id, cause FROM lead_phase
    WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM concerned))
)
INSERT INTO asked (rule_id, lead_id, moves)
SELECT r.id, p.lead_id,
       bool_or(c.fresh OR NOT r.forward OR p.cause = %(start)s
               OR coalesce(came.position > gone.position, false))
FROM concerned c
JOIN rule r ON r.id = c.rule_id
JOIN stands p ON p.lead_id = c.lead_id AND p.phase_id = r.source_phase_id
LEFT JOIN phase_rule by ON by.id = p.rule_id
LEFT JOIN phase gone ON gone.id = by.source_phase_id
LEFT JOIN phase came ON came.id = by.target_phase_id
GROUP BY r.id, p.lead_id;

-- name: ask_everybody
-- As ask, of all who stand in the rules' source phases: a build is no fresh fact, and moves forward only those whom no
-- person has moved and who were not moved back. Index: lead_phase_phase.
INSERT INTO asked (rule_id, lead_id, moves)
SELECT r.id, p.lead_id,
       t.position <= s.position OR p.cause = %(start)s
       OR coalesce(came.position > gone.position, false)
FROM phase_rule r
JOIN phase s ON s.id = r.source_phase_id
JOIN phase t ON t.id = r.target_phase_id
JOIN lead_phase p ON p.phase_id = r.source_phase_id
LEFT JOIN phase_rule by ON by.id = p.rule_id
LEFT JOIN phase gone ON gone.id = by.source_phase_id
LEFT JOIN phase came ON came.id = by.target_phase_id
WHERE r.id = ANY(%(rules)s::bigint[]);

-- name: meeting
-- One composed question by itself, to find the one that breaks.
-- slot candidates: SELECT lead_id, 0::bigint AS rule_id FROM touched
SELECT count(*) FROM ({candidates}) c;

-- name: move
-- Moves each lead of `candidates` once, by the rule that comes first, with a fact each.
-- `candidates` yields (lead_id, rule_id): a rule that the lead, standing in its source phase, meets.
-- Grain: one lead_phase update and one fact per moved lead. Index: lead_phase's key.
-- slot within: p.lead_id = ANY(ARRAY(SELECT lead_id FROM chosen))
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
    WHERE {within}
      AND p.lead_id = c.lead_id AND p.model_id = %(model_id)s::bigint AND p.phase_id + 0 = c.source_phase_id
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
    JOIN lead l ON l.lead_id = c.lead_id AND {known_lead}
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

-- name: machine_before
-- Whether anything that a lead is said to have done between two instants is held for a machine's. Index: activity_lead_at.
SELECT EXISTS (
    SELECT 1 FROM activity a
    WHERE a.lead_id = %(lead_id)s::bigint AND a.at > %(since)s::timestamptz AND a.at <= %(at)s::timestamptz
      AND NOT ({by_a_person})
);

-- name: column_counts
-- How many leads stand in each phase of a model. Index: lead_phase_phase.
SELECT phase_id, count(*) AS leads FROM lead_phase
WHERE phase_id IN (SELECT id FROM phase WHERE model_id = %(model_id)s::bigint) GROUP BY phase_id;

-- name: cards
-- The latest arrivals of each phase of a model ({latest}, from `latest_of`), newest first; whole days there at %(now)s.
-- Grain: one row per lead shown.
-- slot latest: SELECT * FROM lead_phase WHERE false
WITH latest AS MATERIALIZED ({latest})
SELECT p.phase_id, p.lead_id, p.since, p.cause, p.reason, r.reason_en, l.last_name, l.first_name, l.email, l.title,
       coalesce(c.name, l.company_name) AS company, s.total AS score, coalesce(s.total >= v.threshold, false) AS reached,
       floor(extract(epoch FROM %(now)s::timestamptz - p.since) / 86400)::int AS days
FROM latest p
JOIN phase h ON h.id = p.phase_id
JOIN lead l ON l.lead_id = p.lead_id
LEFT JOIN company c ON c.id = l.company_id
LEFT JOIN lead_score s ON s.lead_id = p.lead_id AND s.model_id = {primary_score_model}
LEFT JOIN score_version v ON v.id = s.version_id
LEFT JOIN phase_rule r ON r.id = p.rule_id
ORDER BY h.position, p.since DESC, p.lead_id DESC;

-- name: offered
-- Every phase of every model in order: what a condition may name.
SELECT m.key AS model, m.name AS model_name, m.name_en AS model_name_en, p.key, p.name, p.name_en
FROM phase p JOIN phase_model m ON m.id = p.model_id
ORDER BY m.id, p.position;
