-- name: page
-- One row per lead of the page: the keys of the list in its order. {filters} and {after} restrict, {joins} bring tables.
-- Index: lead_known, lead_score_total, lead_recency_at by order; lead_search_grams, segment_member_segment, lead_tag_tag by filter.
-- slot joins: LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = 0
-- slot filters: true
-- slot after: true
-- slot rank: l.known_at
-- slot limit: 50
SELECT l.lead_id, {rank} AS rank
FROM lead l {joins}
WHERE {known_lead} AND {filters} AND {after}
ORDER BY {rank} DESC, l.lead_id DESC
LIMIT {limit};

-- name: count_upto
-- How many leads meet the filters, counted up to %(cap)s.
-- slot joins: LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = 0
-- slot filters: true
SELECT count(*) FROM (
    SELECT 1 FROM lead l {joins} WHERE {known_lead} AND {filters} LIMIT %(cap)s::int
) AS counted;

-- name: chosen
-- The ids that meet the filters, for a bulk act. One row per lead.
-- slot joins: LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = 0
-- slot filters: true
SELECT l.lead_id FROM lead l {joins} WHERE {known_lead} AND {filters};

-- name: cards
-- One row per lead of %(ids)s, in that order, with what a list shows of it. %(score_model)s and %(phase_model)s are ids.
SELECT l.lead_id, l.last_name, l.first_name, l.last_kana, l.first_kana, l.company_name, l.company_id, l.department, l.title,
       l.email, l.phone, l.mobile, l.phone_extension, l.missing, l.state, l.known_at, l.owner_id, u.name AS owner,
       s.name AS source, p.name AS phase_name, p.name_en AS phase_name_en, p.hue AS phase_hue, sc.total AS score,
       r.at AS last_at, (SELECT array_agg(t.tag ORDER BY t.tag) FROM lead_tag t WHERE t.lead_id = l.lead_id) AS tags
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS asked (lead_id, place)
JOIN lead l ON l.lead_id = asked.lead_id
LEFT JOIN staff u ON u.id = l.owner_id
LEFT JOIN source s ON s.id = l.source_id
LEFT JOIN lead_phase lp ON lp.lead_id = l.lead_id AND lp.model_id = %(phase_model)s::bigint
LEFT JOIN phase p ON p.id = lp.phase_id
LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = %(score_model)s::bigint
LEFT JOIN lead_recency r ON r.lead_id = l.lead_id
ORDER BY asked.place;

-- name: exported
-- One row per lead of %(ids)s, in that order, with every column and the own fields. %(score_model)s, %(phase_model)s: ids.
SELECT l.lead_id, {columns_of_l}, l.fields::text AS fields, l.state, u.name AS owner, s.name AS source,
       p.name AS phase_name, sc.total AS score,
       (SELECT array_agg(t.tag ORDER BY t.tag) FROM lead_tag t WHERE t.lead_id = l.lead_id) AS tags
FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS asked (lead_id, place)
JOIN lead l ON l.lead_id = asked.lead_id
LEFT JOIN staff u ON u.id = l.owner_id
LEFT JOIN source s ON s.id = l.source_id
LEFT JOIN lead_phase lp ON lp.lead_id = l.lead_id AND lp.model_id = %(phase_model)s::bigint
LEFT JOIN phase p ON p.id = lp.phase_id
LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = %(score_model)s::bigint
ORDER BY asked.place;

-- name: models
-- One row: the score model and the phase model that lists show (the first score model, the primary phase model); 0 = none.
SELECT coalesce({primary_score_model}, 0) AS score_model,
       coalesce({primary_phase_model}, 0) AS phase_model;

-- name: colleagues
-- Other known people of the same company, the most recently active first.
SELECT l.lead_id, l.last_name, l.first_name, l.title, l.department, r.at AS last_at
FROM lead l LEFT JOIN lead_recency r ON r.lead_id = l.lead_id
WHERE l.company_id = %(company_id)s::bigint AND l.lead_id <> %(lead_id)s::bigint AND {known_lead}
  AND l.merged_into IS NULL
ORDER BY r.at DESC NULLS LAST, l.lead_id
LIMIT 8;
