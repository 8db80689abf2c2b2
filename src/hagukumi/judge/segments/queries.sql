-- name: waiting
-- The definitions that somebody is due for or was missed by while they were built. Grain: one row per owner, definition
-- and reason. Index: condition_due_at, by a range for each owner.
SELECT DISTINCT owner, object_id, true AS due FROM condition_due WHERE owner = 'segment' AND due_at <= %(now)s::timestamptz
UNION ALL
SELECT DISTINCT owner, object_id, true FROM condition_due WHERE owner = 'score' AND due_at <= %(now)s::timestamptz
UNION ALL
SELECT DISTINCT owner, object_id, true FROM condition_due WHERE owner = 'phase' AND due_at <= %(now)s::timestamptz
UNION ALL
SELECT DISTINCT owner, object_id, false FROM build_missed;

-- name: concerned
-- Which definitions the facts of this beat concern: {asked} yields ids by tests on the CTE `seen` (kind, object_id).
-- slot asked: SELECT 0::bigint AS id WHERE EXISTS (SELECT 1 FROM seen)
WITH seen AS MATERIALIZED (SELECT DISTINCT kind, object_id FROM touched)
SELECT id FROM ({asked}) a;

-- name: refresh
-- Brings one segment's members in line for the leads of `scope`, and puts a fact per change into `fact`.
-- Who leaves and was let in by a build keeps the time in `segment_past`.
-- Grain: one fact per lead that entered or left. Index: segment_member's keys. A second run with the same facts and the
-- same now changes nothing.
-- slot scope: SELECT lead_id FROM touched
-- slot members: SELECT lead_id FROM scope
WITH scope AS MATERIALIZED ({scope}),
holds AS MATERIALIZED ({members}),
gone AS (
    DELETE FROM segment_member
    WHERE segment_id = %(segment_id)s::bigint
      AND lead_id = ANY(ARRAY(SELECT lead_id FROM scope EXCEPT SELECT lead_id FROM holds))
    RETURNING lead_id, since, operation_id
),
past AS (
    INSERT INTO segment_past (lead_id, segment_id, since, until, entered_by)
    SELECT lead_id, %(segment_id)s::bigint, since, %(now)s::timestamptz, operation_id FROM gone
    WHERE operation_id IS NOT NULL
    ON CONFLICT DO NOTHING
),
come AS (
    INSERT INTO segment_member (lead_id, segment_id, since)
    SELECT lead_id, %(segment_id)s::bigint, %(now)s::timestamptz FROM holds
    ON CONFLICT (lead_id, segment_id) DO NOTHING
    RETURNING lead_id
)
INSERT INTO fact (lead_id, at, kind, object_id, hop)
SELECT c.lead_id, %(now)s::timestamptz, c.kind, %(segment_id)s::bigint, coalesce(t.hop + 1, 0)
FROM (
    SELECT lead_id, %(entered)s::smallint AS kind FROM come
    UNION ALL
    SELECT lead_id, %(left)s::smallint FROM gone
) c
LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) t USING (lead_id);

-- name: build
-- Makes `members` the members of a segment, as one operation: no fact a lead. Who leaves keeps the time in
-- `segment_past`. Quiet rows go into `fact` where somebody reads them (%(told)s: kinds). One row: how many came and went.
-- slot members: SELECT lead_id FROM touched
WITH holds AS MATERIALIZED ({members}),
gone AS (
    DELETE FROM segment_member m
    WHERE m.segment_id = %(segment_id)s::bigint AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.lead_id = m.lead_id)
    RETURNING m.lead_id, m.since, m.operation_id
),
past AS (
    INSERT INTO segment_past (lead_id, segment_id, since, until, entered_by, left_by)
    SELECT lead_id, %(segment_id)s::bigint, since, %(now)s::timestamptz, operation_id, %(operation_id)s::bigint FROM gone
    ON CONFLICT DO NOTHING
),
come AS (
    INSERT INTO segment_member (lead_id, segment_id, since, operation_id)
    SELECT lead_id, %(segment_id)s::bigint, %(now)s::timestamptz, %(operation_id)s::bigint FROM holds
    ON CONFLICT (lead_id, segment_id) DO NOTHING
    RETURNING lead_id
),
told AS (
    INSERT INTO fact (lead_id, at, kind, object_id, quiet)
    SELECT lead_id, %(now)s::timestamptz, kind, %(segment_id)s::bigint, true
    FROM (
        SELECT lead_id, %(entered)s::smallint AS kind FROM come
        UNION ALL
        SELECT lead_id, %(left)s::smallint FROM gone
    ) c
    WHERE kind = ANY(%(told)s::smallint[])
)
SELECT (SELECT count(*) FROM come) AS entered, (SELECT count(*) FROM gone) AS left;

-- name: keep_dues
-- Sees that nobody of the pairs (lead_id, object_id) of `scope` is asked again too late when time alone may change the
-- answers of the owner's definitions. `among`: those of them that may have a due time at all; `dues` yields (lead_id,
-- object_id, due_at).
-- A due time may be early, never late: one that is only put off (each page view puts off "90 days without an act") stays
-- as it is, and whoever is then asked in vain gets the new one. Else every act would write a row for every definition.
-- Grain: one row per (lead, owner, object). Index: condition_due's key; the owner wears `|| ''` so that no other serves.
-- slot scope: SELECT lead_id, 0::bigint AS object_id FROM touched
-- slot among: SELECT lead_id, object_id FROM scope
-- slot dues: SELECT lead_id, object_id, NULL::timestamptz AS due_at FROM among WHERE false
WITH scope AS MATERIALIZED ({scope}),
among AS MATERIALIZED ({among}),
next AS MATERIALIZED (SELECT lead_id, object_id, min(due_at) AS due_at FROM ({dues}) d GROUP BY lead_id, object_id),
kept AS MATERIALIZED (
    SELECT lead_id, object_id, due_at FROM condition_due
    WHERE owner || '' = %(owner)s AND lead_id = ANY(ARRAY(SELECT lead_id FROM scope))
),
over AS MATERIALIZED (
    SELECT lead_id, object_id FROM (
        SELECT lead_id, object_id FROM scope
        INTERSECT SELECT lead_id, object_id FROM kept WHERE due_at <= %(now)s::timestamptz
    ) past
    EXCEPT SELECT lead_id, object_id FROM next
),
gone AS (
    DELETE FROM condition_due c
    USING over o
    WHERE c.owner || '' = %(owner)s AND c.lead_id = ANY(ARRAY(SELECT lead_id FROM over))
      AND c.lead_id = o.lead_id AND c.object_id = o.object_id
)
INSERT INTO condition_due (lead_id, owner, object_id, due_at)
SELECT n.lead_id, %(owner)s, n.object_id, n.due_at
FROM next n LEFT JOIN kept k ON k.lead_id = n.lead_id AND k.object_id = n.object_id
WHERE k.lead_id IS NULL OR k.due_at <= %(now)s::timestamptz OR n.due_at < k.due_at
ON CONFLICT (lead_id, owner, object_id) DO UPDATE SET due_at = excluded.due_at;

-- name: rebuild_dues
-- As keep_dues for a build: the due times of the definitions %(object_ids)s for everybody, from `dues`, of the pairs
-- `among` (lead_id, object_id) where given.
-- slot among: SELECT 0::bigint AS lead_id, 0::bigint AS object_id WHERE false
-- slot dues: SELECT 0::bigint AS lead_id, 0::bigint AS object_id, NULL::timestamptz AS due_at WHERE false
WITH among AS MATERIALIZED ({among}),
next AS MATERIALIZED (SELECT lead_id, object_id, min(due_at) AS due_at FROM ({dues}) d GROUP BY lead_id, object_id),
gone AS (
    DELETE FROM condition_due c
    WHERE c.owner = %(owner)s AND c.object_id = ANY(%(object_ids)s::bigint[])
      AND NOT EXISTS (SELECT 1 FROM next n WHERE n.lead_id = c.lead_id AND n.object_id = c.object_id)
)
INSERT INTO condition_due (lead_id, owner, object_id, due_at)
SELECT lead_id, %(owner)s, object_id, due_at FROM next
ON CONFLICT (lead_id, owner, object_id) DO UPDATE SET due_at = excluded.due_at
WHERE condition_due.due_at <> excluded.due_at;

-- name: forget
-- Removes the members of an archived segment, with a fact for each.
WITH gone AS (
    DELETE FROM segment_member WHERE segment_id = %(segment_id)s::bigint RETURNING lead_id, since, operation_id
),
past AS (
    INSERT INTO segment_past (lead_id, segment_id, since, until, entered_by)
    SELECT lead_id, %(segment_id)s::bigint, since, %(now)s::timestamptz, operation_id FROM gone
    WHERE operation_id IS NOT NULL
    ON CONFLICT DO NOTHING
)
INSERT INTO fact (lead_id, at, kind, object_id)
SELECT lead_id, %(now)s::timestamptz, %(left)s::smallint, %(segment_id)s::bigint FROM gone;

-- name: forget_dues
DELETE FROM condition_due WHERE owner = %(owner)s AND object_id = %(object_id)s::bigint;

-- name: built
UPDATE segment SET built_at = %(now)s::timestamptz WHERE id = %(segment_id)s::bigint;

-- name: members_at
-- every act: of what the house concluded, no machine has a part
-- The segments that a lead was a member of at an instant: from what is, from what the ledger says, from what builds did.
-- Index: the keys (lead_id first). Of what began and ended within one instant nothing is told.
WITH moves AS (
    SELECT segment_id, since AS at, true AS inside FROM segment_member WHERE lead_id = %(lead_id)s::bigint
    UNION
    SELECT segment_id, since, true FROM segment_past WHERE lead_id = %(lead_id)s::bigint
    UNION
    SELECT segment_id, until, false FROM segment_past WHERE lead_id = %(lead_id)s::bigint
    UNION
    SELECT object_id, at, kind = %(entered)s::smallint FROM activity
    WHERE lead_id = %(lead_id)s::bigint AND at <= %(at)s::timestamptz
      AND kind IN (%(entered)s::smallint, %(left)s::smallint)
)
SELECT segment_id FROM (
    SELECT DISTINCT ON (segment_id) segment_id, inside FROM moves WHERE at <= %(at)s::timestamptz
    ORDER BY segment_id, at DESC, inside DESC
) last WHERE inside ORDER BY segment_id;

-- name: lead_estimate
-- The planner's row count of `lead`, 0 where it was never analysed.
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'lead'::regclass;

-- name: count_members
-- How many leads a composed condition holds for.
-- slot members: SELECT 0::bigint AS lead_id
SELECT count(*) FROM ({members}) m;

-- name: answers
-- One row: the truth of each composed test (`tests`: "... AS c0, ... AS c1") for one lead; none where the lead is gone.
-- slot tests: true AS c0
SELECT {tests} FROM lead l WHERE l.lead_id = %(lead_id)s::bigint;

-- name: acts_of
-- every act: the leaf's own test says whose acts it counts
-- The three latest acts of one lead that a leaf counts. Index: activity_lead_at.
-- slot acts: true
-- slot window: true
SELECT a.kind, a.object_id, a.at FROM activity a
WHERE a.lead_id = %(lead_id)s::bigint AND {acts} AND {window}
ORDER BY a.at DESC, a.id DESC LIMIT 3;

-- name: in_use
-- Whether the segment exists and is not archived.
SELECT EXISTS (SELECT 1 FROM segment WHERE id = %(id)s::bigint AND archived_at IS NULL);

-- name: own_field
SELECT type, label_ja, label_en FROM field WHERE key = %(key)s;

-- name: staff_name
SELECT name FROM staff WHERE id = %(id)s::bigint;

-- name: lead_values
SELECT to_jsonb(l) AS lead, l.known_at FROM lead l WHERE l.lead_id = %(lead_id)s::bigint;

-- name: lead_company
SELECT c.name, c.industry, c.sales_yen, c.prefecture FROM lead l JOIN company c ON c.id = l.company_id
WHERE l.lead_id = %(lead_id)s::bigint;

-- name: lead_consent
SELECT at, granted FROM consent_now WHERE lead_id = %(lead_id)s::bigint AND channel = 'email';

-- name: member_since
SELECT since FROM segment_member WHERE lead_id = %(lead_id)s::bigint AND segment_id = %(segment_id)s::bigint;

-- name: member_counts
-- How many members each segment has. Index: segment_member_segment.
SELECT segment_id, count(*) AS members FROM segment_member GROUP BY segment_id;

-- name: member_page
-- A page of members, newest first, after the keyset (since, lead_id). Grain: one row per member.
SELECT m.lead_id, m.since, l.last_name, l.first_name, l.email, l.department, l.title,
       coalesce(c.name, l.company_name) AS company
FROM segment_member m
JOIN lead l ON l.lead_id = m.lead_id
LEFT JOIN company c ON c.id = l.company_id
WHERE m.segment_id = %(segment_id)s::bigint
  AND (%(since)s::timestamptz IS NULL OR (m.since, m.lead_id) < (%(since)s::timestamptz, %(after)s::bigint))
ORDER BY m.since DESC, m.lead_id DESC LIMIT %(limit)s::int;

-- name: offered
-- Segments in use, by name: what a condition may name.
SELECT id, name FROM segment WHERE archived_at IS NULL ORDER BY name, id;
