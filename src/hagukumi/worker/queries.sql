-- name: keep_steps
-- One row per step of the beat: when it last succeeded, how far behind the heart is (seconds), how long it took (ms).
INSERT INTO heart_step (step, last_success_at, lag_seconds, took_ms, error)
SELECT step, %(now)s::timestamptz, %(lag)s::float8, took, ''
FROM unnest(%(steps)s::text[], %(took)s::float8[]) AS done (step, took)
ON CONFLICT (step) DO UPDATE
SET last_success_at = excluded.last_success_at, lag_seconds = excluded.lag_seconds, took_ms = excluded.took_ms, error = '';

-- name: keep_error
-- A step that broke keeps its last success and shows its error until it succeeds again.
INSERT INTO heart_step (step, error) VALUES (%(step)s, %(error)s)
ON CONFLICT (step) DO UPDATE SET error = excluded.error;

-- name: beat_memory
-- Memory for a beat's temporary tables, for this session: the acts of a full batch of leads. Before their first use only,
-- as PostgreSQL wants it.
SELECT set_config('temp_buffers', '64MB', false) WHERE pg_my_temp_schema() = 0;
