-- name: tag
-- Puts the tag on each lead of {leads} that lacks it, with one fact each. Idempotent. One row per lead tagged.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
WITH tagged AS (
    INSERT INTO lead_tag (lead_id, tag)
    SELECT DISTINCT lead_id, %(tag)s::text FROM ({leads}) AS chosen WHERE lead_id IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING lead_id
)
INSERT INTO fact (lead_id, at, kind, details, hop)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, jsonb_build_object('tag', %(tag)s::text), %(hop)s::smallint
FROM tagged;

-- name: untag
-- Takes the tag off each lead of {leads} that has it, with one fact each. Idempotent.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
WITH untagged AS (
    DELETE FROM lead_tag t USING ({leads}) AS chosen
    WHERE t.lead_id = chosen.lead_id AND t.tag = %(tag)s::text
    RETURNING t.lead_id
)
INSERT INTO fact (lead_id, at, kind, details)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, jsonb_build_object('tag', %(tag)s::text)
FROM untagged;

-- name: join_visitors
-- every act: all of a visitor's rows move, with their verdicts
-- Moves what each anonymous lead did to the person it turned out to be. Pairs whose left side is known or already joined,
-- or whose sides are the same, are left alone, so a repeat changes nothing. One fact per person joined.
-- Moved rows keep `origin_lead_id` (undo), and each distinct (kind, object) of them gets a pulse again.
-- Index: activity by lead_id. Waiting pulses and inbox rows of the left side need nothing: their identity is re-pointed.
WITH pair AS (
    SELECT DISTINCT ON (p.anon) p.anon, coalesce(k.merged_into, k.lead_id) AS person
    FROM unnest(%(anons)s::bigint[], %(persons)s::bigint[]) AS p (anon, person)
    JOIN lead a ON a.lead_id = p.anon AND a.known_at IS NULL AND a.merged_into IS NULL
    JOIN lead k ON k.lead_id = p.person
    WHERE p.anon <> coalesce(k.merged_into, k.lead_id)
    ORDER BY p.anon, p.person
),
taken AS (
    DELETE FROM activity USING pair WHERE activity.lead_id = pair.anon
    RETURNING pair.person, activity.at, activity.id, activity.kind, activity.object_id, activity.amount, activity.channel,
              coalesce(activity.origin_lead_id, pair.anon) AS origin, activity.details
),
given AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, channel, origin_lead_id, details)
    SELECT person, at, id, kind, object_id, amount, channel, origin, details FROM taken
),
renamed AS (
    UPDATE lead_identity SET lead_id = pair.person FROM pair WHERE lead_identity.lead_id = pair.anon
),
closed AS (
    UPDATE lead SET state = 'merged', merged_into = pair.person, updated_at = %(now)s::timestamptz
    FROM pair WHERE lead.lead_id = pair.anon
),
again AS (
    INSERT INTO pulse (lead_id, kind, object_id, at)
    SELECT person, kind, object_id, max(at) FROM taken GROUP BY person, kind, object_id
)
INSERT INTO fact (lead_id, at, kind, amount, details)
SELECT pair.person, %(now)s::timestamptz, %(kind)s::smallint, count(taken.id),
       jsonb_build_object('visitor', pair.anon, 'rows', count(taken.id), 'first', min(taken.at))
FROM pair LEFT JOIN taken ON taken.origin = pair.anon AND taken.person = pair.person
GROUP BY pair.person, pair.anon;

-- name: search_touched
-- Recomputes the search grams of the touched known leads whose facts changed. Kinds: %(kinds)s.
INSERT INTO lead_search (lead_id, grams)
SELECT l.lead_id, search_grams(
    l.last_name || l.first_name, l.first_name, l.last_kana || l.first_kana, l.company_name, l.email, l.phone,
    regexp_replace(l.phone, '^\+81', '0'), regexp_replace(l.mobile, '^\+81', '0')
)
FROM lead l
WHERE l.lead_id IN (SELECT lead_id FROM touched WHERE kind = ANY(%(kinds)s::smallint[])) AND l.known_at IS NOT NULL
ON CONFLICT (lead_id) DO UPDATE SET grams = excluded.grams;

-- name: recency_touched
-- Moves each touched known lead's last own act forward. Kinds that count as the lead's own: %(kinds)s; of those in
-- %(doubtful)s, the ledger is asked whether it was a person's act. Index: activity's key.
INSERT INTO lead_recency AS r (lead_id, at)
SELECT t.lead_id, max(t.at)
FROM touched t JOIN lead l ON l.lead_id = t.lead_id AND l.known_at IS NOT NULL
WHERE t.kind = ANY(%(kinds)s::smallint[])
  AND (t.kind <> ALL(%(doubtful)s::smallint[]) OR EXISTS (
      SELECT FROM activity a
      WHERE a.lead_id = t.lead_id AND a.at = t.at AND a.kind = t.kind AND {by_a_person}
  ))
GROUP BY t.lead_id
ON CONFLICT (lead_id) DO UPDATE SET at = excluded.at WHERE r.at < excluded.at;

-- name: recency_back
-- Where the last own act of a touched lead proved to be a machine's, it is the last one by a person again.
-- Index: activity's key, read backwards.
UPDATE lead_recency r SET at = last.at
FROM (
    SELECT DISTINCT t.lead_id, t.at FROM touched t JOIN activity a ON a.lead_id = t.lead_id AND a.at = t.at AND a.kind = t.kind
    WHERE t.kind = ANY(%(doubtful)s::smallint[]) AND NOT ({by_a_person})
) gone
CROSS JOIN LATERAL (
    SELECT a.at FROM activity a
    WHERE a.lead_id = gone.lead_id AND a.kind = ANY(%(kinds)s::smallint[]) AND {by_a_person}
    ORDER BY a.at DESC LIMIT 1
) last
WHERE r.lead_id = gone.lead_id AND r.at = gone.at AND last.at < r.at;

-- name: recency_gone
-- Who has done nothing by themselves after all has no last act.
DELETE FROM lead_recency r USING touched t
WHERE t.kind = ANY(%(doubtful)s::smallint[]) AND r.lead_id = t.lead_id AND r.at = t.at AND NOT EXISTS (
    SELECT FROM activity a
    WHERE a.lead_id = r.lead_id AND a.at = r.at AND a.kind = ANY(%(kinds)s::smallint[]) AND {by_a_person}
);

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
WHERE l.known_at IS NOT NULL AND l.merged_into IS NULL AND {filters} AND {after}
ORDER BY {rank} DESC, l.lead_id DESC
LIMIT {limit};

-- name: count_upto
-- How many leads meet the filters, counted up to %(cap)s.
-- slot joins: LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = 0
-- slot filters: true
SELECT count(*) FROM (
    SELECT 1 FROM lead l {joins} WHERE l.known_at IS NOT NULL AND l.merged_into IS NULL AND {filters} LIMIT %(cap)s::int
) AS counted;

-- name: chosen
-- The ids that meet the filters, for a bulk act. One row per lead.
-- slot joins: LEFT JOIN lead_score sc ON sc.lead_id = l.lead_id AND sc.model_id = 0
-- slot filters: true
SELECT l.lead_id FROM lead l {joins} WHERE l.known_at IS NOT NULL AND l.merged_into IS NULL AND {filters};

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

-- name: models
-- One row: the score model and the phase model that lists show (the first score model, the primary phase model); 0 = none.
SELECT coalesce((SELECT id FROM score_model ORDER BY id LIMIT 1), 0) AS score_model,
       coalesce((SELECT id FROM phase_model ORDER BY is_primary DESC, id LIMIT 1), 0) AS phase_model;

-- name: tags
-- Tags in use, by name, at most 200.
SELECT DISTINCT tag FROM lead_tag ORDER BY tag LIMIT 200;

-- name: tagged_at
-- every act: tags are put by staff and by the house
-- Whom one bulk act tagged: those with the fact of that instant. Index: activity (kind, at).
SELECT lead_id FROM activity
WHERE kind = %(kind)s::smallint AND at = %(at)s::timestamptz AND details ->> 'tag' = %(tag)s::text;

-- name: timeline
-- every act: a machine's acts are shown with their verdict
-- Newest first, what happened to one lead before the row (%(at)s, %(id)s). Index: activity's key (lead_id, at, id).
SELECT at, id, kind, object_id, amount, channel, origin_lead_id, details
FROM activity
WHERE lead_id = %(lead_id)s::bigint AND (at, id) < (%(at)s::timestamptz, %(id)s::bigint)
  AND kind = ANY(%(kinds)s::smallint[])
ORDER BY at DESC, id DESC
LIMIT %(limit)s::int;

-- name: object_names
-- What facts point to, by name: one row per (object, id). Parameters are id arrays, one per table.
SELECT 'page' AS object, id, coalesce(nullif(title, ''), url) AS ja, '' AS en FROM page WHERE id = ANY(%(page)s::bigint[])
UNION ALL SELECT 'message', id, name, '' FROM message WHERE id = ANY(%(message)s::bigint[])
UNION ALL SELECT 'form', id, name, '' FROM form WHERE id = ANY(%(form)s::bigint[])
UNION ALL SELECT 'content', id, title, '' FROM content WHERE id = ANY(%(content)s::bigint[])
UNION ALL SELECT 'source', id, name, '' FROM source WHERE id = ANY(%(source)s::bigint[])
UNION ALL SELECT 'import_file', id, file_name, '' FROM import_file WHERE id = ANY(%(import_file)s::bigint[])
UNION ALL SELECT 'lead', lead_id, last_name || ' ' || first_name, '' FROM lead WHERE lead_id = ANY(%(lead)s::bigint[])
UNION ALL SELECT 'segment', id, name, '' FROM segment WHERE id = ANY(%(segment)s::bigint[])
UNION ALL SELECT 'score_version', v.id, m.name || ' v' || v.number, ''
    FROM score_version v JOIN score_model m ON m.id = v.model_id WHERE v.id = ANY(%(score_version)s::bigint[])
UNION ALL SELECT 'phase', id, name, name_en FROM phase WHERE id = ANY(%(phase)s::bigint[])
UNION ALL SELECT 'scenario', id, name, '' FROM scenario WHERE id = ANY(%(scenario)s::bigint[])
UNION ALL SELECT 'handover', id, cause, '' FROM handover
    WHERE lead_id = %(lead_id)s::bigint AND id = ANY(%(handover)s::bigint[])
UNION ALL SELECT 'deal', id, name, '' FROM deal WHERE lead_id = %(lead_id)s::bigint AND id = ANY(%(deal)s::bigint[]);

-- name: colleagues
-- Other known people of the same company, the most recently active first.
SELECT l.lead_id, l.last_name, l.first_name, l.title, l.department, r.at AS last_at
FROM lead l LEFT JOIN lead_recency r ON r.lead_id = l.lead_id
WHERE l.company_id = %(company_id)s::bigint AND l.lead_id <> %(lead_id)s::bigint AND l.known_at IS NOT NULL
  AND l.merged_into IS NULL
ORDER BY r.at DESC NULLS LAST, l.lead_id
LIMIT 8;

-- name: tag_preview
-- One row: how many leads {leads} holds, and how many of them have the tag already.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
SELECT count(*) AS reached, count(t.tag) AS already
FROM (SELECT DISTINCT lead_id FROM ({leads}) AS chosen) AS c
LEFT JOIN lead_tag t ON t.lead_id = c.lead_id AND t.tag = %(tag)s::text;
