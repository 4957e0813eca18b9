-- What the Overview asks of the database, in Grafana's SQL: its macros and variables, and figures (`:name`) that the
-- code puts in from the rules' thresholds and the kinds. The present moment is city_now(), never the server's clock.

-- name: online
-- The share of assets in service that are online. One that was never heard is not.
SELECT 100.0 * count(*) FILTER (WHERE l.online) / nullif(count(*), 0) AS "online"
FROM latest l
JOIN asset a USING (asset_id)
WHERE coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
LIMIT 1

-- name: active_alarms
-- Alarms that want attention. Those about no single asset show in every zone.
SELECT count(*) AS "active"
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE alarm.state NOT IN ('normal', 'shelved')
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
LIMIT 1

-- name: readings_of_last_minutes
-- One part of the ingest rate: the observations of one kind in the last :rate_minutes minutes of the city. The tables
-- are looked up asset by asset, because their index begins with the asset.
SELECT count(*) AS readings
FROM asset a
JOIN :table o USING (asset_id)
WHERE o.observed_at > city_now() - interval '1 minute' * :rate_minutes AND o.observed_at <= city_now()

-- name: ingest
-- How much comes in now, and what today's ledger has stored (UTC day).
SELECT (SELECT sum(readings) FROM (
:parts
) AS kinds) / :rate_minutes AS "per minute",
       coalesce((SELECT stored FROM ledger WHERE day = (city_now() AT TIME ZONE 'UTC')::date), 0) AS "stored today"
LIMIT 1

-- name: age
-- How long ago the newest observation arrived.
SELECT extract(epoch FROM city_now() - max(l.received_at)) AS "age"
FROM latest l
JOIN asset a USING (asset_id)
WHERE coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
LIMIT 1

-- name: failed_commands
-- Commands of the chosen time that devices did not carry out.
SELECT count(*) AS "failed"
FROM command c
JOIN asset a USING (asset_id)
WHERE $__timeFilter(c.queued_at) AND c.state IN ('failed', 'rejected', 'expired')
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})

-- name: free_bays
-- Free and all bays, as published.
SELECT coalesce(sum(free), 0) AS "free", coalesce(sum(capacity), 0) AS "bays"
FROM parking_zone_now
WHERE zone IN (${zone:sqlstring})
LIMIT 1

-- name: map
-- Every asset with a place, and the worst that is to be said of it: 0 in order, 1 silent, 2 alarm, 3 critical alarm.
SELECT a.lat AS latitude, a.lon AS longitude, coalesce(nullif(a.name, ''), a.asset) AS "Asset", a.kind AS "Kind",
       coalesce(z.name, a.zone) AS "Zone",
       CASE WHEN alarmed.critical THEN 3 WHEN alarmed.asset IS NOT NULL THEN 2
            WHEN l.online THEN 0 ELSE 1 END AS "State"
FROM latest l
JOIN asset a USING (asset_id)
LEFT JOIN zone z USING (zone)
LEFT JOIN (
    SELECT asset, bool_or(severity = 'critical') AS critical FROM alarm
    WHERE state NOT IN ('normal', 'shelved') AND severity <> 'info' GROUP BY asset
) alarmed ON alarmed.asset = a.asset
WHERE a.lat IS NOT NULL AND a.lon IS NOT NULL
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
ORDER BY "State", a.asset
LIMIT 10000

-- name: free_bays_trend
-- Free bays over time: at each moment the last word of every bay, unless it had been silent for too long. A silent bay
-- is unknown, never free; reserved bays count apart. Where the time range is longer than :moments_days days: how many
-- were free on average in each hour, of those heard in it.
SELECT to_timestamp(moment) AS "time", coalesce(z.name, a.zone, 'Without zone') AS metric,
       count(*) FILTER (WHERE NOT heard.occupied) AS value
FROM generate_series(
    ($__unixEpochFrom()::bigint * 1000 / $__interval_ms + 1) * $__interval_ms / 1000,
    least($__unixEpochTo()::bigint, extract(epoch FROM city_now())::bigint),
    $__interval_ms / 1000
) AS moment
CROSS JOIN asset a
JOIN report_interval i USING (asset_id)
LEFT JOIN zone z USING (zone)
CROSS JOIN LATERAL (
    SELECT o.occupied FROM parking_bay o
    WHERE o.asset_id = a.asset_id AND o.observed_at <= to_timestamp(moment)
      AND o.observed_at > to_timestamp(moment) - interval '1 second' * :missed_intervals * i.every_s
    ORDER BY o.observed_at DESC
    LIMIT 1
) heard
WHERE $__unixEpochTo() - $__unixEpochFrom() <= :moments_days * 86400
  AND a.kind = 'parking_bay' AND a.attributes ->> 'reserved_for' IS NULL
  AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1, 2
UNION ALL
SELECT h.bucket, coalesce(z.name, a.zone, 'Without zone'), round(sum(1 - h.occupied_true_count::float8 / h.occupied_n))
FROM parking_bay_hourly h
JOIN asset a USING (asset_id)
LEFT JOIN zone z USING (zone)
WHERE $__unixEpochTo() - $__unixEpochFrom() > :moments_days * 86400 AND $__timeFilter(h.bucket) AND h.occupied_n > 0
  AND a.attributes ->> 'reserved_for' IS NULL AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 2

-- name: lamp_level
-- What the lamps give on average, and what was asked of them; from hourly rollups beyond :moments_days days.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time",
       avg(o.level_pct) AS "level", avg(o.setpoint_pct) AS "setpoint"
FROM streetlight o
JOIN asset a USING (asset_id)
WHERE $__unixEpochTo() - $__unixEpochFrom() <= :moments_days * 86400
  AND $__timeFilter(o.observed_at) AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1
UNION ALL
SELECT $__timeGroup(h.bucket, $__interval) AS "time", sum(h.level_pct_avg * h.level_pct_n) / nullif(sum(h.level_pct_n), 0),
       sum(h.setpoint_pct_avg * h.setpoint_pct_n) / nullif(sum(h.setpoint_pct_n), 0)
FROM streetlight_hourly h
JOIN asset a USING (asset_id)
WHERE $__unixEpochTo() - $__unixEpochFrom() > :moments_days * 86400
  AND $__timeFilter(h.bucket) AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1
ORDER BY 1

-- name: drain_levels
-- The highest water of each drain in the chosen time: every reading, or every hour's beyond :moments_days days.
SELECT o.asset_id, o.observed_at, o.level_m FROM drain_level o
WHERE $__unixEpochTo() - $__unixEpochFrom() <= :moments_days * 86400 AND $__timeFilter(o.observed_at)
UNION ALL
SELECT h.asset_id, h.bucket, h.level_m_max FROM drain_level_hourly h
WHERE $__unixEpochTo() - $__unixEpochFrom() > :moments_days * 86400 AND $__timeFilter(h.bucket)

-- name: nearest_drains
-- The :drains drains whose water came nearest to the crown of their pipe; those without a registered crown are left out.
-- Names that are there twice get the asset behind them, because Grafana would draw one line for both.
SELECT d.asset_id, d.name, d.crown_m, d.ground_m
FROM (
    SELECT a.asset_id,
           coalesce(nullif(a.name, '') || CASE WHEN count(*) OVER (PARTITION BY a.name) > 1
                                               THEN ' (' || a.asset || ')' ELSE '' END, a.asset) AS name,
           (a.attributes ->> 'crown_m')::float8 AS crown_m, (a.attributes ->> 'ground_m')::float8 AS ground_m
    FROM asset a
    WHERE a.kind = 'drain_level' AND coalesce(a.zone, '-') IN (${zone:sqlstring})
) d
JOIN levels o USING (asset_id)
WHERE d.crown_m IS NOT NULL
GROUP BY 1, 2, 3, 4
ORDER BY max(o.level_m) - d.crown_m DESC
LIMIT :drains

-- name: drain_level
-- The water against the crown of the pipe, which is 0 m.
WITH levels AS MATERIALIZED (:levels), nearest AS (:nearest)
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", nearest.name AS metric,
       max(o.level_m) - nearest.crown_m AS value
FROM nearest
JOIN levels o USING (asset_id)
GROUP BY 1, 2, nearest.crown_m
ORDER BY 1, 2

-- name: drain_stage
-- Stage of the same drains: 0 normal, 1 pre-alarm, 2 from the crown (Einstau), 3 from the ground (Überstau).
WITH levels AS MATERIALIZED (:levels), nearest AS (:nearest)
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", nearest.name AS metric,
       CASE WHEN max(o.level_m) >= nearest.ground_m THEN 3 WHEN max(o.level_m) >= nearest.crown_m THEN 2
            WHEN max(o.level_m) >= nearest.crown_m - :pre_alarm_m THEN 1 ELSE 0 END AS value
FROM nearest
JOIN levels o USING (asset_id)
GROUP BY 1, 2, nearest.crown_m, nearest.ground_m
ORDER BY 1, 2

-- name: energy
-- Energy drawn by the lamps: in each hour, or in each local day where the time range is longer than :hours_days days.
-- Resets and exchanged controllers are left out.
SELECT h.bucket AS "time", coalesce(z.name, a.zone, 'Without zone') AS metric, sum(h.energy_kwh_delta) AS value
FROM streetlight_hourly h
JOIN asset a USING (asset_id)
LEFT JOIN zone z USING (zone)
WHERE $__unixEpochTo() - $__unixEpochFrom() <= :hours_days * 86400
  AND $__timeFilter(h.bucket) AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1, 2
UNION ALL
SELECT d.bucket, coalesce(z.name, d.zone), d.energy_kwh_delta
FROM zone_daily d
LEFT JOIN zone z USING (zone)
WHERE $__unixEpochTo() - $__unixEpochFrom() > :hours_days * 86400
  AND d.kind = 'streetlight' AND $__timeFilter(d.bucket) AND d.zone IN (${zone:sqlstring})
UNION ALL
SELECT d.bucket, 'Without zone', sum(d.energy_kwh_delta)
FROM streetlight_daily d
JOIN asset a USING (asset_id)
WHERE $__unixEpochTo() - $__unixEpochFrom() > :hours_days * 86400
  AND a.zone IS NULL AND $__timeFilter(d.bucket) AND '-' IN (${zone:sqlstring})
GROUP BY 1
ORDER BY 1, 2

-- name: readings_of_kind
-- One part of the readings over time: one kind. The interval that is not over yet is left out. From hourly rollups
-- beyond :moments_days days.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", ':words' AS metric,
       count(*) * 60000.0 / $__interval_ms AS value
FROM asset a
JOIN :table o USING (asset_id)
WHERE $__unixEpochTo() - $__unixEpochFrom() <= :moments_days * 86400 AND $__timeFilter(o.observed_at)
  AND o.observed_at < to_timestamp(floor(extract(epoch FROM city_now()) * 1000 / $__interval_ms) * $__interval_ms / 1000)
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY 1
UNION ALL
SELECT $__timeGroup(h.bucket, $__interval) AS "time", ':words' AS metric,
       sum(h.count) * 60000.0 / greatest($__interval_ms, 3600000) AS value
FROM asset a
JOIN :hourly h USING (asset_id)
WHERE $__unixEpochTo() - $__unixEpochFrom() > :moments_days * 86400 AND $__timeFilter(h.bucket)
  AND h.bucket < date_bin('1 hour', city_now(), '2000-01-01Z')
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY 1

-- name: devices
-- How many assets of each kind are in service, are online, are silent and were never heard.
SELECT replace(a.kind, '_', ' ') AS "Kind", count(*) AS "Assets",
       count(*) FILTER (WHERE l.online) AS "Online",
       count(*) FILTER (WHERE NOT l.online AND l.observed_at IS NOT NULL) AS "Silent",
       count(*) FILTER (WHERE NOT l.online AND l.observed_at IS NULL) AS "Never heard"
FROM latest l
JOIN asset a USING (asset_id)
WHERE coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY a.kind
ORDER BY a.kind
LIMIT 100

-- name: silent
-- The assets that are not online, longest silence first.
SELECT coalesce(nullif(a.name, ''), a.asset) AS "Asset", replace(a.kind, '_', ' ') AS "Kind",
       coalesce(z.name, a.zone) AS "Zone", l.age_s AS "Silent for",
       (l.fields ->> 'battery_pct')::float8 AS "Battery", a.asset AS asset, :board AS board
FROM latest l
JOIN asset a USING (asset_id)
LEFT JOIN zone z USING (zone)
WHERE NOT l.online AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
ORDER BY l.age_s DESC NULLS FIRST, a.asset
LIMIT 100

-- name: ledger
-- The proof that nothing is lost, day by day (UTC), with what the last comparison with the rows that are there found.
SELECT to_char(l.day, 'YYYY-MM-DD') AS "Day", l.received AS "Received", l.stored AS "Stored",
       l.duplicate AS "Duplicate", l.quarantined AS "Quarantined", l.replayed AS "Replayed",
       CASE WHEN c.day IS NULL THEN 'none' WHEN c.differs_since IS NULL THEN 'balances' ELSE 'differs' END AS "Check"
FROM ledger l
LEFT JOIN ledger_check c ON c.day = l.day
ORDER BY l.day DESC
LIMIT 7
