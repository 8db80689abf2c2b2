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

-- name: deals_with_outcome
-- The three latest deals of one lead with an outcome ('' = open). Index: deal's key.
SELECT name, coalesce(closed_at, created_at) AS at FROM deal
WHERE lead_id = %(lead_id)s::bigint AND outcome = %(outcome)s ORDER BY created_at DESC, id DESC LIMIT 3;
