-- Readings of the platform's own device.

-- name: store
-- A reading that has come through the queue of an ingest process; one that comes again changes nothing.
INSERT INTO self_probe (run, number, instance, observed_at, sent_at, stored_at)
VALUES (%(run)s, %(number)s, %(instance)s, %(observed_at)s, %(sent_at)s, clock_timestamp())
ON CONFLICT DO NOTHING;

-- name: forget
-- What is older than it is kept.
DELETE FROM self_probe
WHERE instance = %(instance)s AND stored_at < clock_timestamp() - %(kept_s)s * interval '1 second';

-- name: newest
-- The newest reading that each ingest process has stored; one that has said farewell is not waited for.
SELECT p.instance, p.run, p.number, p.sent_at, p.stored_at, p.shown_at
FROM ingest_instance i
CROSS JOIN LATERAL (
    SELECT * FROM self_probe p WHERE p.instance = i.instance ORDER BY p.stored_at DESC LIMIT 1
) p
ORDER BY p.instance;

-- name: mark_shown
-- An answer of the API has shown this reading, and with it those before it.
UPDATE self_probe SET shown_at = clock_timestamp()
WHERE run = %(run)s AND number <= %(number)s AND shown_at IS NULL;

-- name: standing
-- How long ago, in seconds, the newest reading was stored and one was last shown, and whether an ingest process lives.
SELECT extract(epoch FROM clock_timestamp() - max(stored_at))::float8,
       extract(epoch FROM clock_timestamp() - max(shown_at))::float8,
       (SELECT count(*) FROM ingest_instance i
        WHERE i.seen_at > clock_timestamp() - %(alive_s)s * interval '1 second'
          AND EXISTS (SELECT FROM self_probe p WHERE p.instance = i.instance))
FROM self_probe;
