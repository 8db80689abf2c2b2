-- name: rescore
-- Brings the points of the leads of `scope` in line with one version's rules, and puts the changes into `fact`.
-- `rules` yields (lead_id, key, side, band, points): a rule that holds; of one band only the highest counts.
-- {leads} and {scores} are the rows of lead and lead_score within the scope. A build (%(quiet)s) tells only what is read
-- (%(told)s: kinds), but who had points before and reaches the line by a new version is news: a fact, as at any time.
-- Grain: one lead_score row per lead and model; up to two facts per changed lead. Index: lead_score's key. A second run
-- with the same facts and now changes nothing. One row: how many leads changed.
-- slot scope: SELECT lead_id FROM touched
-- slot leads: lead l
-- slot scores: lead_score o
-- slot rules: SELECT lead_id, ''::text AS key, ''::text AS side, ''::text AS band, 0 AS points FROM scope
WITH scope AS MATERIALIZED ({scope}),
best AS (
    SELECT DISTINCT ON (lead_id, side, band) lead_id, key, side, points
    FROM ({rules}) r
    ORDER BY lead_id, side, band, points DESC, key
),
summed AS (
    SELECT lead_id,
           sum(points) FILTER (WHERE side = 'attribute') AS attribute,
           sum(points) FILTER (WHERE side = 'behaviour') AS behaviour,
           array_agg(key::varchar(40) ORDER BY key) AS matched
    FROM best GROUP BY lead_id
),
scored AS MATERIALIZED (
    SELECT l.lead_id,
           greatest(least(coalesce(s.attribute, 0), %(attribute_max)s::int), 0)::smallint AS attribute,
           greatest(least(coalesce(s.behaviour, 0), %(behaviour_max)s::int), 0)::smallint AS behaviour,
           coalesce(s.matched, '{}'::varchar(40)[]) AS matched
    FROM {leads}
    LEFT JOIN summed s ON s.lead_id = l.lead_id
    WHERE {known_lead}
),
changed AS MATERIALIZED (
    SELECT n.*, (n.attribute + n.behaviour)::smallint AS total,
           o.total AS old_total, o.attribute AS old_attribute, o.behaviour AS old_behaviour,
           coalesce(o.total >= v.threshold, false) AS was_over,
           n.attribute + n.behaviour >= %(threshold)s::int AS is_over
    FROM scored n
    LEFT JOIN {scores} ON o.lead_id = n.lead_id AND o.model_id = %(model_id)s::bigint
    LEFT JOIN score_version v ON v.id = o.version_id
    WHERE o.lead_id IS NULL
       OR (o.attribute, o.behaviour, o.matched, o.version_id)
          IS DISTINCT FROM (n.attribute, n.behaviour, n.matched, %(version_id)s::bigint)
),
gone AS (
    DELETE FROM lead_score
    WHERE model_id = %(model_id)s::bigint
      AND lead_id = ANY(ARRAY(SELECT lead_id FROM scope EXCEPT SELECT lead_id FROM scored))
),
kept AS (
    INSERT INTO lead_score (lead_id, model_id, version_id, attribute, behaviour, total, matched, at)
    SELECT lead_id, %(model_id)s::bigint, %(version_id)s::bigint, attribute, behaviour, total, matched,
           %(now)s::timestamptz
    FROM changed
    ON CONFLICT (lead_id, model_id) DO UPDATE SET
        version_id = excluded.version_id, attribute = excluded.attribute, behaviour = excluded.behaviour,
        total = excluded.total, matched = excluded.matched,
        at = CASE WHEN (lead_score.attribute, lead_score.behaviour) = (excluded.attribute, excluded.behaviour)
                  THEN lead_score.at ELSE excluded.at END
),
told AS (
    SELECT lead_id, %(score_changed)s::smallint AS kind, total, attribute, behaviour, coalesce(old_total, 0) AS old_total,
           %(quiet)s::boolean AS quiet
    FROM changed
    WHERE (attribute, behaviour) IS DISTINCT FROM (coalesce(old_attribute, 0), coalesce(old_behaviour, 0))
       OR was_over <> is_over
    UNION ALL
    SELECT lead_id, %(score_crossed)s::smallint, total, attribute, behaviour, coalesce(old_total, 0),
           %(quiet)s::boolean AND old_total IS NULL
    FROM changed WHERE is_over AND NOT was_over
),
caused AS (
    INSERT INTO fact (lead_id, at, kind, object_id, amount, details, hop, quiet)
    SELECT c.lead_id, %(now)s::timestamptz, c.kind, %(version_id)s::bigint, c.total,
           jsonb_build_object('attribute', c.attribute, 'behaviour', c.behaviour, 'from', c.old_total),
           coalesce(t.hop + 1, 0), c.quiet
    FROM told c
    LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) t USING (lead_id)
    WHERE NOT c.quiet OR c.kind = ANY(%(told)s::smallint[])
)
SELECT count(*) AS changed FROM changed;

-- name: preview
-- How many known leads reach each total under a set of rules that is not in force, among all or a sample (`among`).
-- Grain: one row per total.
-- slot among: true
-- slot rules: SELECT 0::bigint AS lead_id, ''::text AS key, ''::text AS side, ''::text AS band, 0 AS points
WITH best AS (
    SELECT DISTINCT ON (lead_id, side, band) lead_id, side, points
    FROM ({rules}) r
    ORDER BY lead_id, side, band, points DESC
),
summed AS (
    SELECT lead_id,
           greatest(least(coalesce(sum(points) FILTER (WHERE side = 'attribute'), 0), %(attribute_max)s::int), 0)
           + greatest(least(coalesce(sum(points) FILTER (WHERE side = 'behaviour'), 0), %(behaviour_max)s::int), 0) AS total
    FROM best GROUP BY lead_id
)
SELECT coalesce(s.total, 0)::int AS total, count(*) AS leads,
       count(*) FILTER (WHERE o.total >= v.threshold) AS over_now
FROM lead l
LEFT JOIN summed s ON s.lead_id = l.lead_id
LEFT JOIN lead_score o ON o.lead_id = l.lead_id AND o.model_id = %(model_id)s::bigint
LEFT JOIN score_version v ON v.id = o.version_id
WHERE {known_lead} AND {among}
GROUP BY 1 ORDER BY 1;

-- name: distribution
-- How many leads have each total now. Grain: one row per total. Index: lead_score_total.
SELECT s.total::int AS total, count(*) AS leads FROM lead_score s
WHERE s.model_id = %(model_id)s::bigint GROUP BY 1 ORDER BY 1;

-- name: built
UPDATE score_version SET built_at = %(now)s::timestamptz WHERE id = %(version_id)s::bigint;

-- name: model_name
SELECT name FROM score_model WHERE id = %(model_id)s::bigint;

-- name: score_of
-- One lead's points in a model (NULL: the oldest).
SELECT s.*, v.threshold FROM lead_score s JOIN score_version v ON v.id = s.version_id
WHERE s.lead_id = %(lead_id)s::bigint
  AND s.model_id = coalesce(%(model_id)s::bigint, {primary_score_model});

-- name: has_model
SELECT EXISTS (SELECT 1 FROM score_model);
