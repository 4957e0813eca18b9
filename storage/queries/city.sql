-- The city as a whole.

-- name: forget_clock
-- The city clock is the real one.
DELETE FROM city_clock;

-- name: set_clock
-- The city clock starts elsewhere or runs faster.
INSERT INTO city_clock (start_at, anchor_at, speed) VALUES (%(start)s, %(anchor)s, %(speed)s)
ON CONFLICT (one) DO UPDATE SET (start_at, anchor_at, speed) = (excluded.start_at, excluded.anchor_at, excluded.speed);

-- name: newest
-- When the newest observation arrived.
SELECT max(received_at) FROM latest_observation;

-- name: take_farewells_back
-- Devices that said goodbye since then are as they were before.
UPDATE device SET online = true, status_at = %(since)s WHERE NOT online AND status_at >= %(since)s;

-- name: middle
-- The median of the places of assets in service, which no single slip moves.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lat), percentile_cont(0.5) WITHIN GROUP (ORDER BY lon)
FROM asset WHERE retired_at IS NULL AND lat IS NOT NULL;

-- name: timezone
-- The time zone by which local days are cut.
SELECT timezone FROM city;

-- name: settle
-- Note the mode, once and for all, and the time zone.
INSERT INTO city (timezone, mode) VALUES (%(timezone)s, %(mode)s)
ON CONFLICT (one) DO UPDATE SET timezone = excluded.timezone;

-- name: set_ttl
-- Note after how many seconds a zone's word is stale.
UPDATE city SET ttl_s = %(ttl_s)s WHERE ttl_s <> %(ttl_s)s;

-- name: kind
-- Note a kind of the code.
INSERT INTO kind (kind, report_every_s) VALUES (%(kind)s, %(report_every_s)s)
ON CONFLICT (kind) DO UPDATE SET report_every_s = excluded.report_every_s
WHERE kind.report_every_s <> excluded.report_every_s;

-- name: extension
-- Whether TimescaleDB is created here, and whether the server offers it.
SELECT (SELECT count(*) > 0 FROM pg_extension WHERE extname = 'timescaledb'),
       (SELECT count(*) > 0 FROM pg_available_extensions WHERE name = 'timescaledb');

-- name: license
-- Under the licence 'apache' TimescaleDB has neither compression nor continuous aggregates.
SELECT coalesce(current_setting('timescaledb.license', true), 'timescale');
