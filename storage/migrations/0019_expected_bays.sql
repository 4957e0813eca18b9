-- Operators see what is expected of each zone, as residents do: the forecast of the zone document.

CREATE OR REPLACE VIEW parking_zone_now AS
SELECT z.zone, z.document ->> 'name' AS name,
       (z.document ->> 'lat')::float8 AS lat, (z.document ->> 'lon')::float8 AS lon,
       (z.document ->> 'capacity')::int AS capacity, (z.document ->> 'free')::int AS free,
       (z.document ->> 'free_min')::int AS free_min, (z.document ->> 'free_max')::int AS free_max,
       (z.document ->> 'occupied')::int AS occupied, (z.document ->> 'unknown')::int AS unknown,
       (z.document ->> 'closed')::int AS closed, z.document -> 'restricted' AS restricted,
       z.document ->> 'trend' AS trend, (z.document ->> 'verified_at')::timestamptz AS verified_at,
       (z.document ->> 'stale')::boolean AS stale, z.updated_at, z.document -> 'forecast' AS forecast
FROM zone_availability z;
