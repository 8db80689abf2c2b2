-- name: drops_by_day
-- One row per JST day and reason since %(first)s.
SELECT day, reason, count FROM dropped WHERE day >= %(first)s::date ORDER BY day, reason;

-- name: pages
-- One row per page, by views in the days since %(first)s (rollup), keyset by (views, id). `q` is part of address or title.
SELECT * FROM (
    SELECT page.id, page.url, page.title, page.category, coalesce(sum(d.count), 0)::bigint AS views,
           coalesce(sum(d.leads), 0)::bigint AS people
    FROM page LEFT JOIN activity_day d ON d.kind = %(view)s::smallint AND d.object_id = page.id AND d.day >= %(first)s::date
    WHERE (%(q)s::text = '' OR strpos(lower(page.url), lower(%(q)s::text)) > 0 OR strpos(lower(page.title), lower(%(q)s::text)) > 0)
      AND (%(category)s::text = '' OR page.category = %(category)s::text)
    GROUP BY page.id
) counted
WHERE %(after_id)s::bigint IS NULL OR (views, id) < (%(after_views)s::bigint, %(after_id)s::bigint)
ORDER BY views DESC, id DESC LIMIT %(limit)s::int;

-- name: views_by_day
-- One row per JST day since %(first)s: page views in the rollup.
SELECT day, sum(count)::bigint AS views FROM activity_day
WHERE kind = %(view)s::smallint AND day >= %(first)s::date GROUP BY day ORDER BY day;

-- name: alive
-- every act: whether the tag is heard
-- What the tags said in the last minutes: page views and people since %(since)s, by site origin. Index: activity_at.
SELECT substring(lower(page.url) FROM '^https?://[^/?]+') AS origin, count(*) AS views, count(DISTINCT a.lead_id) AS people
FROM activity a JOIN page ON page.id = a.object_id
WHERE a.kind = %(view)s::smallint AND a.at >= %(since)s::timestamptz GROUP BY 1;
