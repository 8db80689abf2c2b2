-- name: grant
-- Writes a consent row for each lead of {leads} that has none of this basis and text since its last opt-out, folds it into
-- consent_now and puts one fact per changed lead into `fact`. One row per lead.
-- A stop stands, whatever arrives, unless %(over_stop)s: then an opt-in later than the stop takes it back.
-- Index: consent and consent_now by lead_id. Idempotent: a repeat finds its row and writes nothing.
-- slot leads: SELECT NULL::bigint AS lead_id, ''::text AS address WHERE false
WITH asked AS (
    SELECT lead_id, min(address) AS address FROM ({leads}) AS chosen WHERE lead_id IS NOT NULL GROUP BY lead_id
),
allowed AS (
    SELECT asked.lead_id
    FROM asked LEFT JOIN consent_now n ON n.lead_id = asked.lead_id AND n.channel = %(channel)s::text
    WHERE (n.lead_id IS NULL OR n.granted OR (%(over_stop)s::boolean AND n.at < %(now)s::timestamptz))
      AND NOT EXISTS (
        SELECT 1 FROM consent c
        WHERE c.lead_id = asked.lead_id AND c.channel = %(channel)s::text AND c.granted AND c.basis = %(basis)s::text
          AND c.text_id IS NOT DISTINCT FROM %(text_id)s::bigint AND coalesce(n.granted, false)
          AND c.at > coalesce(
            (SELECT max(o.at) FROM consent o WHERE o.lead_id = c.lead_id AND o.channel = c.channel AND NOT o.granted),
            '-infinity'
          )
      )
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
WHERE n.granted = false OR s.reason IN ('unsubscribe', 'manual', 'complaint');

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
SELECT n.granted, n.basis, n.at, coalesce(s.reason, '') AS suppressed
FROM (SELECT %(lead_id)s::bigint AS lead_id, lower(%(address)s::text) AS address) AS asked
LEFT JOIN consent_now n ON n.lead_id = asked.lead_id AND n.channel = %(channel)s::text
LEFT JOIN suppression s ON s.channel = %(channel)s::text AND s.value = asked.address;

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
