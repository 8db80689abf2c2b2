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

-- name: search_touched
-- Recomputes the search grams of the touched known leads whose facts changed. Kinds: %(kinds)s.
INSERT INTO lead_search (lead_id, grams)
SELECT l.lead_id, search_grams(
    l.last_name || l.first_name, l.first_name, l.last_kana || l.first_kana, l.company_name, l.email, l.phone,
    regexp_replace(l.phone, '^\+81', '0'), regexp_replace(l.mobile, '^\+81', '0')
)
FROM lead l
WHERE l.lead_id = ANY(ARRAY(SELECT lead_id FROM touched WHERE kind = ANY(%(kinds)s::smallint[])))
  AND {known_lead}
ON CONFLICT (lead_id) DO UPDATE SET grams = excluded.grams;

-- name: recency_touched
-- Moves each touched known lead's last own act forward. Kinds that count as the lead's own: %(kinds)s; of those in
-- %(doubtful)s, the ledger is asked whether it was a person's act. Index: activity_lead_at.
WITH own AS MATERIALIZED (
    SELECT DISTINCT lead_id, at, kind FROM touched WHERE kind = ANY(%(kinds)s::smallint[])
),
human AS MATERIALIZED (
    SELECT a.lead_id, a.at, a.kind FROM (
        SELECT * FROM activity
        WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM own WHERE kind = ANY(%(doubtful)s::smallint[])))
          AND at >= (SELECT min(at) FROM own) AND at <= (SELECT max(at) FROM own) OFFSET 0
    ) a
    WHERE a.kind = ANY(%(doubtful)s::smallint[]) AND {by_a_person}
),
acted AS MATERIALIZED (
    SELECT o.lead_id, max(o.at) AS at
    FROM own o LEFT JOIN human h ON h.lead_id = o.lead_id AND h.at = o.at AND h.kind = o.kind
    WHERE o.kind <> ALL(%(doubtful)s::smallint[]) OR h.lead_id IS NOT NULL
    GROUP BY o.lead_id
)
INSERT INTO lead_recency AS r (lead_id, at)
SELECT l.lead_id, t.at
FROM (SELECT * FROM lead WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM acted)) OFFSET 0) l JOIN acted t USING (lead_id)
WHERE {known_lead}
ON CONFLICT (lead_id) DO UPDATE SET at = excluded.at WHERE r.at < excluded.at;

-- name: open_unsure
-- Touched leads whose last own act may not be theirs after all: it was a machine's, or visits were taken off.
CREATE TEMP TABLE IF NOT EXISTS unsure (lead_id bigint NOT NULL);

-- name: fill_unsure
-- Index: activity_lead_at.
INSERT INTO unsure
SELECT t.lead_id FROM touched t JOIN activity a ON a.lead_id = t.lead_id AND a.at = t.at AND a.kind = t.kind
WHERE t.kind = ANY(%(doubtful)s::smallint[]) AND NOT ({by_a_person})
UNION
SELECT lead_id FROM touched WHERE kind = %(left)s::smallint;

-- name: recency_back
-- The last own act of those in `unsure` is the last one that is a person's. Index: activity_lead_at, read backwards.
WITH last AS MATERIALIZED (
    SELECT r.lead_id, (
        SELECT a.at FROM activity a
        WHERE a.lead_id = r.lead_id AND a.kind = ANY(%(kinds)s::smallint[]) AND {by_a_person}
        ORDER BY a.at DESC LIMIT 1
    ) AS at
    FROM (SELECT lead_id FROM lead_recency WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM unsure)) OFFSET 0) r
)
UPDATE lead_recency r SET at = last.at FROM last WHERE r.lead_id = last.lead_id AND last.at < r.at;

-- name: recency_gone
-- Who of them has done nothing by themselves has no last act.
DELETE FROM lead_recency r USING unsure u
WHERE r.lead_id = u.lead_id AND NOT EXISTS (
    SELECT 1 FROM activity a WHERE a.lead_id = r.lead_id AND a.kind = ANY(%(kinds)s::smallint[]) AND {by_a_person}
);

-- name: clear_unsure
DELETE FROM unsure;

-- name: tagged_at
-- every act: tags are put by staff and by the house
-- Whom one bulk act tagged: those with the fact of that instant. Index: activity (kind, at).
SELECT lead_id FROM activity
WHERE kind = %(kind)s::smallint AND at = %(at)s::timestamptz AND details ->> 'tag' = %(tag)s::text;

-- name: tag_preview
-- One row: how many leads {leads} holds, and how many of them have the tag already.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
SELECT count(*) AS reached, count(t.tag) AS already
FROM (SELECT DISTINCT lead_id FROM ({leads}) AS chosen) AS c
LEFT JOIN lead_tag t ON t.lead_id = c.lead_id AND t.tag = %(tag)s::text;

-- name: make_nameless
-- %(count)s new anonymous leads, for answers that name nobody.
INSERT INTO lead (created_at, updated_at)
SELECT %(now)s::timestamptz, %(now)s::timestamptz FROM generate_series(1, %(count)s::int) RETURNING lead_id;
