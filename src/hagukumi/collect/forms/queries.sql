-- name: versions
-- One row per version in %(ids)s, with what its form brings to a lead.
SELECT version.id AS version_id, version.definition, version.consent_text_id, form.id AS form_id, form.slug,
       form.source_id, coalesce(source.consent_basis, '') AS source_basis,
       form.challenge, form.per_caller, form.per_network, form.per_form,
       coalesce(form.double_optin, form.kind = ANY(w.double_optin), false) AS double_optin
FROM form_version version JOIN form ON form.id = version.form_id LEFT JOIN source ON source.id = form.source_id
LEFT JOIN workspace w ON w.id = 1
WHERE version.id = ANY(%(ids)s::bigint[]);

-- name: add_submissions
-- One submission per answer (arrays of equal length).
INSERT INTO submission (lead_id, form_id, form_version_id, consent_text_id, answers, event_id, at)
SELECT * FROM unnest(
    %(lead_ids)s::bigint[], %(form_ids)s::bigint[], %(version_ids)s::bigint[], %(text_ids)s::bigint[],
    %(answers)s::jsonb[], %(event_ids)s::uuid[], %(ats)s::timestamptz[]
);

-- name: anonymous
-- Which of the leads are visitors without a name.
SELECT lead_id FROM lead WHERE lead_id = ANY(%(ids)s::bigint[]) AND known_at IS NULL AND merged_into IS NULL;

-- name: who_answered
-- The lead behind each answer in %(events)s, merged people resolved. Index: submission_event.
SELECT s.event_id, coalesce(l.merged_into, l.lead_id) AS lead_id
FROM submission s JOIN lead l ON l.lead_id = s.lead_id WHERE s.event_id = ANY(%(events)s::uuid[]);

-- name: forms
-- One row per form: answers in all and since %(since)s, people who viewed its hosted page since then (rollup of its address).
WITH counted AS MATERIALIZED (
    SELECT form_id, count(*) AS answers, count(*) FILTER (WHERE at >= %(since)s::timestamptz) AS recent, max(at) AS last_at
    FROM submission GROUP BY form_id
)
SELECT form.id, form.slug, form.name, form.kind, form.state, form.content_id, version.number AS version_number,
       source.name AS source_name, coalesce(counted.answers, 0) AS answers, coalesce(counted.recent, 0) AS recent, counted.last_at
FROM form LEFT JOIN form_version version ON version.id = form.version_id LEFT JOIN source ON source.id = form.source_id
LEFT JOIN counted ON counted.form_id = form.id
ORDER BY form.state = 'closed', form.created_at DESC;

-- name: page_people
-- Per hosted form page (%(urls)s, in any order): people per day summed since %(first)s. Index: page_url, activity_day_pkey.
SELECT page.url, sum(d.leads)::bigint AS people
FROM page JOIN activity_day d ON d.object_id = page.id AND d.kind = %(view)s::smallint AND d.day >= %(first)s::date
WHERE page.url = ANY(%(urls)s::text[]) GROUP BY page.url;

-- name: answers
-- One row per answer of a form, newest first, keyset by (at, id). Index: submission_form.
SELECT s.id, s.lead_id, s.at, s.answers, s.form_version_id, s.consent_text_id, l.last_name, l.first_name, l.company_name
FROM submission s JOIN lead l ON l.lead_id = s.lead_id
WHERE s.form_id = %(form_id)s::bigint
  AND (%(before_at)s::timestamptz IS NULL OR (s.at, s.id) < (%(before_at)s::timestamptz, %(before_id)s::bigint))
ORDER BY s.at DESC, s.id DESC LIMIT %(limit)s::int;

-- name: next_text_version
SELECT coalesce(max(version), 0) + 1 FROM consent_text WHERE key = %(key)s;

-- name: form_stats
-- One form's answers in all and since %(since)s. Index: submission_form.
SELECT count(*) AS answers, count(*) FILTER (WHERE at >= %(since)s::timestamptz) AS recent, max(at) AS last_at
FROM submission WHERE form_id = %(form_id)s::bigint;

-- name: known_addresses
-- Which of these addresses (lower case) somebody of ours has already. Index: lead_identity_pkey.
SELECT value FROM lead_identity WHERE kind = 'email' AND value = ANY(%(values)s::text[]);

-- name: held
-- One row per form with answers that wait for a person.
SELECT form_id, count(*) AS answers FROM held_answer GROUP BY form_id;
