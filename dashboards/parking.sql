-- What is asked about parking, in Grafana's SQL (see overview.sql). Nothing here tells of a single vehicle's stay.

-- name: now
-- Free bays now, as published, with the range that is honest.
SELECT coalesce(sum(free), 0) AS "free", coalesce(sum(free_min), 0) AS "at least", coalesce(sum(free_max), 0) AS "at most"
FROM parking_zone_now
WHERE zone IN (${zone:sqlstring})
LIMIT 1

-- name: left_out
-- Bays of which nothing is known, and closed ones.
SELECT coalesce(sum(unknown), 0) AS "unknown", coalesce(sum(closed), 0) AS "closed"
FROM parking_zone_now
WHERE zone IN (${zone:sqlstring})
LIMIT 1

-- name: taken
-- The share of the bays with a known state that is taken, as published.
SELECT 100.0 * sum(occupied) / nullif(sum(occupied + free), 0) AS "taken"
FROM parking_zone_now
WHERE zone IN (${zone:sqlstring})
LIMIT 1

-- name: age
-- How old the oldest of the zones' words is.
SELECT extract(epoch FROM city_now() - min(verified_at)) AS "age"
FROM parking_zone_now
WHERE zone IN (${zone:sqlstring})
LIMIT 1

-- name: zones
-- Every zone as published, with the free bays expected soon and how far they may be off, once that is known.
SELECT p.name AS "Zone", p.free AS "Free", p.free_min AS "At least", p.free_max AS "At most",
       soon.of_15 AS "In 15 min", soon.of_30 AS "In 30 min", soon.of_60 AS "In 60 min",
       p.capacity AS "Bays", p.unknown AS "Unknown", p.closed AS "Closed",
       100.0 * p.occupied / nullif(p.occupied + p.free, 0) AS "Taken", p.trend AS "Trend",
       extract(epoch FROM city_now() - p.verified_at) AS "Age", p.zone AS zone
FROM parking_zone_now p
CROSS JOIN LATERAL (
    SELECT max(said) FILTER (WHERE minutes = '15') AS of_15, max(said) FILTER (WHERE minutes = '30') AS of_30,
           max(said) FILTER (WHERE minutes = '60') AS of_60
    FROM (
        SELECT e ->> 'minutes' AS minutes,
               CASE WHEN (e ->> 'learning')::boolean THEN e ->> 'free'
                    ELSE format('%s (%s to %s)', e ->> 'free', e ->> 'free_low', e ->> 'free_high') END AS said
        FROM jsonb_array_elements(p.forecast) e
    ) expected
) soon
WHERE p.zone IN (${zone:sqlstring})
ORDER BY p.name
LIMIT 500

-- name: taken_trend
-- The share of bays that said they were taken, over each interval; from hourly sums where the time range is long.
SELECT h.bucket AS "time", coalesce(z.name, a.zone, 'Without zone') AS metric,
       100.0 * sum(h.occupied_true_count) / nullif(sum(h.occupied_n), 0) AS value
FROM parking_bay_hourly h
JOIN asset a USING (asset_id)
LEFT JOIN zone z USING (zone)
WHERE $__timeFilter(h.bucket) AND coalesce(a.zone, '-') IN (${zone:sqlstring})
GROUP BY 1, 2
HAVING sum(h.occupied_n) > 0
ORDER BY 1, 2

-- name: silent_bays
-- Bays in service that are not online: they count as unknown, never as free.
SELECT coalesce(nullif(a.name, ''), a.asset) AS "Bay", coalesce(z.name, a.zone) AS "Zone",
       l.age_s AS "Silent for", i.every_s AS "Reports every", (l.fields ->> 'battery_pct')::float8 AS "Battery",
       a.zone AS zone
FROM latest l
JOIN asset a USING (asset_id)
JOIN report_interval i USING (asset_id)
LEFT JOIN zone z USING (zone)
WHERE a.kind = 'parking_bay' AND NOT l.online AND coalesce(a.zone, '-') IN (${zone:sqlstring})
ORDER BY l.age_s DESC NULLS FIRST, a.asset
LIMIT 200

-- name: days
-- The last month's days, zone by zone.
SELECT d.bucket AS "Day", coalesce(z.name, d.zone) AS "Zone", d.assets AS "Bays heard",
       100.0 * d.occupied_true_count / nullif(d.occupied_n, 0) AS "Taken", d.count AS "Reports"
FROM zone_daily d
LEFT JOIN zone z USING (zone)
WHERE d.kind = 'parking_bay' AND d.zone IN (${zone:sqlstring}) AND d.bucket > city_now() - interval '32 days'
ORDER BY d.bucket DESC, 2
LIMIT 1000
