-- Which migrations this database has had.

-- name: lock
-- One process migrates at a time; the others wait.
SELECT pg_advisory_lock(hashtext('lamplighter migrate'));

-- name: unlock
-- Let another process migrate.
SELECT pg_advisory_unlock(hashtext('lamplighter migrate'));

-- name: make_table
-- applied_at is real time: a migration is work of the operator, not of the city.
CREATE TABLE IF NOT EXISTS schema_migration (
    number      integer PRIMARY KEY,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: known
-- The migrations that were applied.
SELECT number, name, checksum FROM schema_migration ORDER BY number;

-- name: applied
-- Note a migration, in its own transaction.
INSERT INTO schema_migration (number, name, checksum) VALUES (%(number)s, %(name)s, %(checksum)s);
