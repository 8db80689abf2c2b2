-- name: open_beat_tables
-- This session's temporary tables, emptied when a beat begins: emptying at commit (ON COMMIT DELETE ROWS) would cut every
-- such table's files at each commit, which costs an idle beat more than all its questions.
-- `touched`: one row per pulse of this beat. `fact`: one row per fact that a step has caused and that `record_facts` will
-- write, which empties it. `act`: what those did whom the beat asks about (`gathered`), read from the ledger once;
-- `act_ahead`: what a skewed clock has dated after the beat's now (next to nothing, but asked by every condition).
CREATE TEMP TABLE IF NOT EXISTS touched (
    lead_id bigint NOT NULL, kind smallint NOT NULL, object_id bigint, at timestamptz NOT NULL, hop smallint NOT NULL,
    lane smallint NOT NULL DEFAULT 0, is_fact boolean NOT NULL DEFAULT true
);
CREATE TEMP TABLE IF NOT EXISTS fact (
    lead_id bigint NOT NULL, at timestamptz NOT NULL, kind smallint NOT NULL, object_id bigint, amount real,
    details jsonb, hop smallint NOT NULL DEFAULT 0, quiet boolean NOT NULL DEFAULT false
);
CREATE TEMP TABLE IF NOT EXISTS gathered (lead_id bigint PRIMARY KEY);
CREATE TEMP TABLE IF NOT EXISTS act (
    lead_id bigint NOT NULL, at timestamptz NOT NULL, id bigint NOT NULL, kind smallint NOT NULL, object_id bigint,
    amount real, details jsonb
);
CREATE TEMP TABLE IF NOT EXISTS act_ahead (LIKE act);

-- name: cut_acts
TRUNCATE gathered, act, act_ahead;

-- name: clear_acts
WITH people AS (DELETE FROM gathered), ahead AS (DELETE FROM act_ahead) DELETE FROM act;

-- name: ungathered
-- Whether somebody of {leads} is not in `gathered` yet.
-- slot leads: SELECT lead_id FROM touched
SELECT EXISTS (SELECT lead_id FROM ({leads}) l EXCEPT SELECT lead_id FROM gathered);

-- name: gather
-- every act: the questions that read `act` tell people's from machines'
-- Copies the acts of these kinds of those of {leads} who are not gathered yet. Index: activity_lead_at, by its leads.
-- slot leads: SELECT lead_id FROM touched
WITH new AS (
    INSERT INTO gathered SELECT lead_id FROM ({leads}) l EXCEPT SELECT lead_id FROM gathered RETURNING lead_id
),
ahead AS (
    INSERT INTO act_ahead (lead_id, at, id, kind, object_id, amount, details)
    SELECT lead_id, at, id, kind, object_id, amount, details FROM activity
    WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM new)) AND kind = ANY(%(kinds)s::smallint[])
      AND at > %(now)s::timestamptz
)
INSERT INTO act (lead_id, at, id, kind, object_id, amount, details)
SELECT lead_id, at, id, kind, object_id, amount, details FROM activity
WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM new)) AND kind = ANY(%(kinds)s::smallint[])
  AND at <= %(now)s::timestamptz;

-- name: grown_tables
-- This session's temporary tables that dead rows have made larger than a megabyte.
SELECT relname FROM pg_class
WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND pg_relation_size(oid) > 1048576;

-- name: analyze_touched
ANALYZE touched;

-- name: take_pulses
-- Moves the oldest pulses into `touched`: at most %(batch)s of the live lane and %(room)s of the bulk lane.
-- Pulses are a flow table: SKIP LOCKED is allowed. Rows are found once, by index, and taken by their place (ctid).
WITH taken AS (
    DELETE FROM pulse WHERE ctid = ANY(
        ARRAY(SELECT ctid FROM pulse WHERE lane = 0 ORDER BY id LIMIT %(batch)s::int FOR UPDATE SKIP LOCKED)
        || ARRAY(SELECT ctid FROM pulse WHERE lane = 1 ORDER BY id LIMIT %(room)s::int FOR UPDATE SKIP LOCKED)
    )
    RETURNING lead_id, kind, object_id, at, hop, lane, is_fact
)
INSERT INTO touched SELECT lead_id, kind, object_id, at, hop, lane, is_fact FROM taken;

-- name: plan_by_index
-- Nor by bitmap: that is how the ledger's BRIN index is read, and it is a scan of the month by another name.
SELECT set_config('enable_nestloop', %(onoff)s, true), set_config('enable_seqscan', %(onoff)s, true),
       set_config('enable_bitmapscan', %(onoff)s, true);

-- name: plan_by_hash
SELECT set_config('enable_nestloop', %(onoff)s, true);

-- name: taken_bulk
SELECT count(*) FROM touched WHERE lane = 1;

-- name: drop_unread
-- Drops from `touched` what nobody reads: {read} is a test on kind and object_id.
-- slot read: true
DELETE FROM touched WHERE NOT coalesce({read}, false);

-- name: clear_touched
DELETE FROM touched;

-- name: ensure_range
-- Makes the ledger's monthly partitions between two instants. Idempotent; costs one catalogue probe a month.
SELECT ensure_activity_months(%(first)s::timestamptz, %(last)s::timestamptz);

-- name: record_facts
-- Writes every row of `fact` to the ledger and, up to %(max_hop)s, a pulse for the next beat. Empties `fact`.
-- %(lane)s: 0 live, 1 bulk, 2 that of what caused it: live where a live fact of the same lead is being thought about.
-- A quiet row (the outcome of a build) is no fact of the ledger: it only has its readers asked, as bulk work.
WITH moved AS (DELETE FROM fact RETURNING *),
written AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, details)
    SELECT lead_id, at, nextval('activity_id_seq'), kind, object_id, amount, details
    FROM moved WHERE NOT quiet
)
INSERT INTO pulse (lead_id, kind, object_id, at, hop, lane, is_fact)
SELECT lead_id, kind, object_id, at, hop,
       CASE WHEN quiet THEN 1
            WHEN %(lane)s::smallint < 2 THEN %(lane)s::smallint
            WHEN lead_id IN (SELECT lead_id FROM touched WHERE lane = 0) THEN 0 ELSE 1 END,
       NOT quiet
FROM moved WHERE hop <= %(max_hop)s::int;

-- name: pending
-- What waits in `fact`: how many, and how many are past the hop limit (they are kept in the ledger, but nothing more
-- follows from them). Makes the months that they fall into. No row: nothing waits.
SELECT count(*) AS facts, count(*) FILTER (WHERE hop > %(max_hop)s::int) AS past_hop,
       ensure_activity_months(min(at), max(at))
FROM fact HAVING count(*) > 0;

-- name: ask_again
-- A pulse without a fact for each lead of {leads}: what is read of them elsewhere has changed. Bulk work.
-- slot leads: SELECT NULL::bigint AS lead_id WHERE false
INSERT INTO pulse (lead_id, kind, at, hop, lane, is_fact)
SELECT lead_id, %(kind)s::smallint, %(now)s::timestamptz, 0, 1, false FROM ({leads}) l;

-- name: judge
-- Writes the verdicts of {verdicts} on acts of the ledger, with a pulse for each that says something new: at the instant
-- of the act, so that its day is counted anew and what stood on it is asked again. What staff have said stays until they
-- say otherwise, also where they say it in this moment. Index: activity_lead_at. Idempotent.
-- slot verdicts: SELECT NULL::bigint AS lead_id, NULL::timestamptz AS at, NULL::bigint AS id, '' AS by, '' AS why WHERE false
WITH judged AS (
    UPDATE activity a SET details = coalesce(a.details, '{}') || jsonb_build_object('by', v.by, 'why', v.why)
    FROM ({verdicts}) v
    WHERE a.lead_id = v.lead_id AND a.at = v.at AND a.id = v.id
      AND (a.details ->> 'by', a.details ->> 'why') IS DISTINCT FROM (v.by, v.why)
      AND (v.why = 'staff' OR a.details ->> 'why' IS DISTINCT FROM 'staff')
    RETURNING a.lead_id, a.kind, a.object_id, a.at
)
INSERT INTO pulse (lead_id, kind, object_id, at, is_fact) SELECT lead_id, kind, object_id, at, false FROM judged;

-- name: record
-- Writes arrays of equal length to the ledger, one fact each, with their pulses in the lane %(lane)s.
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(
        %(lead_ids)s::bigint[], %(ats)s::timestamptz[], %(kinds)s::smallint[], %(object_ids)s::bigint[],
        %(amounts)s::real[], %(details)s::jsonb[]
    ) AS t (lead_id, at, kind, object_id, amount, details)
),
written AS (
    INSERT INTO activity (lead_id, at, id, kind, object_id, amount, details)
    SELECT lead_id, at, nextval('activity_id_seq'), kind, object_id, amount, details FROM told
)
INSERT INTO pulse (lead_id, kind, object_id, at, hop, lane, is_fact)
SELECT lead_id, kind, object_id, at, 0, %(lane)s::smallint, true FROM told;

-- name: read_pairs
-- Which of the pairs (kind, object) somebody reads: {read} is a test on kind and object_id.
-- slot read: true
SELECT kind, object_id FROM unnest(%(kinds)s::smallint[], %(object_ids)s::bigint[]) AS f (kind, object_id) WHERE {read};

-- name: unbuilt
-- The definitions to be built (step, owner, id) of {asked}, without those set aside.
-- slot asked: SELECT ''::text AS step, ''::text AS owner, 0::bigint AS id WHERE false
SELECT a.step, a.id FROM ({asked}) a
LEFT JOIN set_aside s ON s.owner = a.owner AND s.object_id = a.id AND s.resting
WHERE s.owner IS NULL ORDER BY a.id;

-- name: open_operation
INSERT INTO operation (kind, owner, object_id, at) VALUES ('build', %(owner)s, %(object_id)s::bigint, %(now)s::timestamptz)
RETURNING id;

-- name: close_operation
UPDATE operation SET ended_at = %(now)s::timestamptz, entered = %(entered)s::bigint, "left" = %(left)s::bigint
WHERE id = %(id)s::bigint AND ended_at IS NULL;

-- name: drop_open_operations
DELETE FROM operation WHERE owner = %(owner)s AND object_id = ANY(%(object_ids)s::bigint[]) AND ended_at IS NULL;

-- name: open_operations
SELECT owner, object_id FROM operation WHERE ended_at IS NULL;

-- name: note_missed
-- Those whom facts of this beat concern ({concerned}: a test on kind and object_id), for a definition being built.
-- slot concerned: true
INSERT INTO build_missed (owner, object_id, lead_id)
SELECT DISTINCT %(owner)s, %(object_id)s::bigint, lead_id FROM touched WHERE {concerned}
ON CONFLICT DO NOTHING;

-- name: asked_missed
-- Forgets the first %(limit)s noted for a definition.
DELETE FROM build_missed WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM build_missed WHERE owner = %(owner)s AND object_id = %(object_id)s::bigint
    ORDER BY lead_id LIMIT %(limit)s::int
));

-- name: forget_missed
DELETE FROM build_missed WHERE owner = %(owner)s AND object_id = ANY(%(object_ids)s::bigint[]);

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

-- name: all_set_aside
-- The table holds what is broken: a handful.
SELECT owner, object_id, error, resting FROM set_aside ORDER BY owner, object_id;

-- name: rested
-- Ends the rest of those whose time has come; one row per definition. The table holds what is broken: a handful.
UPDATE set_aside SET resting = false WHERE resting AND retry_at <= %(now)s::timestamptz RETURNING owner, object_id;

-- name: end_rest
UPDATE set_aside SET retry_at = '-infinity' WHERE owner = %(owner)s AND object_id = %(object_id)s::bigint AND resting;

-- name: touched_kinds
SELECT DISTINCT kind FROM touched ORDER BY kind;

-- name: backlog
-- Seconds since the oldest waiting live pulse happened, and how many wait in all (capped at 100,000 for cost).
SELECT (SELECT count(*) FROM (SELECT 1 FROM pulse LIMIT 100000) p) AS waiting,
       coalesce(extract(epoch FROM %(now)s::timestamptz - (SELECT at FROM pulse WHERE lane = 0 ORDER BY id LIMIT 1)), 0)
           AS lag_seconds;

-- name: try_heart_lock
SELECT pg_try_advisory_lock(%(key)s::bigint);
