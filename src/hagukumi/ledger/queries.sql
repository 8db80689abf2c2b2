-- name: open_touched
-- One row per pulse of this beat. Session-long, emptied when a beat begins: emptying at commit (ON COMMIT DELETE ROWS)
-- would cut every such table's files at each commit, which costs an idle beat more than all its questions.
CREATE TEMP TABLE IF NOT EXISTS touched (
    lead_id bigint NOT NULL, kind smallint NOT NULL, object_id bigint, at timestamptz NOT NULL, hop smallint NOT NULL
);

-- name: open_fact
-- One row per fact that a step has caused and that `record_facts` will write, which empties it.
CREATE TEMP TABLE IF NOT EXISTS fact (
    lead_id bigint NOT NULL, at timestamptz NOT NULL, kind smallint NOT NULL, object_id bigint, amount real,
    channel smallint, details jsonb, hop smallint NOT NULL DEFAULT 0
);

-- name: grown_tables
-- This session's temporary tables that dead rows have made larger than a megabyte.
SELECT relname FROM pg_class
WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND pg_relation_size(oid) > 1048576;

-- name: analyze_touched
ANALYZE touched;

-- name: take_pulses
-- Moves at most %(batch)s of the oldest pulses into `touched`. Pulses are a flow table: SKIP LOCKED is allowed.
WITH taken AS (
    DELETE FROM pulse
    WHERE id = ANY(ARRAY(SELECT id FROM pulse ORDER BY id LIMIT %(batch)s::int FOR UPDATE SKIP LOCKED))
    RETURNING lead_id, kind, object_id, at, hop
)
INSERT INTO touched SELECT lead_id, kind, object_id, at, hop FROM taken;

-- name: clear_touched
DELETE FROM touched;

-- name: ensure_range
-- Makes the ledger's monthly partitions between two instants. Idempotent; costs one catalogue probe a month.
SELECT ensure_activity_months(%(first)s::timestamptz, %(last)s::timestamptz);

-- name: record_facts
-- Writes every row of `fact` to the ledger and, up to %(max_hop)s, a pulse for the next beat. Empties `fact`.
WITH moved AS (DELETE FROM fact RETURNING *),
written AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, channel, details)
    SELECT lead_id, at, nextval('activity_id_seq'), kind, object_id, amount, channel, details FROM moved
)
INSERT INTO pulse (lead_id, kind, object_id, at, hop)
SELECT lead_id, kind, object_id, at, hop FROM moved WHERE hop <= %(max_hop)s::int;

-- name: pending
-- What waits in `fact`: its span of time, and how many are past the hop limit (they are kept in the ledger, but nothing
-- more follows from them). No row: nothing waits, which is what an idle beat hears from every step.
SELECT min(at) AS first, max(at) AS last, count(*) FILTER (WHERE hop > %(max_hop)s::int) AS past_hop
FROM fact HAVING count(*) > 0;

-- name: ask_again
-- A pulse without a fact for each lead of {leads}: what is read of them elsewhere has changed.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
INSERT INTO pulse (lead_id, kind, at, hop)
SELECT lead_id, %(kind)s::smallint, %(now)s::timestamptz, 0 FROM ({leads}) l;

-- name: judge
-- Writes the verdicts of {verdicts} on acts of the ledger, with a pulse for each that says something new: at the instant
-- of the act, so that its day is counted anew and what stood on it is asked again. What staff have said stays until they
-- say otherwise, also where they say it in this moment. Index: activity's key. Idempotent.
-- slot verdicts: SELECT NULL::bigint AS lead_id, NULL::timestamptz AS at, NULL::bigint AS id, '' AS by, '' AS why WHERE false
WITH judged AS (
    UPDATE activity a SET details = coalesce(a.details, '{}') || jsonb_build_object('by', v.by, 'why', v.why)
    FROM ({verdicts}) v
    WHERE a.lead_id = v.lead_id AND a.at = v.at AND a.id = v.id
      AND (a.details ->> 'by', a.details ->> 'why') IS DISTINCT FROM (v.by, v.why)
      AND (v.why = 'staff' OR a.details ->> 'why' IS DISTINCT FROM 'staff')
    RETURNING a.lead_id, a.kind, a.object_id, a.at
)
INSERT INTO pulse (lead_id, kind, object_id, at) SELECT lead_id, kind, object_id, at FROM judged;

-- name: add_facts
-- Puts arrays of equal length into `fact`, one row each.
INSERT INTO fact (lead_id, at, kind, object_id, amount, channel, details, hop)
SELECT * FROM unnest(
    %(lead_ids)s::bigint[], %(ats)s::timestamptz[], %(kinds)s::smallint[], %(object_ids)s::bigint[],
    %(amounts)s::real[], %(channels)s::smallint[], %(details)s::jsonb[], %(hops)s::smallint[]
);

-- name: set_aside
-- Leaves a definition out with its cause until %(now)s plus a rest that doubles with each try. One row: how many tries.
INSERT INTO set_aside AS s (owner, object_id, error, at, retry_at)
VALUES (%(owner)s, %(object_id)s::bigint, %(error)s, %(now)s::timestamptz,
        %(now)s::timestamptz + %(first_rest)s::interval)
ON CONFLICT (owner, object_id) DO UPDATE SET
    error = excluded.error, at = excluded.at, resting = true, tries = s.tries + 1,
    retry_at = %(now)s::timestamptz
               + least(%(first_rest)s::interval * power(2, least(s.tries, 20)), %(longest_rest)s::interval)
RETURNING tries;

-- name: reinstate
DELETE FROM set_aside WHERE owner = %(owner)s AND object_id = %(object_id)s::bigint;

-- name: set_aside_of
SELECT object_id, error, resting FROM set_aside WHERE owner = %(owner)s;

-- name: rested
-- Ends the rest of those whose time has come; one row per definition. The table holds what is broken: a handful.
UPDATE set_aside SET resting = false WHERE resting AND retry_at <= %(now)s::timestamptz RETURNING owner, object_id;

-- name: end_rest
UPDATE set_aside SET retry_at = '-infinity' WHERE owner = %(owner)s AND object_id = %(object_id)s::bigint AND resting;

-- name: touched_kinds
SELECT DISTINCT kind FROM touched ORDER BY kind;

-- name: backlog
-- Seconds since the oldest waiting pulse happened, and how many wait (capped at 100,000 for cost).
SELECT (SELECT count(*) FROM (SELECT 1 FROM pulse LIMIT 100000) p) AS waiting,
       coalesce(extract(epoch FROM %(now)s::timestamptz - (SELECT at FROM pulse ORDER BY id LIMIT 1)), 0) AS lag_seconds;

-- name: try_heart_lock
SELECT pg_try_advisory_lock(%(key)s::bigint);
