-- What is asked about alarms and commands, in Grafana's SQL (see overview.sql). Columns in lower case are hidden: links
-- read them.

-- name: alarms
-- What wants attention, worst and newest first; shelved alarms last.
SELECT alarm.severity AS "Severity",
       replace(alarm.type, '_', ' ') AS "Alarm",
       coalesce(nullif(a.name, ''), alarm.asset, alarm.subject) AS "Where",
       coalesce(z.name, a.zone) AS "Zone",
       alarm.state AS "State",
       alarm.raised_at AS "Raised",
       extract(epoch FROM city_now() - alarm.raised_at) AS "For",
       alarm.id AS id, a.asset AS asset, a.zone AS zone, :board AS board
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
LEFT JOIN zone z ON z.zone = a.zone
WHERE alarm.state <> 'normal'
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
ORDER BY alarm.state = 'shelved', array_position(ARRAY['critical', 'warning', 'info'], alarm.severity), alarm.raised_at DESC
LIMIT 200

-- name: alarms_of_asset
-- The alarms that one asset has had, newest first.
SELECT alarm.severity AS "Severity", replace(alarm.type, '_', ' ') AS "Alarm", alarm.state AS "State",
       alarm.raised_at AS "Raised", alarm.cleared_at AS "Over", alarm.id AS id
FROM alarm
WHERE alarm.asset IN (${asset:sqlstring})
ORDER BY alarm.raised_at DESC, alarm.id
LIMIT 50

-- name: counts
-- How many alarms are active, wait for somebody, are shelved, and were raised in the chosen time.
SELECT count(*) FILTER (WHERE alarm.state NOT IN ('normal', 'shelved')) AS "active",
       count(*) FILTER (WHERE alarm.state IN ('unacknowledged', 'returned_unacknowledged')) AS "not acknowledged",
       count(*) FILTER (WHERE alarm.state = 'shelved') AS "shelved",
       count(*) FILTER (WHERE $__timeFilter(alarm.raised_at)) AS "raised"
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
LIMIT 1

-- name: followed
-- Of the chosen time's setpoint commands that have come to an end, the share that the lamp was seen to follow. What a
-- newer command replaced says nothing, and what asks for reports is never verified.
SELECT 100.0 * count(*) FILTER (WHERE c.state = 'verified') / nullif(count(*), 0) AS "followed"
FROM command c
JOIN asset a USING (asset_id)
WHERE $__timeFilter(c.queued_at) AND c.settings ? 'setpoint_pct'
  AND c.state IN ('verified', 'failed', 'rejected', 'expired')
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})

-- name: raised
-- How many alarms of each type were raised in each interval.
SELECT $__timeGroup(alarm.raised_at, $__interval) AS "time", replace(alarm.type, '_', ' ') AS metric, count(*) AS value
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE $__timeFilter(alarm.raised_at)
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
GROUP BY 1, 2
ORDER BY 1, 2

-- name: commanded
-- What became of the commands of each interval.
SELECT $__timeGroup(c.queued_at, $__interval) AS "time", c.state AS metric, count(*) AS value
FROM command c
JOIN asset a USING (asset_id)
WHERE $__timeFilter(c.queued_at)
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 2

-- name: types
-- Which alarms come most often in the chosen time, how long they stood and how long people took to acknowledge them.
SELECT replace(alarm.type, '_', ' ') AS "Alarm", count(*) AS "Raised",
       count(DISTINCT alarm.subject) AS "Subjects",
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM coalesce(alarm.cleared_at, city_now()) - alarm.raised_at)) AS "Stood",
       percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM alarm.acknowledged_at - alarm.raised_at)) AS "Acknowledged after"
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE $__timeFilter(alarm.raised_at)
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
GROUP BY alarm.type
ORDER BY 2 DESC, 1
LIMIT 50

-- name: history
-- The alarms raised in the chosen time, newest first.
SELECT alarm.severity AS "Severity", replace(alarm.type, '_', ' ') AS "Alarm",
       coalesce(nullif(a.name, ''), alarm.asset, alarm.subject) AS "Where",
       alarm.state AS "State", alarm.raised_at AS "Raised", alarm.cleared_at AS "Over",
       alarm.acknowledged_by AS "Acknowledged by",
       alarm.id AS id, a.asset AS asset, :board AS board
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE $__timeFilter(alarm.raised_at)
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
ORDER BY alarm.raised_at DESC, alarm.id
LIMIT 500

-- name: commands
-- The commands of the chosen time, newest first.
SELECT c.queued_at AS "Queued", coalesce(nullif(a.name, ''), a.asset) AS "Where",
       (c.settings ->> 'setpoint_pct')::float8 AS "Setpoint",
       (c.settings ->> 'report_every_s')::float8 AS "Report every",
       c.reason AS "Reason", coalesce(c.by, 'rules') AS "By", c.state AS "State",
       extract(epoch FROM coalesce(c.verified_at, c.acknowledged_at) - c.queued_at) AS "Took", c.error AS "Error",
       a.asset AS asset, :board AS board
FROM command c
JOIN asset a USING (asset_id)
WHERE $__timeFilter(c.queued_at)
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
  :of_asset
ORDER BY c.queued_at DESC, c.id
LIMIT 500

-- name: rule_versions
-- Which version of the rules was active when, newest first.
SELECT v.activated_at AS "Active from", v.version AS "Version", v.author AS "By"
FROM rule_activation v
ORDER BY v.id DESC
LIMIT 20
