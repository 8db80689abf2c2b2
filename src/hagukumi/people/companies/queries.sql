-- name: adopt
-- Companies known by their bare name (青葉) take the legal form that {found} writes them with, where it writes only one
-- (株式会社青葉) and no company of that name has one yet. Index: company_match_key_key, company_core. Idempotent.
-- slot found: SELECT ''::text AS name, ''::text AS legal_form, ''::text AS form_position, ''::text AS match_key, ''::text AS core
UPDATE company c
SET name = f.name, legal_form = f.legal_form, form_position = f.form_position, match_key = f.match_key,
    updated_at = %(now)s::timestamptz
FROM (
    SELECT core, min(name) AS name, min(legal_form) AS legal_form, min(form_position) AS form_position,
           min(match_key) AS match_key
    FROM ({found}) AS f WHERE legal_form <> '' GROUP BY core HAVING count(DISTINCT match_key) = 1
) AS f
WHERE c.match_key = f.core AND c.legal_form = ''
  AND NOT EXISTS (SELECT 1 FROM company o WHERE o.match_core = f.core AND o.legal_form <> '');

-- name: ensure
-- Makes the companies of {found} that are not there yet, one per key: with %(formed)s those that name a legal form, else
-- the others, unless just one company has that name with a legal form: then it is meant. Idempotent.
-- Index: company_match_key_key, company_core.
-- slot found: SELECT ''::text AS name, ''::text AS legal_form, ''::text AS form_position, ''::text AS match_key, ''::text AS core
INSERT INTO company (name, legal_form, form_position, match_key, created_at, updated_at)
SELECT DISTINCT ON (f.match_key)
       f.name, f.legal_form, f.form_position, f.match_key, %(now)s::timestamptz, %(now)s::timestamptz
FROM ({found}) AS f
WHERE f.match_key <> '' AND (f.legal_form <> '') = %(formed)s::boolean
  AND NOT EXISTS (SELECT 1 FROM company c WHERE c.match_key = f.match_key)
  AND (%(formed)s::boolean OR 1 <> (SELECT count(*) FROM company c WHERE c.match_core = f.core AND c.legal_form <> ''))
ORDER BY f.match_key, f.name
ON CONFLICT (match_key) DO NOTHING;

-- name: forget
-- Takes back the companies of {found} (yields match_key) that were made at %(now)s.
-- slot found: SELECT ''::text AS match_key
DELETE FROM company c USING ({found}) AS f WHERE c.match_key = f.match_key AND c.created_at = %(now)s::timestamptz;

-- name: by_key
-- One row per asked key with the company it means: its own, else the only one of that name with a legal form.
-- Index: company_match_key_key, company_core.
WITH named AS MATERIALIZED (
    SELECT match_core, min(id) AS id FROM company
    WHERE match_core = ANY(%(keys)s::text[]) AND legal_form <> '' GROUP BY match_core HAVING count(*) = 1
)
SELECT k.key AS match_key, coalesce(c.id, f.id) AS id
FROM unnest(%(keys)s::text[]) AS k (key)
LEFT JOIN company c ON c.match_key = k.key
LEFT JOIN named f ON f.match_core = k.key
WHERE coalesce(c.id, f.id) IS NOT NULL;

-- name: by_domain
-- One row per known mail domain among %(domains)s. Index: company_domain_pkey.
SELECT domain, company_id FROM company_domain WHERE domain = ANY(%(domains)s::text[]);
