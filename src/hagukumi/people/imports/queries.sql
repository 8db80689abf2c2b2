-- name: progress
-- Says how far an import is; returns whether somebody has asked to stop it. One row.
UPDATE import_file SET done_rows = %(done)s::int, rows = %(rows)s::int
WHERE id = %(import_id)s::bigint AND state = 'running' RETURNING cancel_asked;

-- name: keep_rows
-- Notes of every row of the batch that is somebody's whose it is and how it came out; once a batch.
-- slot found: SELECT 0 AS row_no, 0::bigint AS lead_id, 1 AS outcome
INSERT INTO import_row (import_id, lead_id, row_no, outcome)
SELECT %(import_id)s::bigint, f.lead_id, f.row_no, f.outcome FROM ({found}) AS f;
