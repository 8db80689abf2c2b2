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

-- name: fill
-- Puts facts of companies ({found}) where none are known, or over them (%(replace)s). A corporate number that another
-- company has stays away. One row per company that changed. Index: company_match_key_key. Idempotent.
-- slot found: SELECT ''::text AS match_key, 0 AS place, ''::text AS corporate_number, ''::text AS industry, ''::text AS sales_yen, ''::text AS employees
WITH said AS (
    SELECT match_key,
           (array_agg(corporate_number ORDER BY turn) FILTER (WHERE corporate_number <> ''))[1] AS corporate_number,
           (array_agg(industry ORDER BY turn) FILTER (WHERE industry <> ''))[1] AS industry,
           (array_agg(sales_yen::bigint ORDER BY turn) FILTER (WHERE sales_yen <> ''))[1] AS sales_yen,
           (array_agg(employees::int ORDER BY turn) FILTER (WHERE employees <> ''))[1] AS employees
    FROM (
        SELECT f.*, CASE WHEN %(replace)s::boolean THEN -f.place ELSE f.place END AS turn FROM ({found}) AS f
    ) AS f
    GROUP BY match_key
),
meant AS (
    SELECT c.id,
           CASE WHEN c.corporate_number IS NULL OR %(replace)s::boolean
                THEN coalesce(n.corporate_number, c.corporate_number) ELSE c.corporate_number END AS corporate_number,
           CASE WHEN c.industry = '' OR %(replace)s::boolean THEN coalesce(s.industry, c.industry) ELSE c.industry END AS industry,
           CASE WHEN c.sales_yen IS NULL OR %(replace)s::boolean THEN coalesce(s.sales_yen, c.sales_yen) ELSE c.sales_yen END AS sales_yen,
           CASE WHEN c.employees IS NULL OR %(replace)s::boolean THEN coalesce(s.employees, c.employees) ELSE c.employees END AS employees
    FROM company c JOIN said s ON s.match_key = c.match_key
    LEFT JOIN (
        SELECT corporate_number, min(match_key) AS match_key FROM said WHERE corporate_number IS NOT NULL
        GROUP BY corporate_number
    ) AS n ON n.match_key = c.match_key
          AND NOT EXISTS (SELECT 1 FROM company o WHERE o.corporate_number = n.corporate_number AND o.id <> c.id)
)
UPDATE company c
SET corporate_number = m.corporate_number, industry = m.industry, sales_yen = m.sales_yen, employees = m.employees,
    updated_at = %(now)s::timestamptz
FROM meant m
WHERE c.id = m.id AND (c.corporate_number, c.industry, c.sales_yen, c.employees)
      IS DISTINCT FROM (m.corporate_number, m.industry, m.sales_yen, m.employees)
RETURNING c.id;

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
