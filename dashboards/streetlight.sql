-- What is asked about one street light, in Grafana's SQL (see overview.sql, asset.sql).

-- name: drawn
-- The energy that it drew in the chosen time, by whole hours; resets and exchanged controllers are left out.
SELECT sum(h.energy_kwh_delta) AS "energy"
FROM streetlight_hourly h
JOIN asset a USING (asset_id)
WHERE $__timeFilter(h.bucket) AND a.asset IN (${asset:sqlstring})

-- name: energy
-- The energy that it drew in each hour.
SELECT h.bucket AS "time", h.energy_kwh_delta AS "energy"
FROM streetlight_hourly h
JOIN asset a USING (asset_id)
WHERE $__timeFilter(h.bucket) AND a.asset IN (${asset:sqlstring}) AND h.energy_kwh_delta IS NOT NULL
ORDER BY 1
