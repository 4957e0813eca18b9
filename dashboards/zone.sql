-- What is asked about one zone, in Grafana's SQL (see overview.sql).

-- name: room
-- The least room between water and crown that any drain last reported.
SELECT min((a.attributes ->> 'crown_m')::float8 - (l.fields ->> 'level_m')::float8) AS "room"
FROM latest l
JOIN asset a USING (asset_id)
WHERE a.kind = 'drain_level' AND coalesce(a.zone, '-') IN (${zone:sqlstring})
LIMIT 1

-- name: lamps
-- What the lamps last reported to give and to be asked for, on average.
SELECT avg((l.fields ->> 'level_pct')::float8) AS "level", avg((l.fields ->> 'setpoint_pct')::float8) AS "setpoint"
FROM latest l
JOIN asset a USING (asset_id)
WHERE a.kind = 'streetlight' AND coalesce(a.zone, '-') IN (${zone:sqlstring})
LIMIT 1

-- name: assets
-- Every asset in service with what it last said, those silent first.
SELECT coalesce(nullif(a.name, ''), a.asset) AS "Asset", replace(a.kind, '_', ' ') AS "Kind",
       CASE WHEN l.online THEN 0 ELSE 1 END AS "State", l.age_s AS "Last report",
       (l.fields ->> 'battery_pct')::float8 AS "Battery", a.asset AS asset, :board AS board
FROM latest l
JOIN asset a USING (asset_id)
WHERE coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
ORDER BY l.online, a.kind, a.asset
LIMIT 1000

-- name: days
-- The last month day by day.
SELECT d.bucket AS "Day",
       sum(d.energy_kwh_delta) FILTER (WHERE d.kind = 'streetlight') AS "Energy",
       max(d.level_m_max) FILTER (WHERE d.kind = 'drain_level') AS "Highest water",
       100.0 * sum(d.occupied_true_count) / nullif(sum(d.occupied_n), 0) AS "Bays taken",
       sum(d.count) AS "Reports"
FROM zone_daily d
WHERE d.zone IN (${zone:sqlstring}) AND d.bucket > city_now() - interval '32 days' AND d.kind IN (${kind:sqlstring})
GROUP BY d.bucket
ORDER BY d.bucket DESC
LIMIT 31
