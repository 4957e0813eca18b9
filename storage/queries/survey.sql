-- name: server
-- The server as an operator looks at it; the clock is compared with the machine's.
SELECT current_setting('server_version_num')::int AS version,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS real_us,
       current_setting('fsync')::bool AND current_setting('full_page_writes')::bool AS durable,
       coalesce(current_setting('lamplighter.fleeting', true) = 'on', false) AS fleeting,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       pg_database_size(current_database()) AS size_bytes,
       current_setting('autovacuum')::bool AS autovacuum,
       (SELECT least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                     CASE WHEN d.datconnlimit < 0 THEN 100000 ELSE d.datconnlimit END,
                     CASE WHEN r.rolconnlimit < 0 THEN 100000 ELSE r.rolconnlimit END)
        FROM pg_database d, pg_roles r
        WHERE d.datname = current_database() AND r.rolname = current_user) AS connections;

-- name: assets
-- How many places are registered and in service.
SELECT count(*) FROM asset WHERE retired_at IS NULL OR retired_at > city_now();

-- name: tokens
-- How many tokens of the operators' API open something at a real moment.
SELECT count(*) FROM api_token WHERE revoked_at IS NULL AND expires_at > %(at)s;

-- name: city_now
-- The city's moment, microseconds since 1970 UTC.
SELECT (extract(epoch FROM city_now()) * 1000000)::bigint;

-- name: last_token
-- When the last token of the operators' API ran out, NULL where there has been none.
SELECT max(least(expires_at, revoked_at)) FROM api_token;

-- name: city
-- The time zone by which local days are cut, and after how many seconds a zone's word is stale.
SELECT timezone, ttl_s FROM city;

-- name: unreadable
-- Which of these relations a role may not read; all of them where there is no such role.
SELECT name FROM unnest(%(names)s::text[]) AS name
WHERE NOT coalesce((SELECT has_table_privilege(r.oid, name::regclass, 'SELECT') FROM pg_roles r
                    WHERE r.rolname = %(role)s), false);

-- name: processes
-- Each process that books uplinks and has not said farewell, and for how many real seconds it has been silent.
SELECT instance, extract(epoch FROM clock_timestamp() - seen_at)::float8 AS silent_s FROM ingest_instance ORDER BY 1;

-- name: led
-- Whether a process leads the rules at this moment.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = hashtext('lamplighter rules')::bigint
);

-- name: upkeep
-- The days of the city since compression and retention last looked, of the kind that has waited longest; NULL: never.
SELECT extract(epoch FROM city_now() - min(looked_at))::float8 / 86400 FROM raw_horizon WHERE isfinite(looked_at);

-- name: outlasted
-- Whether rows from before a moment came more than a day before retention last looked: it looks once a day, and leaves
-- to the next time what has only just come.
SELECT EXISTS (
    SELECT FROM {kind}
    WHERE observed_at < %(end)s
      AND received_at < (SELECT looked_at - interval '1 day' FROM raw_horizon WHERE kind = %(kind)s)
);

-- name: alike
-- Devices whose names differ in nothing but capitals.
SELECT array_agg(device ORDER BY device) FROM device GROUP BY lower(device) HAVING count(*) > 1 ORDER BY 1 LIMIT 10;

-- name: unheard_of
-- Unknown devices that spoke since a moment, beside registered ones that differ in nothing but capitals.
SELECT DISTINCT q.device, d.device FROM quarantine q JOIN device d ON lower(d.device) = lower(q.device)
WHERE q.received_at > %(since)s AND q.replayed_at IS NULL AND q.reason = 'unknown_device' AND d.device <> q.device
ORDER BY 1 LIMIT 10;

-- name: refused
-- What was refused since a moment and not replayed: reason, uplinks, devices.
SELECT reason, count(*), count(DISTINCT device) FROM quarantine
WHERE received_at > %(since)s AND replayed_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1;

-- name: replayed
-- How many uplinks were refused since a moment and replayed.
SELECT count(*) FROM quarantine WHERE received_at > %(since)s AND replayed_at IS NOT NULL;

-- name: without
-- Assets of a kind in service that lack an attribute.
SELECT asset FROM asset
WHERE kind = %(kind)s AND (retired_at IS NULL OR retired_at > city_now()) AND NOT attributes ? %(attribute)s
ORDER BY 1;

-- name: above
-- Assets of a kind in service of which one attribute is above another.
SELECT asset FROM asset
WHERE kind = %(kind)s AND (retired_at IS NULL OR retired_at > city_now())
  AND (attributes ->> %(lower)s)::double precision > (attributes ->> %(upper)s)::double precision
ORDER BY 1;

-- name: without_zone
-- Bays in service that belong to no zone.
SELECT asset FROM asset
WHERE kind = 'parking_bay' AND (retired_at IS NULL OR retired_at > city_now()) AND zone IS NULL
ORDER BY 1;
