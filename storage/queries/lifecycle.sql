-- The book-keeping of maintenance.

-- name: mode
-- How this database keeps old data.
SELECT mode FROM city;

-- name: try_lock
-- One process maintains at a time; held by the session.
SELECT pg_try_advisory_lock(hashtext('lamplighter maintenance'));

-- name: unlock
-- Let another process maintain.
SELECT pg_advisory_unlock(hashtext('lamplighter maintenance'));

-- name: ahead
-- By how many microseconds a moment is ahead of the server's clock; below zero where it is behind.
SELECT (extract(epoch FROM %(now)s - clock_timestamp()) * 1000000)::bigint;

-- name: horizon
-- The moment before which rows of the kind may be gone.
SELECT dropped_before FROM raw_horizon WHERE kind = %(kind)s AND isfinite(dropped_before);

-- name: look
-- Note that compression and retention look at the kind; no row is changed if they did less than a day ago.
INSERT INTO raw_horizon AS h (kind, looked_at) VALUES (%(kind)s, %(at)s)
ON CONFLICT (kind) DO UPDATE SET looked_at = excluded.looked_at
WHERE excluded.looked_at NOT BETWEEN h.looked_at AND h.looked_at + interval '1 day';

-- name: wait_briefly
-- Who stands behind us in the queue for a table, as ingest does, waits no longer than we do for who has it; shorter than
-- `deadlock_timeout`, so that none of them is ended for our sake.
SET lock_timeout = '500ms';

-- name: look_again
-- Note that retention could not do its work: it looks again in a minute.
UPDATE raw_horizon SET looked_at = looked_at - interval '1 day' + interval '1 minute' WHERE kind = %(kind)s;

-- name: move_horizon
-- Note that rows before a moment are about to be dropped.
UPDATE raw_horizon SET dropped_before = greatest(dropped_before, %(end)s) WHERE kind = %(kind)s;

-- name: drop_quarantine
-- Drop refused uplinks that are older than they are kept, and book them on the days of their receipt.
WITH gone AS (DELETE FROM quarantine WHERE received_at < %(before)s RETURNING received_at)
INSERT INTO ledger AS stored (day, quarantine_retired)
SELECT (received_at AT TIME ZONE 'UTC')::date, count(*) FROM gone GROUP BY 1
ON CONFLICT (day) DO UPDATE SET quarantine_retired = stored.quarantine_retired + excluded.quarantine_retired;
