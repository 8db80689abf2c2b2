-- name: ensure
-- Makes the companies of {found} (yields name, legal_form, form_position, match_key) that are not there yet, one per key.
-- Index: company_match_key_key. Idempotent.
-- slot found: SELECT ''::text AS name, ''::text AS legal_form, ''::text AS form_position, ''::text AS match_key
INSERT INTO company (name, legal_form, form_position, match_key, created_at, updated_at)
SELECT DISTINCT ON (f.match_key)
       f.name, f.legal_form, f.form_position, f.match_key, %(now)s::timestamptz, %(now)s::timestamptz
FROM ({found}) AS f
WHERE f.match_key <> '' AND NOT EXISTS (SELECT 1 FROM company c WHERE c.match_key = f.match_key)
ORDER BY f.match_key
ON CONFLICT (match_key) DO NOTHING;

-- name: by_key
-- One row per company among %(keys)s. Index: company_match_key_key.
SELECT match_key, id FROM company WHERE match_key = ANY(%(keys)s::text[]);

-- name: by_domain
-- One row per known mail domain among %(domains)s. Index: company_domain_pkey.
SELECT domain, company_id FROM company_domain WHERE domain = ANY(%(domains)s::text[]);
