-- name: progress
-- Says how far an import is; returns whether somebody has asked to stop it. One row.
UPDATE import_file SET done_rows = %(done)s::int, rows = %(rows)s::int
WHERE id = %(import_id)s::bigint AND state = 'running' RETURNING cancel_asked;
