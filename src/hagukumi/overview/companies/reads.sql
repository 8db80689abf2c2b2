-- name: list_companies
-- One row per company of the page, newest first, with how many people it has, their best score and last act, open deals.
-- {filters} restricts companies. Companies are a small reference table; people are counted for the page alone.
-- Index: company_pkey, lead_company, lead_score by lead_id. %(before)s is the last id of the page before.
-- slot filters: true
WITH page AS MATERIALIZED (
    SELECT c.id, c.name, c.industry, c.sales_yen, c.employees, c.prefecture
    FROM company c
    WHERE c.id < %(before)s::bigint AND {filters}
    ORDER BY c.id DESC
    LIMIT %(limit)s::int
),
open_deal AS MATERIALIZED (
    SELECT d.lead_id, count(*) AS n FROM deal d WHERE d.outcome = '' GROUP BY d.lead_id
),
people AS MATERIALIZED (
    SELECT l.company_id, count(*) AS people, max(s.total) AS score, max(r.at) AS last_at, sum(d.n)::int AS deals
    FROM lead l
    LEFT JOIN lead_score s ON s.lead_id = l.lead_id AND s.model_id = {primary_score_model}
    LEFT JOIN lead_recency r ON r.lead_id = l.lead_id
    LEFT JOIN (SELECT lead_id, count(*) AS n FROM deal WHERE outcome = '' GROUP BY lead_id) d ON d.lead_id = l.lead_id
    WHERE l.company_id IN (SELECT id FROM page) AND {known_lead}
    GROUP BY l.company_id
)
SELECT page.*, coalesce(p.people, 0) AS people, p.score, p.last_at, coalesce(p.deals, 0) AS deals
FROM page LEFT JOIN people p ON p.company_id = page.id
ORDER BY page.id DESC;

-- name: count_companies
-- slot filters: true
SELECT count(*) FROM company c WHERE {filters};

-- name: company_people
-- Known people of a company, the best score first, at most %(limit)s.
SELECT l.lead_id, l.last_name, l.first_name, l.last_kana, l.first_kana, l.department, l.title, l.email, s.total AS score,
       r.at AS last_at, p.name AS phase_name, p.name_en AS phase_name_en, p.hue AS phase_hue
FROM lead l
LEFT JOIN lead_score s ON s.lead_id = l.lead_id AND s.model_id = {primary_score_model}
LEFT JOIN lead_recency r ON r.lead_id = l.lead_id
LEFT JOIN lead_phase lp ON lp.lead_id = l.lead_id
    AND lp.model_id = {primary_phase_model}
LEFT JOIN phase p ON p.id = lp.phase_id
WHERE l.company_id = %(company_id)s::bigint AND {known_lead}
ORDER BY s.total DESC NULLS LAST, l.lead_id
LIMIT %(limit)s::int;

-- name: company_activity
-- One row per kind: how often, by how many people and when last, among a company's people since %(since)s.
SELECT a.kind, count(*) AS n, count(DISTINCT a.lead_id) AS people, max(a.at) AS last_at
FROM lead l JOIN activity a ON a.lead_id = l.lead_id AND a.at >= %(since)s::timestamptz AND {by_a_person}
WHERE l.company_id = %(company_id)s::bigint AND {known_lead}
GROUP BY a.kind
ORDER BY n DESC, a.kind;

-- name: company_deals
SELECT d.lead_id, d.id, d.name, d.amount_yen, d.outcome, d.created_at, d.closed_at, g.name AS stage, g.name_en AS stage_en
FROM deal d JOIN lead l ON l.lead_id = d.lead_id LEFT JOIN deal_stage g ON g.key = d.stage
WHERE l.company_id = %(company_id)s::bigint
ORDER BY d.created_at DESC
LIMIT 50;
