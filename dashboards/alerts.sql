-- What Grafana's alert rules ask, in Grafana's SQL as time series: a row for each instance, with its labels.

-- name: mirror
-- One instance for each active alarm of a severity; it is gone with the alarm. Shelved alarms tell nobody.
SELECT $__timeTo()::timestamptz AS "time", alarm.id AS alarm, replace(alarm.type, '_', ' ') AS type,
       coalesce(nullif(a.name, ''), alarm.asset, alarm.subject) AS place, coalesce(z.name, a.zone, '-') AS zone,
       to_char(alarm.raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') AS raised, 1 AS value
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
LEFT JOIN zone z ON z.zone = a.zone
WHERE alarm.state NOT IN ('normal', 'shelved') AND alarm.severity = ':severity'
ORDER BY 1, 2
LIMIT 1000

-- name: blind
-- How many seconds ago the newest observation of anything arrived.
SELECT $__timeTo()::timestamptz AS "time", extract(epoch FROM city_now() - max(l.received_at)) AS value
FROM latest l
HAVING max(l.received_at) IS NOT NULL
ORDER BY 1
LIMIT 1
