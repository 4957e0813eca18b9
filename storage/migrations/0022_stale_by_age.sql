-- A zone's word is stale once it is older than `ttl_s`, in SQL as in the API: it was so only where the word said so
-- itself, and no word does, so that what rules had said before they stopped looked fresh for ever.

-- As `lamplighter migrate` was last told; under a fast city clock at least as much real time.
ALTER TABLE city ADD COLUMN ttl_s integer NOT NULL DEFAULT 60 CHECK (ttl_s > 0);

CREATE OR REPLACE VIEW parking_zone_now AS
SELECT z.zone, z.document ->> 'name' AS name,
       (z.document ->> 'lat')::float8 AS lat, (z.document ->> 'lon')::float8 AS lon,
       (z.document ->> 'capacity')::int AS capacity, (z.document ->> 'free')::int AS free,
       (z.document ->> 'free_min')::int AS free_min, (z.document ->> 'free_max')::int AS free_max,
       (z.document ->> 'occupied')::int AS occupied, (z.document ->> 'unknown')::int AS unknown,
       (z.document ->> 'closed')::int AS closed, z.document -> 'restricted' AS restricted,
       z.document ->> 'trend' AS trend, (z.document ->> 'verified_at')::timestamptz AS verified_at,
       coalesce((z.document ->> 'stale')::boolean, false) OR z.updated_at < (SELECT city_now() - make_interval(
           secs => coalesce((SELECT ttl_s FROM city), 60) * greatest(1, (SELECT speed FROM city_clock)))) AS stale,
       z.updated_at, z.document -> 'forecast' AS forecast
FROM zone_availability z;
