-- What the database weighs and what a day adds. {kind} is the observation table.

-- name: pace
-- How many rows, hours and days a whole day added.
SELECT coalesce(sum(count), 0)::bigint, count(*), count(DISTINCT asset_id)
FROM {kind}_hourly WHERE bucket >= %(since)s AND bucket < %(until)s;

-- name: size
-- Bytes of the whole database.
SELECT pg_database_size(current_database())::float8;
