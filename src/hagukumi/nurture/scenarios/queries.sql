-- name: open_stepped
-- One row per person and leg of this beat: who moved. `hop`: that of the fact which caused it, plus one; 0 = time alone.
CREATE TEMP TABLE IF NOT EXISTS stepped (
    leg int NOT NULL, lead_id bigint NOT NULL, visit int NOT NULL, entered_at timestamptz NOT NULL, hop smallint NOT NULL
);

-- name: clear_stepped
DELETE FROM stepped;

-- name: live_versions
-- One row per version that may have work: those in force, and older ones that people are still on.
-- Cost: one probe of enrollment_due per version, whatever the number of people.
SELECT v.id AS version_id, v.scenario_id, s.name, s.state, s.version_id = v.id AS current, s.take_in_after
FROM scenario s
JOIN scenario_version v ON v.scenario_id = s.id
WHERE s.state IN ('running', 'paused', 'stopping')
  AND (s.version_id = v.id OR (
      SELECT e.lead_id FROM enrollment e WHERE e.version_id = v.id AND e.state = 'active' LIMIT 1
  ) IS NOT NULL)
ORDER BY v.id;

-- name: graphs
SELECT id AS version_id, graph FROM scenario_version WHERE id = ANY (%(version_ids)s::bigint[]);

-- name: due_nodes
-- Of the given (version, node) pairs, those at which somebody is due. One index probe each: enrollment_due.
SELECT n.version_id, n.node
FROM unnest(%(version_ids)s::bigint[], %(nodes)s::text[]) AS n (version_id, node)
CROSS JOIN LATERAL (
    SELECT e.due_at FROM enrollment e
    WHERE e.version_id = n.version_id AND e.node = n.node AND e.state = 'active' AND e.due_at <= %(now)s::timestamptz
    ORDER BY e.due_at LIMIT 1
) AS due;

-- name: cut_due
-- Where to cut so that at most %(limit)s people move: the (due_at, lead_id) of the last one. No row: everybody fits.
SELECT due_at, lead_id FROM enrollment
WHERE version_id = %(version_id)s::bigint AND node = %(node)s AND state = 'active' AND due_at <= %(now)s::timestamptz
ORDER BY due_at, lead_id OFFSET %(limit)s::int - 1 LIMIT 1;

-- name: move_due
-- Everybody due at a node, up to the cut, comes to stand at another; who moved goes to `stepped`.
-- Index: enrollment_due, as one range. Idempotent: whoever has left the node is not met again.
WITH moved AS (
    UPDATE enrollment
    SET node = %(target)s, node_since = %(now)s::timestamptz, due_at = %(target_due)s::timestamptz,
        state = %(state)s, ended_at = %(ended_at)s::timestamptz
    WHERE version_id = %(version_id)s::bigint AND node = %(node)s AND state = 'active'
      AND due_at <= %(cut_at)s::timestamptz
      AND (due_at, lead_id) <= (%(cut_at)s::timestamptz, %(cut_lead)s::bigint)
    RETURNING lead_id, visit, entered_at
)
INSERT INTO stepped (leg, lead_id, visit, entered_at, hop)
SELECT %(leg)s::int, m.lead_id, m.visit, m.entered_at, coalesce(c.hop + 1, 0)
FROM moved m
LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) c USING (lead_id);

-- name: move_some
-- The people of {who} (SELECT lead_id, visit) who stand at the node come to stand at another; as move_due.
-- slot who: SELECT NULL::bigint AS lead_id, NULL::int AS visit WHERE false
WITH moved AS (
    UPDATE enrollment e
    SET node = %(target)s, node_since = %(now)s::timestamptz, due_at = %(target_due)s::timestamptz,
        state = %(state)s, ended_at = %(ended_at)s::timestamptz
    FROM ({who}) AS who
    WHERE e.lead_id = who.lead_id AND e.scenario_id = %(scenario_id)s::bigint AND e.visit = who.visit
      AND e.version_id = %(version_id)s::bigint AND e.node = %(node)s AND e.state = 'active'
    RETURNING e.lead_id, e.visit, e.entered_at
)
INSERT INTO stepped (leg, lead_id, visit, entered_at, hop)
SELECT %(leg)s::int, m.lead_id, m.visit, m.entered_at, coalesce(c.hop + 1, 0)
FROM moved m
LEFT JOIN (SELECT lead_id, max(hop) AS hop FROM touched GROUP BY lead_id) c USING (lead_id);

-- name: hops
SELECT DISTINCT hop FROM stepped WHERE leg = %(leg)s::int ORDER BY hop;

-- name: note_stepped
-- One fact for each person of a leg.
INSERT INTO fact (lead_id, at, kind, object_id, details, hop)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, %(scenario_id)s::bigint, %(details)s::jsonb, hop
FROM stepped WHERE leg = %(leg)s::int;

-- name: add_counts
-- How many more people have left each (version, node) by each exit.
INSERT INTO scenario_node_count (version_id, node, exit, count)
SELECT * FROM unnest(%(version_ids)s::bigint[], %(nodes)s::text[], %(exits)s::text[], %(counts)s::bigint[])
ON CONFLICT (version_id, node, exit) DO UPDATE SET count = scenario_node_count.count + excluded.count;

-- name: enrol
-- Lets in whoever a fact of this beat opens a door for. Doors: one array element each. A person is let in once per fact,
-- not while inside the same scenario, and with `once` never again. Returns how many entered, per version.
WITH door AS (
    SELECT * FROM unnest(
        %(kinds)s::smallint[], %(object_ids)s::bigint[], %(scenario_ids)s::bigint[], %(version_ids)s::bigint[],
        %(once)s::boolean[]
    ) AS d (kind, object_id, scenario_id, version_id, once)
),
knocking AS MATERIALIZED (
    SELECT DISTINCT ON (t.lead_id, d.scenario_id) t.lead_id, d.scenario_id, d.version_id, d.once, t.hop,
           (extract(epoch FROM t.at) * 1000000)::bigint AS entry_fact
    FROM touched t
    JOIN door d ON d.kind = t.kind AND d.object_id = t.object_id
    JOIN lead l ON l.lead_id = t.lead_id AND {known_lead}
    ORDER BY t.lead_id, d.scenario_id, t.at
),
past AS MATERIALIZED (
    SELECT lead_id, scenario_id, max(visit) AS visit, bool_or(state = 'active') AS inside FROM enrollment
    WHERE lead_id IN (SELECT lead_id FROM knocking) GROUP BY lead_id, scenario_id
),
entered AS (
    INSERT INTO enrollment (lead_id, scenario_id, visit, version_id, node, entry_fact, entered_at, node_since, due_at)
    SELECT k.lead_id, k.scenario_id, coalesce(past.visit, 0) + 1, k.version_id, 'entry', k.entry_fact,
           %(now)s::timestamptz, %(now)s::timestamptz, %(now)s::timestamptz
    FROM knocking k LEFT JOIN past ON past.lead_id = k.lead_id AND past.scenario_id = k.scenario_id
    WHERE past.visit IS NULL OR NOT (past.inside OR k.once)
    ON CONFLICT DO NOTHING
    RETURNING lead_id, scenario_id, version_id
),
noted AS (
    INSERT INTO fact (lead_id, at, kind, object_id, hop)
    SELECT e.lead_id, %(now)s::timestamptz, %(kind)s::smallint, e.scenario_id, k.hop + 1
    FROM entered e JOIN knocking k USING (lead_id, scenario_id)
)
SELECT version_id, count(*) AS count FROM entered GROUP BY version_id;

-- name: take_in
-- Lets in the next members of the entry segment, in lead order past %(after)s; as enrol. Index: segment_member_segment.
-- Returns the last lead looked at (null: none is left) and how many entered.
WITH next AS MATERIALIZED (
    SELECT m.lead_id, (extract(epoch FROM m.since) * 1000000)::bigint AS entry_fact
    FROM segment_member m
    WHERE m.segment_id = %(segment_id)s::bigint AND m.lead_id > %(after)s::bigint
    ORDER BY m.lead_id LIMIT %(limit)s::int
),
past AS MATERIALIZED (
    SELECT lead_id, max(visit) AS visit, bool_or(state = 'active') AS inside FROM enrollment
    WHERE lead_id IN (SELECT lead_id FROM next) AND scenario_id = %(scenario_id)s::bigint GROUP BY lead_id
),
entered AS (
    INSERT INTO enrollment (lead_id, scenario_id, visit, version_id, node, entry_fact, entered_at, node_since, due_at)
    SELECT n.lead_id, %(scenario_id)s::bigint, coalesce(past.visit, 0) + 1, %(version_id)s::bigint, 'entry', n.entry_fact,
           %(now)s::timestamptz, %(now)s::timestamptz, %(now)s::timestamptz
    FROM next n LEFT JOIN past ON past.lead_id = n.lead_id
    WHERE past.visit IS NULL OR NOT (past.inside OR %(once)s::boolean)
    ON CONFLICT DO NOTHING
    RETURNING lead_id
),
noted AS (
    INSERT INTO fact (lead_id, at, kind, object_id)
    SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, %(scenario_id)s::bigint FROM entered
)
SELECT (SELECT max(lead_id) FROM next) AS last, (SELECT count(*) FROM entered) AS count;

-- name: keep_take_in
UPDATE scenario SET take_in_after = %(after)s::bigint WHERE id = %(scenario_id)s::bigint;

-- name: touched_branches
-- Of the given branches, those at which somebody waits to whom a fact of {concerned} has just happened.
-- Index: the key of enrollment, by the batch's leads; fenced off (OFFSET 0), so that no version's crowd is read instead.
-- slot concerned: true
SELECT DISTINCT e.version_id, e.node
FROM (
    SELECT version_id, node FROM enrollment
    WHERE lead_id = ANY(ARRAY(SELECT lead_id FROM touched WHERE {concerned})) AND state = 'active' OFFSET 0
) AS e
JOIN unnest(%(version_ids)s::bigint[], %(nodes)s::text[]) AS b (version_id, node) USING (version_id, node);

-- name: exit_some
-- Ends, up to %(limit)s of them, the way of people on a stopped scenario's version at one node.
WITH chosen AS MATERIALIZED (
    SELECT lead_id, scenario_id, visit FROM enrollment
    WHERE version_id = %(version_id)s::bigint AND node = %(node)s AND state = 'active' LIMIT %(limit)s::int
),
gone AS (
    UPDATE enrollment e SET state = 'exited', ended_at = %(now)s::timestamptz, due_at = NULL
    FROM chosen c
    WHERE e.lead_id = c.lead_id AND e.scenario_id = c.scenario_id AND e.visit = c.visit AND e.state = 'active'
    RETURNING e.lead_id, e.visit, e.entered_at
)
INSERT INTO stepped (leg, lead_id, visit, entered_at, hop) SELECT %(leg)s::int, lead_id, visit, entered_at, 0 FROM gone;

-- name: close_stopped
-- A scenario being stopped in which nobody is left is stopped. Index: enrollment_due, one probe a version.
WITH version AS MATERIALIZED (SELECT id FROM scenario_version WHERE scenario_id = %(scenario_id)s::bigint),
inside AS MATERIALIZED (
    SELECT lead_id FROM enrollment WHERE version_id = ANY(ARRAY(SELECT id FROM version)) AND state = 'active' LIMIT 1
)
UPDATE scenario SET state = 'stopped'
WHERE id = %(scenario_id)s::bigint AND state = 'stopping' AND NOT EXISTS (SELECT 1 FROM inside);

-- name: hurry_branch
-- On resuming: people at a branch for whom the test {who} (SELECT lead_id, visit) came true meanwhile are due now.
-- slot who: SELECT NULL::bigint AS lead_id, NULL::int AS visit WHERE false
UPDATE enrollment e SET due_at = %(now)s::timestamptz
FROM ({who}) AS who
WHERE e.lead_id = who.lead_id AND e.scenario_id = %(scenario_id)s::bigint AND e.visit = who.visit
  AND e.version_id = %(version_id)s::bigint AND e.node = %(node)s AND e.state = 'active'
  AND e.due_at > %(now)s::timestamptz;

-- name: miss_slot
-- On resuming: people whose slot at this wait passed during the pause get its next one. Index: enrollment_due. Idempotent.
UPDATE enrollment SET due_at = %(slot)s::timestamptz
WHERE version_id = %(version_id)s::bigint AND node = %(node)s AND state = 'active' AND due_at <= %(now)s::timestamptz
  AND %(slot)s::timestamptz > %(now)s::timestamptz;

-- name: counts
-- How many people have left each node by each exit, of the given versions.
SELECT version_id, node, exit, count FROM scenario_node_count WHERE version_id = ANY (%(version_ids)s::bigint[]);

-- name: totals
-- One row per scenario that anybody has entered: how many entered, are inside, came to an end, were taken out.
SELECT v.scenario_id, coalesce(sum(c.count) FILTER (WHERE c.exit = 'in'), 0)::bigint AS entered,
       coalesce(sum(c.count) FILTER (WHERE c.exit = 'done'), 0)::bigint AS done,
       coalesce(sum(c.count) FILTER (WHERE c.exit = 'stopped'), 0)::bigint AS stopped
FROM scenario_node_count c JOIN scenario_version v ON v.id = c.version_id
GROUP BY v.scenario_id;

-- name: people_at
-- People who stand at one node of a version, who moves on first comes first; keyset (due_at, lead_id). Index: enrollment_due.
-- slot after: true
SELECT e.lead_id, e.visit, e.entered_at, e.node_since, e.due_at, l.last_name, l.first_name, l.company_name
FROM enrollment e JOIN lead l USING (lead_id)
WHERE e.version_id = %(version_id)s::bigint AND e.node = %(node)s AND e.state = 'active' AND {after}
ORDER BY e.due_at, e.lead_id
LIMIT %(limit)s::int;

-- name: people_through
-- every act: the scenario's own steps
-- People whose way through the scenario has ended, newest first, from the ledger; keyset (at, id). Index: activity_kind_at.
-- slot before: true
SELECT a.lead_id, a.at, a.id, coalesce((a.details ->> 'stopped')::boolean, false) AS stopped, l.last_name, l.first_name, l.company_name
FROM activity a JOIN lead l USING (lead_id)
WHERE a.kind = %(kind)s::smallint AND a.object_id = %(scenario_id)s::bigint AND {before}
ORDER BY a.at DESC, a.id DESC
LIMIT %(limit)s::int;

-- name: of_lead
-- The scenarios a person is or was in, present ones first.
SELECT e.scenario_id, s.name, s.state AS scenario_state, e.visit, e.version_id, e.node, e.state, e.entered_at,
       e.node_since, e.due_at, e.ended_at
FROM enrollment e JOIN scenario s ON s.id = e.scenario_id
WHERE e.lead_id = %(lead_id)s::bigint
ORDER BY e.state <> 'active', e.entered_at DESC;

-- name: would_enter
-- How many members of the segment would be taken in now: known, not inside, and with `once` never inside before.
SELECT count(*) FROM segment_member m
WHERE m.segment_id = %(segment_id)s::bigint AND NOT EXISTS (
    SELECT 1 FROM enrollment e
    WHERE e.lead_id = m.lead_id AND e.scenario_id = %(scenario_id)s::bigint AND (e.state = 'active' OR %(once)s::boolean)
);

-- name: meets
-- Whether {who} (SELECT lead_id, visit) holds anybody.
-- slot who: SELECT NULL::bigint AS lead_id, NULL::int AS visit WHERE false
SELECT EXISTS (SELECT 1 FROM ({who}) AS who);
