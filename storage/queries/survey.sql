-- name: server
-- The server as an operator looks at it; the clock is compared with the machine's.
SELECT current_setting('server_version_num')::int AS version,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS real_us,
       current_setting('fsync')::bool AND current_setting('full_page_writes')::bool AS durable,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       pg_database_size(current_database()) AS size_bytes;

-- name: assets
-- How many places are registered and in service.
SELECT count(*) FROM asset WHERE retired_at IS NULL OR retired_at > city_now();

-- name: tokens
-- How many tokens of the operators' API open something at a real moment.
SELECT count(*) FROM api_token WHERE revoked_at IS NULL AND expires_at > %(at)s;

-- name: city_now
-- The city's moment, microseconds since 1970 UTC.
SELECT (extract(epoch FROM city_now()) * 1000000)::bigint;
