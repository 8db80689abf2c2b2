-- name: funnel
-- People of the cohort (became known in [first, last), of a source if given) who have reached each stage or a later one
-- by %(until)s. One row per stage position, 0 = all. Stage of a fact = %(stages)s beside %(kinds)s.
WITH cohort AS (
    SELECT lead_id FROM lead
    WHERE known_at >= %(first)s::timestamptz AND known_at < %(last)s::timestamptz AND merged_into IS NULL
      AND (%(source_id)s::bigint IS NULL OR source_id = %(source_id)s::bigint)
),
meaning AS (SELECT * FROM unnest(%(kinds)s::smallint[], %(stages)s::smallint[]) AS m (kind, stage)),
reached AS (
    SELECT a.lead_id, max(m.stage) AS stage
    FROM activity a JOIN meaning m USING (kind)
    WHERE a.lead_id IN (SELECT lead_id FROM cohort) AND a.at < %(until)s::timestamptz
      AND {by_a_person}
    GROUP BY a.lead_id
)
SELECT position, count(*) FILTER (WHERE coalesce(r.stage, 0) >= position) AS people
FROM generate_series(0, %(top)s::int) AS position
LEFT JOIN (SELECT c.lead_id, r.stage FROM cohort c LEFT JOIN reached r USING (lead_id)) r ON true
WHERE r.lead_id IS NOT NULL
GROUP BY position
ORDER BY position;

-- name: happened
-- What happened in [first, last): facts and people per kind, whoever the people are. One row per kind.
SELECT a.kind, count(*) AS facts, count(DISTINCT a.lead_id) AS people, coalesce(sum(a.amount), 0)::float8 AS amount
FROM activity a JOIN lead l USING (lead_id)
WHERE a.kind = ANY (%(kinds)s::smallint[]) AND a.at >= %(first)s::timestamptz AND a.at < %(last)s::timestamptz
  AND {by_a_person} AND (%(source_id)s::bigint IS NULL OR l.source_id = %(source_id)s::bigint)
GROUP BY a.kind;

-- name: source_yield
-- Per source: its leads that became known in [first, last) and how many of them reached MQL, SQL, deal, won, with yen won.
WITH cohort AS (
    SELECT lead_id, source_id FROM lead
    WHERE known_at >= %(first)s::timestamptz AND known_at < %(last)s::timestamptz AND merged_into IS NULL
),
reached AS (
    SELECT a.lead_id,
           bool_or(a.kind = ANY (%(mql)s::smallint[])) AS mql, bool_or(a.kind = ANY (%(sql)s::smallint[])) AS sql,
           bool_or(a.kind = ANY (%(deal)s::smallint[])) AS deal, bool_or(a.kind = %(won)s::smallint) AS won,
           coalesce(sum(a.amount) FILTER (WHERE a.kind = %(won)s::smallint), 0)::bigint AS yen
    FROM activity a
    WHERE a.kind = ANY (%(mql)s::smallint[]) AND a.lead_id IN (SELECT lead_id FROM cohort) AND {by_a_person}
    GROUP BY a.lead_id
)
SELECT s.id, s.name, s.type, s.date, s.cost_yen, count(c.lead_id) AS leads,
       count(*) FILTER (WHERE r.mql) AS mql, count(*) FILTER (WHERE r.sql) AS sql,
       count(*) FILTER (WHERE r.deal) AS deals, count(*) FILTER (WHERE r.won) AS won,
       coalesce(sum(r.yen), 0)::bigint AS won_yen
FROM source s JOIN cohort c ON c.source_id = s.id LEFT JOIN reached r ON r.lead_id = c.lead_id
GROUP BY s.id
ORDER BY won_yen DESC, leads DESC, s.id;

-- name: monthly
-- every act: kinds that staff bring about
-- Per JST month of [first, last): new leads, handovers, deals opened, deals won, yen won. One row per month, gaps as 0.
WITH months AS (
    SELECT generate_series(date_trunc('month', %(first)s::timestamptz AT TIME ZONE 'Asia/Tokyo'),
                           (%(last)s::timestamptz AT TIME ZONE 'Asia/Tokyo') - interval '1 second',
                           interval '1 month') AS month
),
facts AS (
    SELECT date_trunc('month', at AT TIME ZONE 'Asia/Tokyo') AS month, kind, count(*) AS n, sum(amount)::bigint AS yen
    FROM activity
    WHERE kind = ANY (%(kinds)s::smallint[]) AND at >= %(first)s::timestamptz AND at < %(last)s::timestamptz
    GROUP BY 1, 2
)
SELECT m.month::date AS month,
       coalesce(sum(f.n) FILTER (WHERE f.kind = %(created)s::smallint), 0)::int AS leads,
       coalesce(sum(f.n) FILTER (WHERE f.kind = %(mql)s::smallint), 0)::int AS mql,
       coalesce(sum(f.n) FILTER (WHERE f.kind = %(deal)s::smallint), 0)::int AS deals,
       coalesce(sum(f.n) FILTER (WHERE f.kind = %(won)s::smallint), 0)::int AS won,
       coalesce(sum(f.yen) FILTER (WHERE f.kind = %(won)s::smallint), 0)::bigint AS won_yen
FROM months m LEFT JOIN facts f USING (month)
GROUP BY m.month
ORDER BY m.month;
