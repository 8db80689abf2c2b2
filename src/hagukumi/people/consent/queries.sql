-- name: grant
-- Writes a consent row for each lead of {leads} that has none of this basis and text since its last opt-out, folds it into
-- consent_now and puts one fact per changed lead into `fact`. One row per lead.
-- A stop stands, whatever arrives, unless %(over_stop)s: then an opt-in later than the stop takes it back.
-- Index: consent and consent_now by lead_id. Idempotent: a repeat finds its row and writes nothing.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
WITH asked AS MATERIALIZED (
    SELECT lead_id, min(address) AS address FROM ({leads}) AS chosen WHERE lead_id IS NOT NULL GROUP BY lead_id
),
stands AS MATERIALIZED (
    SELECT lead_id, granted, at FROM consent_now
    WHERE channel = %(channel)s::text AND lead_id IN (SELECT lead_id FROM asked)
),
written_before AS MATERIALIZED (
    SELECT DISTINCT c.lead_id
    FROM consent c JOIN consent_now n ON n.lead_id = c.lead_id AND n.channel = c.channel AND n.granted
    WHERE c.lead_id IN (SELECT lead_id FROM asked) AND c.channel = %(channel)s::text AND c.granted
      AND c.basis = %(basis)s::text AND c.text_id IS NOT DISTINCT FROM %(text_id)s::bigint
      AND c.at > coalesce(
        (SELECT max(o.at) FROM consent o WHERE o.lead_id = c.lead_id AND o.channel = %(channel)s::text AND NOT o.granted),
        '-infinity'
      )
),
allowed AS MATERIALIZED (
    SELECT asked.lead_id
    FROM asked
    LEFT JOIN stands n ON n.lead_id = asked.lead_id
    LEFT JOIN written_before w ON w.lead_id = asked.lead_id
    WHERE (n.lead_id IS NULL OR n.granted OR (%(over_stop)s::boolean AND n.at < %(now)s::timestamptz))
      AND w.lead_id IS NULL
),
written AS (
    INSERT INTO consent (lead_id, channel, granted, basis, text_id, evidence, at)
    SELECT lead_id, %(channel)s::text, true, %(basis)s::text, %(text_id)s::bigint, %(evidence)s::text, %(now)s::timestamptz
    FROM allowed
    RETURNING lead_id
),
folded AS (
    INSERT INTO consent_now AS n (lead_id, channel, granted, basis, at)
    SELECT lead_id, %(channel)s::text, true, %(basis)s::text, %(now)s::timestamptz FROM written
    ON CONFLICT (lead_id, channel) DO UPDATE
    SET granted = true,
        basis = CASE WHEN n.granted AND n.basis = 'optin' THEN n.basis ELSE excluded.basis END,
        at = greatest(n.at, excluded.at)
),
lifted AS (
    DELETE FROM suppression s USING written w JOIN asked a ON a.lead_id = w.lead_id
    WHERE %(over_stop)s::boolean AND s.channel = %(channel)s::text AND s.value = lower(a.address)
      AND s.reason IN ('unsubscribe', 'manual') AND s.at < %(now)s::timestamptz
),
let_go AS (
    DELETE FROM stop_kept k USING written w JOIN asked a ON a.lead_id = w.lead_id
    WHERE %(over_stop)s::boolean AND k.channel = %(channel)s::text
      AND k.digest = sha256(convert_to(lower(a.address), 'UTF8')) AND k.reason IN ('unsubscribe', 'manual')
      AND k.at < %(now)s::timestamptz
)
INSERT INTO fact (lead_id, at, kind, details, hop)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint,
       jsonb_build_object('channel', %(channel)s::text, 'granted', true, 'basis', %(basis)s::text), %(hop)s::smallint
FROM written;

-- name: count_stopped
-- How many of {leads} are stopped: by their own or a colleague's word, or a complaint of their address. One row.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
SELECT count(DISTINCT asked.lead_id) AS people
FROM ({leads}) AS asked
LEFT JOIN consent_now n ON n.lead_id = asked.lead_id AND n.channel = %(channel)s::text
LEFT JOIN suppression s ON s.channel = %(channel)s::text AND s.value = lower(asked.address)
LEFT JOIN stop_kept k ON k.channel = %(channel)s::text AND k.digest = sha256(convert_to(lower(asked.address), 'UTF8'))
WHERE n.granted = false OR coalesce(s.reason, k.reason) IN ('unsubscribe', 'manual', 'complaint');

-- name: withdraw
-- One opt-out of one lead: consent row, fold, fact. A lead that is already out (as of %(now)s) gets nothing new.
WITH written AS (
    INSERT INTO consent (lead_id, channel, granted, basis, evidence, at)
    SELECT %(lead_id)s::bigint, %(channel)s::text, false, 'optout', %(evidence)s::text, %(now)s::timestamptz
    WHERE NOT EXISTS (
        SELECT 1 FROM consent_now
        WHERE lead_id = %(lead_id)s::bigint AND channel = %(channel)s::text
          AND (NOT granted OR (basis = 'optin' AND at > %(now)s::timestamptz))
    )
    RETURNING lead_id
),
folded AS (
    INSERT INTO consent_now (lead_id, channel, granted, basis, at)
    SELECT lead_id, %(channel)s::text, false, 'optout', %(now)s::timestamptz FROM written
    ON CONFLICT (lead_id, channel) DO UPDATE SET granted = false, basis = 'optout', at = excluded.at
)
INSERT INTO fact (lead_id, at, kind, details)
SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint,
       jsonb_build_object('channel', %(channel)s::text, 'granted', false, 'basis', 'optout', 'reason', %(reason)s::text)
FROM written;

-- name: suppress
-- The address is never mailed again. A reason that outlives an opt-in (bounce, complaint) replaces one that does not.
-- What a lead said (%(lead_id)s, or NULL) before its latest opt-in no longer holds, unless the reason outlives opt-ins.
INSERT INTO suppression AS s (channel, value, reason, source, at)
SELECT %(channel)s::text, %(value)s::text, %(reason)s::text, %(source)s::text, %(now)s::timestamptz
WHERE %(reason)s::text IN ('hard_bounce', 'complaint') OR NOT EXISTS (
    SELECT 1 FROM consent_now
    WHERE lead_id = %(lead_id)s::bigint AND channel = %(channel)s::text
      AND granted AND basis = 'optin' AND at > %(now)s::timestamptz
)
ON CONFLICT (channel, value) DO UPDATE SET reason = excluded.reason, source = excluded.source, at = excluded.at
WHERE s.reason IN ('unsubscribe', 'manual') AND excluded.reason IN ('hard_bounce', 'complaint');

-- name: standing
-- One row: the folded consent of a lead and why its address is suppressed ('' = it is not).
SELECT n.granted, n.basis, n.at, coalesce(s.reason, k.reason, '') AS suppressed
FROM (SELECT %(lead_id)s::bigint AS lead_id, lower(%(address)s::text) AS address) AS asked
LEFT JOIN consent_now n ON n.lead_id = asked.lead_id AND n.channel = %(channel)s::text
LEFT JOIN suppression s ON s.channel = %(channel)s::text AND s.value = asked.address
LEFT JOIN stop_kept k ON k.channel = %(channel)s::text AND k.digest = sha256(convert_to(asked.address, 'UTF8'));

-- name: suppressions
-- Addresses that are never mailed, newest first. One row per address; keyset (at, value). Small: read whole by reason.
SELECT value, reason, source, at FROM suppression
WHERE channel = %(channel)s::text AND (%(reason)s::text = '' OR reason = %(reason)s::text)
  AND (%(q)s::text = '' OR value LIKE %(q)s::text)
  AND (at, value) < (%(before)s::timestamptz, %(value)s::text)
ORDER BY at DESC, value DESC LIMIT %(limit)s::int;

-- name: suppressed_by_reason
-- How many addresses each reason keeps from mail. One row per reason.
SELECT reason, count(*) AS addresses FROM suppression WHERE channel = %(channel)s::text GROUP BY reason;

-- name: lift
-- One address may be mailed again, as far as this list goes. The row as it was, or none.
DELETE FROM suppression WHERE channel = %(channel)s::text AND value = %(value)s::text RETURNING value, reason, source, at;

-- name: watch_addresses
-- The addresses of {leads} are nobody's yet: one row per lead and address, the first time it is seen.
-- Idempotent: an address that is known here stays as it is, also a confirmed one.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
INSERT INTO address_check (lead_id, value, since)
SELECT DISTINCT lead_id, lower(address), %(now)s::timestamptz FROM ({leads}) AS typed WHERE address <> ''
ON CONFLICT (lead_id, value) DO NOTHING;

-- name: ask_addresses
-- Of {leads}, those whose address may be asked now (at most %(most)s times, and not since %(quiet)s) are marked as asked and
-- put into `fact`; one row back per lead. Whoever has an explicit opt-in standing, or complained or bounced, is not asked.
-- %(stopped_only)s: ask only those who were stopped.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
WITH asked AS (
    SELECT t.lead_id, lower(min(t.address)) AS value
    FROM ({leads}) AS t
    LEFT JOIN consent_now n ON n.lead_id = t.lead_id AND n.channel = %(channel)s::text
    LEFT JOIN suppression s ON s.channel = %(channel)s::text AND s.value = lower(t.address)
    LEFT JOIN stop_kept k ON k.channel = %(channel)s::text AND k.digest = sha256(convert_to(lower(t.address), 'UTF8'))
    WHERE t.address <> '' AND coalesce(s.reason, k.reason, '') NOT IN ('hard_bounce', 'complaint')
      AND (n.granted = false OR s.reason IS NOT NULL OR k.reason IS NOT NULL
           OR (NOT %(stopped_only)s::boolean AND NOT (coalesce(n.granted, false) AND n.basis = 'optin')))
    GROUP BY t.lead_id
),
kept AS (
    INSERT INTO address_check AS a (lead_id, value, since, asked_at, asked_times, text_id, evidence, waiting)
    SELECT lead_id, value, %(now)s::timestamptz, %(now)s::timestamptz, 1, %(text_id)s::bigint, %(evidence)s::text, true
    FROM asked
    ON CONFLICT (lead_id, value) DO UPDATE
    SET asked_at = excluded.asked_at, asked_times = a.asked_times + 1, text_id = excluded.text_id,
        evidence = excluded.evidence, waiting = true
    WHERE a.asked_times < %(most)s::int AND (a.asked_at IS NULL OR a.asked_at < %(quiet)s::timestamptz)
    RETURNING lead_id
),
told AS (
    INSERT INTO fact (lead_id, at, kind, details)
    SELECT lead_id, %(now)s::timestamptz, %(kind)s::smallint, jsonb_build_object('channel', %(channel)s::text) FROM kept
)
SELECT lead_id FROM kept;

-- name: take_asked
-- Who is to be asked and has not been taken for it; a repeat gives nobody. Index: address_check_waiting.
UPDATE address_check SET waiting = false WHERE waiting RETURNING lead_id;

-- name: confirm_address
-- The owner of an address has shown that it is theirs. One row: to what they were asked to agree, where they were.
-- asked_times begins anew: they may be asked again after a later stop.
UPDATE address_check SET confirmed_at = %(now)s::timestamptz, asked_times = 0
WHERE lead_id = %(lead_id)s::bigint AND value = lower(%(address)s::text)
RETURNING text_id, evidence, asked_at;

-- name: stops_of
-- Why the addresses (lower case) are not mailed. One row per address.
SELECT value, reason, source, at FROM suppression WHERE channel = %(channel)s::text AND value = ANY(%(values)s::text[])
ORDER BY value;

-- name: keep_stops
-- The addresses of one person (%(lead_ids)s) leave the list; what they stood there for is kept by hash, and so is the
-- person's own stop. One row per address kept. Idempotent.
WITH gone AS (
    DELETE FROM suppression WHERE channel = %(channel)s::text AND value = ANY(%(values)s::text[]) RETURNING value, reason, at
),
stopped AS (
    SELECT value, reason, at FROM gone
    UNION ALL
    SELECT address, 'unsubscribe', n.at
    FROM unnest(%(values)s::text[]) AS address CROSS JOIN consent_now n
    WHERE n.lead_id = ANY(%(lead_ids)s::bigint[]) AND n.channel = %(channel)s::text AND NOT n.granted
      AND address NOT IN (SELECT value FROM gone)
)
INSERT INTO stop_kept (channel, digest, reason, at)
SELECT DISTINCT ON (value) %(channel)s::text, sha256(convert_to(value, 'UTF8')), reason, at FROM stopped ORDER BY value, at
ON CONFLICT (channel, digest) DO NOTHING;

-- name: first_two
-- At most two of {leads}: whether they are one person.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
SELECT DISTINCT lead_id FROM ({leads}) AS asked WHERE lead_id IS NOT NULL LIMIT 2;
