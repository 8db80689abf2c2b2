-- name: everything_of
-- The ids of one person: the lead, those merged into it (however often), and its visitors. One row per id.
-- Index: lead's primary key; merged_into by a scan, which an erasure may take.
WITH RECURSIVE person (lead_id) AS (
    SELECT lead_id FROM lead WHERE lead_id = %(lead_id)s::bigint
    UNION
    SELECT l.lead_id FROM lead l JOIN person p ON l.merged_into = p.lead_id
)
SELECT lead_id FROM person;

-- name: addresses_of
-- Every mail address and visitor mark that was ever theirs. One row per (kind, value), lower case.
SELECT DISTINCT kind, value FROM (
    SELECT 'email' AS kind, lower(email) AS value FROM lead WHERE lead_id = ANY(%(ids)s::bigint[])
    UNION ALL
    SELECT kind, lower(value) FROM lead_identity WHERE lead_id = ANY(%(ids)s::bigint[]) AND kind IN ('email', 'visitor')
    UNION ALL
    SELECT 'email', lower(address) FROM delivery WHERE lead_id = ANY(%(ids)s::bigint[])
    UNION ALL
    SELECT 'email', value FROM address_check WHERE lead_id = ANY(%(ids)s::bigint[])
) AS theirs WHERE value <> '';
