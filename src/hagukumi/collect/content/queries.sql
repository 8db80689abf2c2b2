-- name: contents
-- One row per piece, newest first, with its downloads (rollup of the ledger).
SELECT content.id, content.title, content.kind, content.summary, content.file_name, content.path, content.created_at,
       coalesce(counted.downloads, 0) AS downloads
FROM content LEFT JOIN (
    SELECT object_id, sum(count)::bigint AS downloads FROM activity_day WHERE kind = %(kind)s::smallint GROUP BY object_id
) counted ON counted.object_id = content.id
ORDER BY content.created_at DESC, content.id DESC;
