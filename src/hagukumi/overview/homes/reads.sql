-- name: home_counts
-- every act: kinds that the house and its staff bring about, and answers
-- How often and to how many people each kind happened since %(since)s. One row a kind. Index: activity_kind_at.
-- A first placement in a phase is no move: it comes with every new lead and leaves no phase. Moves are those of the primary
-- phase model, as below.
SELECT kind, count(*) AS facts, count(DISTINCT lead_id) AS people
FROM activity
WHERE kind = ANY (%(kinds)s::smallint[]) AND at >= %(since)s::timestamptz AND at <= %(now)s::timestamptz
  AND (kind <> %(phase_moved)s::smallint OR details ? 'from' AND object_id IN (
      SELECT h.id FROM phase h JOIN phase_model m ON m.id = h.model_id WHERE m.is_primary
  ))
GROUP BY kind;

-- name: home_moves
-- every act: kinds that the house and its staff bring about, and answers
-- What happened of these kinds since %(since)s to the %(limit)s people to whom something happened last, and for a phase move
-- the phase. One row a fact, by person; `moved` is the number of people in all.
-- Moves of the primary phase model only: the same act often moves a person in the others too. Index: activity_kind_at.
WITH act AS MATERIALIZED (
    SELECT lead_id, at, id, kind, object_id, amount FROM activity
    WHERE kind = ANY (%(kinds)s::smallint[]) AND at >= %(since)s::timestamptz AND at <= %(now)s::timestamptz
      AND (kind <> %(phase_moved)s::smallint OR details ? 'from' AND object_id IN (
          SELECT h.id FROM phase h JOIN phase_model m ON m.id = h.model_id WHERE m.is_primary
      ))
), person AS MATERIALIZED (
    SELECT a.lead_id, max(a.at) AS last_at, count(*) OVER () AS moved
    FROM act a JOIN lead l ON l.lead_id = a.lead_id
    WHERE {known_lead}
    GROUP BY a.lead_id
    ORDER BY last_at DESC, a.lead_id DESC
    LIMIT %(limit)s::int
)
SELECT n.lead_id, n.at, n.kind, n.amount, l.last_name, l.first_name, l.company_name, person.moved,
       CASE WHEN n.kind = %(phase_moved)s::smallint THEN p.name END AS name, p.name_en, p.hue,
       CASE WHEN n.kind = %(form_submitted)s::smallint THEN f.name END AS form
FROM person
JOIN act n ON n.lead_id = person.lead_id
JOIN lead l ON l.lead_id = n.lead_id
LEFT JOIN phase p ON p.id = n.object_id AND n.kind = %(phase_moved)s::smallint
LEFT JOIN form f ON f.id = n.object_id AND n.kind = %(form_submitted)s::smallint
ORDER BY person.last_at DESC, n.lead_id DESC, n.at DESC, n.id DESC;

-- name: home_sends
-- The mails of the JST day [since, until): per message what waits, what went, what did not. One row a message.
-- Indexes: delivery_queued for what is due; sent_at is bounded by the day's deliveries.
WITH today AS (
    SELECT message_id, state, due_at AS at FROM delivery
    WHERE state IN ('queued', 'sending') AND due_at < %(until)s::timestamptz
    UNION ALL
    SELECT message_id, state, sent_at FROM delivery
    WHERE sent_at >= %(since)s::timestamptz AND sent_at < %(until)s::timestamptz
    UNION ALL
    SELECT message_id, state, due_at FROM delivery
    WHERE state IN ('failed', 'skipped', 'unknown') AND sent_at IS NULL
      AND due_at >= %(since)s::timestamptz AND due_at < %(until)s::timestamptz
)
SELECT m.id, m.name, min(t.at) AS first_at,
       count(*) FILTER (WHERE t.state IN ('queued', 'sending')) AS waiting,
       count(*) FILTER (WHERE t.state = 'sent') AS sent,
       count(*) FILTER (WHERE t.state = 'failed') AS failed,
       count(*) FILTER (WHERE t.state = 'skipped') AS skipped,
       count(*) FILTER (WHERE t.state = 'unknown') AS unknown
FROM today t JOIN message m ON m.id = t.message_id
GROUP BY m.id
ORDER BY waiting DESC, sent DESC, m.id
LIMIT 12;

-- name: home_scenarios
-- Running and paused scenarios with the people in them and those who have come through. One row a scenario.
SELECT s.id, s.name, s.state,
       count(e.lead_id) FILTER (WHERE e.state = 'active') AS active,
       count(e.lead_id) FILTER (WHERE e.state = 'done') AS done
FROM scenario s LEFT JOIN enrollment e ON e.scenario_id = s.id
WHERE s.state IN ('running', 'paused')
GROUP BY s.id
ORDER BY s.state DESC, active DESC, s.id
LIMIT 12;

-- name: home_forms
-- Live forms with their answers since %(since)s. One row a form. Index: submission_form.
SELECT f.id, f.slug, f.name, count(s.id) AS answers, max(s.at) AS last_at
FROM form f LEFT JOIN submission s ON s.form_id = f.id AND s.at >= %(since)s::timestamptz
WHERE f.state = 'open' OR s.id IS NOT NULL
GROUP BY f.id
ORDER BY answers DESC, f.id
LIMIT 8;

-- name: home_stuck
-- What waits for a person: deliveries of unknown fate, definitions set aside, imports that failed since %(since)s.
SELECT (SELECT count(*) FROM delivery WHERE state = 'unknown') AS unknown,
       (SELECT count(*) FROM set_aside) AS set_aside,
       (SELECT count(*) FROM import_file WHERE state = 'failed' AND created_at >= %(since)s::timestamptz) AS imports;

-- name: home_hot
-- The highest scores of the seller's own leads and of those without an owner. One row a lead. Index: lead_score total, read backwards.
SELECT s.lead_id, s.attribute, s.behaviour, s.total, l.last_name, l.first_name, l.company_name, l.title, l.owner_id,
       p.name, p.name_en, p.hue
FROM lead_score s
JOIN lead l USING (lead_id)
LEFT JOIN phase_model pm ON pm.is_primary
LEFT JOIN lead_phase lp ON lp.lead_id = s.lead_id AND lp.model_id = pm.id
LEFT JOIN phase p ON p.id = lp.phase_id
WHERE s.total > 0 AND {known_lead}
  AND (l.owner_id = %(user_id)s::bigint OR l.owner_id IS NULL)
  AND s.model_id = {primary_score_model}
  AND NOT EXISTS (SELECT 1 FROM deal d WHERE d.lead_id = s.lead_id AND d.outcome = '')
ORDER BY s.total DESC, s.lead_id
LIMIT %(limit)s::int;

-- name: home_deals
-- Open deals of one seller, the next to close first. One row a deal. Index: deal_by_stage.
SELECT d.lead_id, d.id, d.name AS deal, d.amount_yen, d.expected_on, st.name, st.name_en, l.company_name,
       d.expected_on < %(today)s::date AS is_overdue
FROM deal d JOIN lead l USING (lead_id) LEFT JOIN deal_stage st ON st.key = d.stage
WHERE d.outcome = '' AND d.owner_id = %(user_id)s::bigint
ORDER BY d.expected_on NULLS LAST, d.id
LIMIT %(limit)s::int;

-- name: home_deal_counts
-- All open deals and their yen; what was won since %(since)s.
SELECT count(*) FILTER (WHERE outcome = '') AS open,
       coalesce(sum(amount_yen) FILTER (WHERE outcome = ''), 0)::bigint AS open_yen,
       count(*) FILTER (WHERE outcome = 'won' AND closed_at >= %(since)s::timestamptz) AS won,
       coalesce(sum(amount_yen) FILTER (WHERE outcome = 'won' AND closed_at >= %(since)s::timestamptz), 0)::bigint
           AS won_yen
FROM deal;

-- name: home_begun
-- What a new workspace has already: leads, a live form, a sending site, a sender.
SELECT EXISTS (SELECT 1 FROM lead l WHERE {known_lead}) AS leads,
       EXISTS (SELECT 1 FROM form WHERE state = 'open') AS forms,
       EXISTS (SELECT 1 FROM site WHERE last_seen_at IS NOT NULL) AS sites,
       EXISTS (SELECT 1 FROM sender WHERE legal_name <> '' AND postal_address <> '' AND contact <> '') AS senders;
