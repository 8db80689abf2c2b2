-- name: open_incoming
-- One row per row of the batch being taken in, normalised by leads/normalise.py. Emptied at each commit.
-- tier: its strongest key: 1 address, 2 id of another system, 3 telephone + name, 4 company + name. leader: the first
-- row of the batch with that key. crm, *_key, email_value: identity values, '' = none.
CREATE TEMP TABLE IF NOT EXISTS incoming (
    row_no int PRIMARY KEY, tier smallint NOT NULL, leader int NOT NULL,
    {column_definitions}, fields jsonb NOT NULL DEFAULT '{}',
    company_key text NOT NULL DEFAULT '', company_core text NOT NULL DEFAULT '', legal_form text NOT NULL DEFAULT '', form_position text NOT NULL DEFAULT '',
    name_key text NOT NULL DEFAULT '', email_kind text NOT NULL DEFAULT '', email_value text NOT NULL DEFAULT '',
    crm text NOT NULL DEFAULT '', phone_key text NOT NULL DEFAULT '', mobile_key text NOT NULL DEFAULT '',
    booth_talk text NOT NULL DEFAULT '', seminar text NOT NULL DEFAULT '', occurred_at timestamptz,
    tags text NOT NULL DEFAULT '', no_mail boolean NOT NULL DEFAULT false, asked_id bigint, met_on timestamptz,
    email_also text NOT NULL DEFAULT '', corporate_number text NOT NULL DEFAULT '', industry text NOT NULL DEFAULT '',
    sales_yen text NOT NULL DEFAULT '', employees text NOT NULL DEFAULT ''
) ON COMMIT DELETE ROWS;

-- name: open_settled
-- Whose row it is. fresh: this row makes the lead. lead_id null: two people answer to it, so it is nobody's.
CREATE TEMP TABLE IF NOT EXISTS settled (row_no int PRIMARY KEY, lead_id bigint, fresh boolean NOT NULL) ON COMMIT DELETE ROWS;

-- name: open_lead_change
-- One row per lead and column that the batch changes, with the row it comes from.
CREATE TEMP TABLE IF NOT EXISTS lead_change (
    lead_id bigint NOT NULL, row_no int NOT NULL, col text NOT NULL, old text, new text
) ON COMMIT DELETE ROWS;

-- name: open_news
-- Rows that have brought something besides a lead's columns: a fact, a tag, an opt-out, another address, an id, what is
-- known of a company.
CREATE TEMP TABLE IF NOT EXISTS news (row_no int NOT NULL) ON COMMIT DELETE ROWS;

-- name: misjudged
-- Tables that intake joins and of which the planner knows too little: taken for nearly empty although they hold data
-- (autovacuum counts an open transaction's rows as none), or without statistics of their columns (those of an import that
-- was killed went with its transaction, its row counts did not). One row per table.
SELECT c.relname FROM pg_class c
WHERE c.oid = ANY (ARRAY['lead', 'lead_identity', 'company', 'consent', 'consent_now']::regclass[])
  AND pg_relation_size(c.oid) > 200000
  AND (c.reltuples < pg_relation_size(c.oid) / 5000
       OR NOT EXISTS (SELECT 1 FROM pg_stats s WHERE s.schemaname = current_schema AND s.tablename = c.relname));

-- name: fill_incoming
-- The small door: rows as a JSON array of objects with the column names of `incoming`.
INSERT INTO incoming (
    row_no, tier, leader, {lead_columns}, fields, company_key, company_core, legal_form, form_position, name_key, email_kind,
    email_value, crm, phone_key, mobile_key, booth_talk, seminar, occurred_at, tags, no_mail, asked_id,
    met_on, email_also, corporate_number, industry, sales_yen, employees
)
SELECT r.row_no, r.tier, r.leader, {record_columns}, coalesce(r.fields, '{}')::jsonb, coalesce(r.company_key, ''),
       coalesce(r.company_core, ''), coalesce(r.legal_form, ''), coalesce(r.form_position, ''), coalesce(r.name_key, ''),
       coalesce(r.email_kind, ''), coalesce(r.email_value, ''), coalesce(r.crm, ''), coalesce(r.phone_key, ''),
       coalesce(r.mobile_key, ''), coalesce(r.booth_talk, ''), coalesce(r.seminar, ''), r.occurred_at, coalesce(r.tags, ''),
       coalesce(r.no_mail, false), r.asked_id, r.met_on, coalesce(r.email_also, ''), coalesce(r.corporate_number, ''),
       coalesce(r.industry, ''), coalesce(r.sales_yen, ''), coalesce(r.employees, '')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    row_no int, tier smallint, leader int, {record_definitions}, fields text, company_key text, company_core text,
    legal_form text, form_position text, name_key text, email_kind text, email_value text, crm text, phone_key text,
    mobile_key text, booth_talk text, seminar text, occurred_at timestamptz, tags text, no_mail boolean, asked_id bigint,
    met_on timestamptz, email_also text, corporate_number text, industry text, sales_yen text, employees text
);

-- name: name_companies
-- Rows that write a company without its legal form mean the only one that has that name with one. Index: company_core.
UPDATE incoming i SET company_key = f.match_key
FROM (
    SELECT b.company_key AS bare, min(c.match_key) AS match_key
    FROM (SELECT DISTINCT company_key FROM incoming WHERE company_key <> '' AND legal_form = '') AS b
    JOIN company c ON c.match_core = b.company_key AND c.legal_form <> ''
    WHERE NOT EXISTS (SELECT 1 FROM company o WHERE o.match_key = b.company_key)
    GROUP BY b.company_key HAVING count(*) = 1
) AS f
WHERE i.company_key = f.bare AND i.legal_form = '';

-- name: match_id
-- Settles rows that bring the number we gave the person ourselves (our own export). A merged person is who they became.
-- A number that is nobody's is nobody's, where the row has nothing better (tier 5). Index: lead_pkey.
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, coalesce(l.merged_into, l.lead_id), false
FROM incoming i
LEFT JOIN lead l ON l.lead_id = i.asked_id AND l.known_at IS NOT NULL
WHERE i.asked_id IS NOT NULL AND (l.lead_id IS NOT NULL OR i.tier = 5);

-- name: match_email
-- Settles rows whose address (a shared address: with the name) is known. LATERAL with LIMIT: one index probe per row,
-- whatever the planner believes. Index: lead_identity_pkey.
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, e.lead_id, false
FROM incoming i
CROSS JOIN LATERAL (SELECT lead_id FROM lead_identity WHERE kind = i.email_kind AND value = i.email_value LIMIT 1) AS e
WHERE i.tier = 1 AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no);

-- name: match_email_also
-- Settles rows of whose other addresses one is known, where the name agrees: a cell may hold two people's addresses.
-- Index: lead_identity_pkey, lead_pkey.
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, min(e.lead_id), false
FROM incoming i
CROSS JOIN LATERAL string_to_table(i.email_also, chr(31)) AS a (address)
CROSS JOIN LATERAL (
    SELECT lead_id FROM lead_identity WHERE kind = 'email' AND value = a.address LIMIT 1
) AS e
JOIN lead l ON l.lead_id = e.lead_id
WHERE i.tier = 1 AND i.email_also <> '' AND i.name_key <> ''
  AND search_fold(l.last_name || l.first_name) = search_fold(i.name_key)
  AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no)
GROUP BY i.row_no;

-- name: match_crm
-- Settles rows whose id of another system is known. Index: lead_identity_pkey.
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, e.lead_id, false
FROM incoming i
CROSS JOIN LATERAL (SELECT lead_id FROM lead_identity WHERE kind = 'crm' AND value = i.crm LIMIT 1) AS e
WHERE i.tier = %(tier)s::smallint AND i.crm <> '' AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no);

-- name: match_phone
-- Settles rows by telephone + name, unless the row and the lead have different personal addresses (then they are two
-- people). lead_id 0 marks a key that two people share: a row that has nothing better is nobody's. One row per row.
WITH keyed AS MATERIALIZED (
    SELECT i.row_no, i.email_value, i.email_kind, i.tier, k.place, p.lead_id
    FROM incoming i
    CROSS JOIN LATERAL (VALUES (i.mobile_key, 1), (i.phone_key, 2)) AS k (value, place)
    CROSS JOIN LATERAL (SELECT lead_id FROM lead_identity WHERE kind = 'phone_name' AND value = k.value LIMIT 1) AS p
    WHERE i.tier = %(tier)s::smallint AND i.crm = '' AND k.value <> ''
      AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no)
),
mail AS MATERIALIZED (SELECT lead_id, email FROM lead WHERE lead_id IN (SELECT lead_id FROM keyed))
INSERT INTO settled (row_no, lead_id, fresh)
SELECT row_no, lead_id, false
FROM (
    SELECT f.*, first_value(f.email_value) OVER (PARTITION BY f.lead_id ORDER BY f.row_no) AS first_email
    FROM (
        SELECT DISTINCT ON (k.row_no) k.row_no, k.email_value, nullif(k.lead_id, 0) AS lead_id
        FROM keyed k LEFT JOIN mail l ON l.lead_id = k.lead_id
        WHERE CASE WHEN k.lead_id = 0 THEN k.tier = 3
                   ELSE k.email_kind <> 'email' OR l.email = ''
                        OR rtrim(split_part(l.email, '@', 1), '0123456789') = ANY(%(roles)s::text[]) END
        ORDER BY k.row_no, k.lead_id = 0, k.place
    ) AS f
) AS g
WHERE g.email_value = g.first_email;

-- name: match_name_unmailed
-- Settles rows that have an address by company + name with the one lead there that has none. Index: lead_unmailed.
WITH asked AS MATERIALIZED (
    SELECT i.row_no, i.email_value, i.phone, i.mobile, c.id AS company_id, search_fold(i.name_key) AS name
    FROM incoming i JOIN company c ON c.match_key = i.company_key
    WHERE i.tier = 1 AND i.crm = '' AND i.company_key <> '' AND i.name_key <> ''
      AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no)
)
INSERT INTO settled (row_no, lead_id, fresh)
SELECT row_no, lead_id, false
FROM (
    SELECT f.*, first_value(f.email_value) OVER (PARTITION BY f.lead_id ORDER BY f.row_no) AS first_email
    FROM (
        SELECT i.row_no, i.email_value, min(l.lead_id) AS lead_id
        FROM asked i
        JOIN lead l ON l.company_id = i.company_id AND l.email = '' AND {known_lead}
                   AND search_fold(l.last_name || l.first_name) = i.name
        WHERE l.phone = '' AND l.mobile = '' OR i.phone = '' AND i.mobile = ''
        GROUP BY i.row_no, i.email_value HAVING count(*) = 1
    ) AS f
) AS g
WHERE g.email_value = g.first_email;

-- name: match_name
-- Settles rows without address or id by company + name: one lead = theirs; several = nobody's (lead_id null). A row with
-- a telephone number goes only to a lead without one: another number is another person. Index: lead_company.
WITH asked AS MATERIALIZED (
    SELECT i.row_no, i.phone = '' AND i.mobile = '' AS silent, c.id AS company_id, search_fold(i.name_key) AS name
    FROM incoming i JOIN company c ON c.match_key = i.company_key
    WHERE i.tier = %(tier)s::smallint AND i.company_key <> '' AND i.name_key <> ''
      AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no)
)
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, CASE WHEN count(*) = 1 THEN min(l.lead_id) END, false
FROM asked i
JOIN lead l ON l.company_id = i.company_id AND {known_lead}
           AND search_fold(l.last_name || l.first_name) = i.name
WHERE i.silent OR l.phone = '' AND l.mobile = ''
GROUP BY i.row_no HAVING %(tier)s::smallint = 4 OR count(*) = 1;

-- name: follow_leader
-- Rows of the batch with the same strongest key belong to the same person: if one is settled, so are the others.
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, k.lead_id, false
FROM incoming i
JOIN (
    SELECT i.leader, min(s.lead_id) AS lead_id
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.tier = %(tier)s::smallint GROUP BY i.leader
) AS k ON k.leader = i.leader
WHERE i.tier = %(tier)s::smallint AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no);

-- name: assign
-- Gives a new lead_id to each key of this tier that is nobody's yet; the key's first row is fresh.
WITH made AS MATERIALIZED (
    SELECT i.row_no, nextval('lead_lead_id_seq') AS lead_id
    FROM incoming i
    WHERE i.tier = %(tier)s::smallint AND i.row_no = i.leader
      AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.row_no = i.row_no)
)
INSERT INTO settled (row_no, lead_id, fresh)
SELECT i.row_no, m.lead_id, i.row_no = m.row_no
FROM incoming i JOIN made m ON m.row_no = i.leader
WHERE i.tier = %(tier)s::smallint;

-- name: new_ids
-- Rows of this tier that give a known person an id of another system that is nobody's yet are news. Index: lead_identity_pkey.
INSERT INTO news
SELECT row_no
FROM (
    SELECT DISTINCT ON (i.crm) i.row_no, s.fresh
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.tier = %(tier)s::smallint AND i.crm <> '' AND s.lead_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM lead_identity e WHERE e.kind = 'crm' AND e.value = i.crm)
    ORDER BY i.crm, i.row_no
) AS first
WHERE NOT fresh;

-- name: claim_keys
-- Writes the addresses and ids of this tier's rows. A key that somebody else holds stays theirs. Sorted, so that two
-- imports at once wait for each other instead of deadlocking.
INSERT INTO lead_identity (kind, value, lead_id)
SELECT k.kind, k.value, k.lead_id
FROM (
    SELECT i.email_kind AS kind, i.email_value AS value, s.lead_id
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.tier = %(tier)s::smallint AND i.email_value <> '' AND i.row_no = i.leader AND s.lead_id IS NOT NULL
    UNION ALL
    SELECT 'crm', i.crm, min(s.lead_id)
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.tier = %(tier)s::smallint AND i.crm <> '' AND s.lead_id IS NOT NULL GROUP BY i.crm
) AS k
ORDER BY k.kind, k.value
ON CONFLICT (kind, value) DO NOTHING;

-- name: yield_keys
-- Somebody else wrote the same address or id a moment ago: our new lead is theirs instead.
UPDATE settled s SET lead_id = e.lead_id, fresh = false
FROM incoming i
JOIN lead_identity e ON (e.kind, e.value) IN ((i.email_kind, i.email_value), ('crm', i.crm))
WHERE i.row_no = s.row_no AND i.tier = %(tier)s::smallint AND e.lead_id <> s.lead_id
  AND s.lead_id IN (SELECT f.lead_id FROM settled f WHERE f.fresh)
  AND (e.kind <> 'crm' OR i.email_value = '');

-- name: claim_phones
-- Writes telephone + name keys. A key that turns out to be two people's is marked with lead_id 0: it tells nobody apart.
INSERT INTO lead_identity (kind, value, lead_id)
SELECT 'phone_name', k.value, CASE WHEN min(s.lead_id) = max(s.lead_id) THEN min(s.lead_id) ELSE 0 END
FROM incoming i
JOIN settled s ON s.row_no = i.row_no
CROSS JOIN LATERAL (VALUES (i.mobile_key), (i.phone_key)) AS k (value)
WHERE i.tier = %(tier)s::smallint AND k.value <> '' AND s.lead_id IS NOT NULL
GROUP BY k.value
ORDER BY k.value
ON CONFLICT (kind, value) DO UPDATE SET lead_id = 0
WHERE lead_identity.lead_id <> excluded.lead_id AND lead_identity.lead_id <> 0;

-- name: claim_more_addresses
-- The other addresses of a row's cell are the same person's, where they are nobody's yet; that is news.
-- Index: lead_identity_pkey.
WITH said AS (
    SELECT DISTINCT ON (a.address) a.address, s.lead_id, i.row_no
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    CROSS JOIN LATERAL string_to_table(i.email_also, chr(31)) AS a (address)
    WHERE i.email_also <> '' AND s.lead_id IS NOT NULL
    ORDER BY a.address, i.row_no
), claimed AS (
    INSERT INTO lead_identity (kind, value, lead_id)
    SELECT 'email', address, lead_id FROM said ORDER BY address
    ON CONFLICT (kind, value) DO NOTHING RETURNING value
)
INSERT INTO news SELECT s.row_no FROM said s JOIN claimed c ON c.value = s.address;

-- name: insert_leads
-- Writes the new leads of this tier.
INSERT INTO lead (lead_id, known_at, {lead_columns}, company_id, source_id, fields, created_at, updated_at)
SELECT s.lead_id, %(now)s::timestamptz, {incoming_columns}, c.id, %(source_id)s::bigint, i.fields,
       %(now)s::timestamptz, %(now)s::timestamptz
FROM settled s
JOIN incoming i ON i.row_no = s.row_no
LEFT JOIN company c ON c.match_key = i.company_key AND i.company_key <> ''
WHERE s.fresh AND i.tier = %(tier)s::smallint
ORDER BY s.lead_id;

-- name: wake_leads
-- A visitor who was anonymous is known from now on.
UPDATE lead l SET known_at = %(now)s::timestamptz, source_id = coalesce(l.source_id, %(source_id)s::bigint)
FROM settled s WHERE l.lead_id = s.lead_id AND NOT s.fresh AND l.known_at IS NULL;

-- name: find_changes
-- One row per lead and column that changes. Filling (%(replace)s false): the first row with a value wins where the lead
-- has none, and a personal address takes the place of a shared one. Replacing: the last row with a value wins.
INSERT INTO lead_change (lead_id, row_no, col, old, new)
SELECT lead_id, row_no, col, old, new
FROM (
    SELECT DISTINCT ON (s.lead_id, v.col) s.lead_id, i.row_no, v.col, v.old, v.new
    FROM settled s
    JOIN incoming i ON i.row_no = s.row_no
    JOIN lead l ON l.lead_id = s.lead_id
    CROSS JOIN LATERAL (
        SELECT * FROM unnest(ARRAY[{changing_keys}], ARRAY[{incoming_texts}], ARRAY[{kept_texts}])
        UNION ALL
        SELECT 'fields.' || f.key, f.value, coalesce(l.fields ->> f.key, '') FROM jsonb_each_text(i.fields) AS f
    ) AS v (col, new, old)
    WHERE NOT s.fresh AND v.new <> ''
      AND (%(replace)s::boolean OR v.old = ''
           OR v.col = 'email' AND i.email_kind = 'email'
              AND rtrim(split_part(v.old, '@', 1), '0123456789') = ANY(%(roles)s::text[]))
    ORDER BY s.lead_id, v.col, CASE WHEN %(replace)s::boolean THEN -i.row_no ELSE i.row_no END
) AS winner
WHERE new IS DISTINCT FROM old;

-- name: apply_changes
-- Writes `lead_change` to the leads; rank follows the title and company_id the company's name. One row per lead.
UPDATE lead l
SET {column_updates}, company_id = coalesce(x.company_id, l.company_id), fields = l.fields || x.fields,
    updated_at = %(now)s::timestamptz
FROM (
    SELECT c.lead_id, {changed_columns},
           max(k.id) FILTER (WHERE c.col = 'company_name') AS company_id,
           coalesce(jsonb_object_agg(substr(c.col, 8), i.fields -> substr(c.col, 8)) FILTER (WHERE c.col LIKE 'fields.%%'), '{}')
               AS fields
    FROM lead_change c
    JOIN incoming i ON i.row_no = c.row_no
    LEFT JOIN company k ON c.col = 'company_name' AND k.match_key = i.company_key AND i.company_key <> ''
    GROUP BY c.lead_id
) AS x
WHERE l.lead_id = x.lead_id;

-- name: add_tags
-- Puts the batch's tags (separated by U+001F) on its leads; a row that brought a new one is news. Idempotent.
WITH tagged AS (
    SELECT DISTINCT ON (s.lead_id, trim(t.tag)) s.lead_id, trim(t.tag) AS tag, i.row_no
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    CROSS JOIN LATERAL string_to_table(i.tags, chr(31)) AS t (tag)
    WHERE s.lead_id IS NOT NULL AND i.tags <> '' AND trim(t.tag) <> '' AND length(trim(t.tag)) <= 60
    ORDER BY s.lead_id, trim(t.tag), i.row_no
), added AS (
    INSERT INTO lead_tag (lead_id, tag) SELECT lead_id, tag FROM tagged
    ON CONFLICT (lead_id, tag) DO NOTHING RETURNING lead_id, tag
), told AS (
    INSERT INTO fact (lead_id, at, kind, details)
    SELECT lead_id, %(now)s::timestamptz, %(tagged)s::smallint, jsonb_build_object('tag', tag) FROM added
)
INSERT INTO news SELECT t.row_no FROM tagged t JOIN added a USING (lead_id, tag);

-- name: tell_booth
-- every act: whether a file's row is known, whoever did it
-- A talk at a booth, once per person, source and wording. Rows that bring a new one are news.
WITH said AS MATERIALIZED (
    SELECT a.lead_id, a.details ->> 'text' AS text FROM activity a
    WHERE a.lead_id IN (SELECT s.lead_id FROM incoming i JOIN settled s ON s.row_no = i.row_no WHERE i.booth_talk <> '')
      AND a.kind = %(kind)s::smallint AND a.object_id IS NOT DISTINCT FROM %(source_id)s::bigint
),
told AS MATERIALIZED (
    SELECT DISTINCT ON (s.lead_id, i.booth_talk) s.lead_id, i.row_no, coalesce(i.occurred_at, %(now)s::timestamptz) AS at,
           jsonb_build_object('text', i.booth_talk) AS details
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.booth_talk <> '' AND s.lead_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM said WHERE said.lead_id = s.lead_id AND said.text = i.booth_talk)
    ORDER BY s.lead_id, i.booth_talk, i.row_no
), written AS (
    INSERT INTO fact (lead_id, at, kind, object_id, details)
    SELECT lead_id, at, %(kind)s::smallint, %(source_id)s::bigint, details FROM told
)
INSERT INTO news SELECT row_no FROM told;

-- name: tell_card
-- every act: a card that was noted before is looked for, not counted
-- The day on which a card was received, once per person, source and day. Rows that bring a new one are news.
WITH told AS (
    SELECT DISTINCT ON (s.lead_id, i.met_on) s.lead_id, i.row_no, i.met_on AS at
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.met_on IS NOT NULL AND s.lead_id IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM activity a
          WHERE a.lead_id = s.lead_id AND a.at = i.met_on AND a.kind = %(kind)s::smallint
            AND a.object_id IS NOT DISTINCT FROM %(source_id)s::bigint
      )
    ORDER BY s.lead_id, i.met_on, i.row_no
), written AS (
    INSERT INTO fact (lead_id, at, kind, object_id) SELECT lead_id, at, %(kind)s::smallint, %(source_id)s::bigint FROM told
)
INSERT INTO news SELECT row_no FROM told;

-- name: tell_seminar
-- every act: whether a file's row is known, whoever did it
-- Attendance of a seminar, once per person, source and answer. Rows that bring a new one are news.
WITH noted AS MATERIALIZED (
    SELECT a.lead_id, a.kind FROM activity a
    WHERE a.lead_id IN (SELECT s.lead_id FROM incoming i JOIN settled s ON s.row_no = i.row_no WHERE i.seminar <> '')
      AND a.object_id IS NOT DISTINCT FROM %(source_id)s::bigint AND a.kind IN (%(attended)s::smallint, %(absent)s::smallint)
),
told AS MATERIALIZED (
    SELECT DISTINCT ON (s.lead_id, i.seminar) s.lead_id, i.row_no, coalesce(i.occurred_at, %(now)s::timestamptz) AS at,
           CASE i.seminar WHEN 'attended' THEN %(attended)s::smallint ELSE %(absent)s::smallint END AS kind
    FROM incoming i JOIN settled s ON s.row_no = i.row_no
    WHERE i.seminar <> '' AND s.lead_id IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM noted a
          WHERE a.lead_id = s.lead_id
            AND a.kind = CASE i.seminar WHEN 'attended' THEN %(attended)s::smallint ELSE %(absent)s::smallint END
      )
    ORDER BY s.lead_id, i.seminar, i.row_no
), written AS (
    INSERT INTO fact (lead_id, at, kind, object_id) SELECT lead_id, at, kind, %(source_id)s::bigint FROM told
)
INSERT INTO news SELECT row_no FROM told;

-- name: tell_created
-- One fact per new lead: where it came from (object) and by which file.
INSERT INTO fact (lead_id, at, kind, object_id, details)
SELECT s.lead_id, %(now)s::timestamptz, %(created)s::smallint, %(source_id)s::bigint, %(details)s::jsonb
FROM settled s WHERE s.fresh;

-- name: tell_changed
-- One fact per changed column, and one per lead that a file has changed.
WITH columns AS (
    INSERT INTO fact (lead_id, at, kind, object_id, details)
    SELECT lead_id, %(now)s::timestamptz, %(changed)s::smallint, NULL,
           jsonb_build_object('field', col, 'old', old, 'new', new, 'by', %(user_id)s::bigint)
    FROM lead_change
)
INSERT INTO fact (lead_id, at, kind, object_id)
SELECT DISTINCT s.lead_id, %(now)s::timestamptz, %(imported)s::smallint, %(import_id)s::bigint
FROM settled s
WHERE %(import_id)s::bigint IS NOT NULL AND NOT s.fresh
  AND s.row_no IN (SELECT row_no FROM lead_change UNION ALL SELECT row_no FROM news);

-- name: note_news
-- These rows have brought something.
INSERT INTO news SELECT unnest(%(rows)s::int[]);

-- name: note_company_news
-- Rows that bring a fact of a company which is not known yet, or (%(replace)s) not so. Of several rows the one counts that
-- `companies.fill` takes. Index: company_match_key_key.
INSERT INTO news
SELECT DISTINCT row_no
FROM (
    SELECT DISTINCT ON (c.id, f.key) i.row_no, c.id, f.key, f.new, f.old
    FROM settled s
    JOIN incoming i ON i.row_no = s.row_no
    JOIN company c ON c.match_key = i.company_key
    CROSS JOIN LATERAL (VALUES
        ('corporate_number', i.corporate_number, coalesce(c.corporate_number, '')),
        ('industry', i.industry, c.industry),
        ('sales_yen', i.sales_yen, coalesce(c.sales_yen::text, '')),
        ('employees', i.employees, coalesce(c.employees::text, ''))
    ) AS f (key, new, old)
    WHERE s.lead_id IS NOT NULL AND i.company_key <> '' AND f.new <> ''
    ORDER BY c.id, f.key, CASE WHEN %(replace)s::boolean THEN -i.row_no ELSE i.row_no END
) AS taken
WHERE (old = '' OR %(replace)s::boolean AND new <> old)
  AND NOT (key = 'corporate_number' AND EXISTS (SELECT 1 FROM company o WHERE o.corporate_number = new AND o.id <> taken.id));

-- name: counts
-- One row: how the batch's rows came out. created + updated + unchanged + rejected = rows.
SELECT count(*) FILTER (WHERE s.fresh) AS created,
       count(*) FILTER (WHERE NOT s.fresh AND s.lead_id IS NOT NULL AND c.row_no IS NOT NULL) AS updated,
       count(*) FILTER (WHERE NOT s.fresh AND s.lead_id IS NOT NULL AND c.row_no IS NULL) AS unchanged,
       count(*) FILTER (WHERE s.lead_id IS NULL) AS rejected
FROM settled s
LEFT JOIN (SELECT row_no FROM lead_change UNION SELECT row_no FROM news) AS c ON c.row_no = s.row_no;

-- name: nobodys
-- Rows that two people answer to.
SELECT row_no FROM settled WHERE lead_id IS NULL ORDER BY row_no;

-- name: stopped_elsewhere
-- Leads who have refused mail at one of several addresses that the batch says are theirs (by their own or a colleague's word, or a
-- complaint; bounces are an address's own). One row per lead.
SELECT s.lead_id, min(a.address) AS address, min(i.row_no) AS row_no
FROM incoming i JOIN settled s ON s.row_no = i.row_no
CROSS JOIN LATERAL string_to_table(i.email_value || chr(31) || i.email_also, chr(31)) AS a (address)
JOIN lead_identity e ON e.kind = 'email' AND e.value = a.address AND e.lead_id = s.lead_id
LEFT JOIN suppression p ON p.channel = 'email' AND p.value = a.address
LEFT JOIN stop_kept k ON k.channel = 'email' AND k.digest = sha256(convert_to(a.address, 'UTF8'))
WHERE i.email_also <> '' AND coalesce(p.reason, k.reason) IN ('unsubscribe', 'manual', 'complaint')
GROUP BY s.lead_id;

-- name: refusals
-- Leads whose row says that they want no mail. One row per lead.
SELECT s.lead_id, l.email, min(i.row_no) AS row_no
FROM incoming i JOIN settled s ON s.row_no = i.row_no JOIN lead l ON l.lead_id = s.lead_id
WHERE i.no_mail GROUP BY s.lead_id, l.email;

-- name: whose
-- The lead of each row, in row order.
SELECT row_no, lead_id FROM settled ORDER BY row_no;
