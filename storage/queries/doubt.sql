-- Commits of which nobody heard.

-- name: backend
-- Who serves this session, and since when, where the server says so.
SELECT pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid());

-- name: end
-- End the process of another session, and say whether it has ended within 5 s; no row where it is no more.
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE pid = %(number)s AND backend_start = %(since)s AND pid <> pg_backend_pid();

-- name: outcome
-- Whether a doubtful commit took place; waits for a transaction of the process that has not ended yet.
SELECT coalesce(settled_batch = %(batch)s, false) FROM ingest_instance WHERE instance = %(instance)s FOR UPDATE;
