-- What is asked about one drain, in Grafana's SQL (see overview.sql, asset.sql).

-- name: level
-- Its water with the heights that matter: crown and ground as registered, the pre-alarm as the active rules have it.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", max(o.level_m) AS "water",
       max((a.attributes ->> 'crown_m')::float8) AS "crown", max((a.attributes ->> 'ground_m')::float8) AS "ground",
       max((a.attributes ->> 'crown_m')::float8 - :pre_alarm) AS "pre-alarm"
FROM drain_level o
JOIN asset a USING (asset_id)
WHERE $__timeFilter(o.observed_at) AND a.asset IN (${asset:sqlstring})
GROUP BY 1
ORDER BY 1

-- name: now
-- Its last level, and what is left below the crown and the ground.
SELECT (l.fields ->> 'level_m')::float8 AS "water",
       (a.attributes ->> 'crown_m')::float8 - (l.fields ->> 'level_m')::float8 AS "to the crown",
       (a.attributes ->> 'ground_m')::float8 - (l.fields ->> 'level_m')::float8 AS "to the ground"
FROM latest l
JOIN asset a USING (asset_id)
WHERE a.asset IN (${asset:sqlstring})
LIMIT 1

-- name: rise
-- How fast the water rises, in m/h: over the rules' window before its last report.
SELECT regr_slope(o.level_m, extract(epoch FROM o.observed_at)) * 3600 AS "rise"
FROM latest l
JOIN asset a USING (asset_id)
JOIN drain_level o ON o.asset_id = a.asset_id
                  AND o.observed_at BETWEEN l.observed_at - interval '1 second' * :window_s AND l.observed_at
WHERE a.asset IN (${asset:sqlstring})
LIMIT 1

-- name: stage
-- Its stage: 0 normal, 1 pre-alarm, 2 from the crown (Einstau), 3 from the ground (Überstau).
SELECT $__timeGroup(o.observed_at, $__interval) AS "time",
       max(CASE WHEN o.level_m >= (a.attributes ->> 'ground_m')::float8 THEN 3
                WHEN o.level_m >= (a.attributes ->> 'crown_m')::float8 THEN 2
                WHEN o.level_m >= (a.attributes ->> 'crown_m')::float8 - :pre_alarm THEN 1 ELSE 0 END) AS "stage"
FROM drain_level o
JOIN asset a USING (asset_id)
WHERE $__timeFilter(o.observed_at) AND a.asset IN (${asset:sqlstring})
GROUP BY 1
ORDER BY 1

-- name: rain
-- The rain on it: of the asset that is registered as its rain gauge, else its own.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", max(o.rain_mm_h) AS "rain"
FROM asset a
JOIN asset gauge ON gauge.asset = coalesce(a.attributes ->> 'rain_from', a.asset)
JOIN drain_level o ON o.asset_id = gauge.asset_id
WHERE $__timeFilter(o.observed_at) AND a.asset IN (${asset:sqlstring}) AND o.rain_mm_h IS NOT NULL
GROUP BY 1
ORDER BY 1
