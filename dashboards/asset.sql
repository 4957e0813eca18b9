-- What is asked about one asset, whatever its kind, in Grafana's SQL (see overview.sql).

-- name: heard
-- How many report intervals it has been silent for, and how often it reports.
SELECT l.age_s / i.every_s AS "intervals", l.age_s AS "silent for", i.every_s AS "reports every"
FROM latest l
JOIN asset a USING (asset_id)
JOIN report_interval i USING (asset_id)
WHERE a.asset IN (${asset:sqlstring})
LIMIT 1

-- name: alarmed
-- Its active alarms.
SELECT count(*) AS "active" FROM alarm
WHERE alarm.asset IN (${asset:sqlstring}) AND alarm.state NOT IN ('normal', 'shelved')
LIMIT 1

-- name: latest
-- The newest figures of its last report.
SELECT :fields
FROM latest l
JOIN asset a USING (asset_id)
WHERE a.asset IN (${asset:sqlstring})
LIMIT 1

-- name: trend
-- Fields of it over time.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", :fields
FROM :table o
JOIN asset a USING (asset_id)
WHERE $__timeFilter(o.observed_at) AND a.asset IN (${asset:sqlstring}) AND :reported
GROUP BY 1
ORDER BY 1

-- name: devices
-- The hardware that has served it, the newest first.
SELECT i.device AS "Device", d.firmware AS "Firmware", nullif(i.valid_from, '-infinity') AS "From",
       nullif(i.valid_to, 'infinity') AS "Until", d.online AS "Online", d.status_at AS "Said at"
FROM installation i
JOIN asset a USING (asset_id)
JOIN device d USING (device)
WHERE a.asset IN (${asset:sqlstring})
ORDER BY i.valid_from DESC
LIMIT 50

-- name: figure
-- A figure of the active rules as it holds for the asset a: its own, its zone's, everybody's, else that of the code.
coalesce((
    SELECT coalesce(v.content::jsonb #>> ARRAY['assets', a.asset, ':section', ':of_name'],
                    v.content::jsonb #>> ARRAY['zones', a.zone, ':section', ':of_name'],
                    v.content::jsonb #>> ARRAY[':section', ':of_name'])::float8
    FROM rule_activation r JOIN rule_version v USING (version)
    ORDER BY r.id DESC
    LIMIT 1
), :default)
