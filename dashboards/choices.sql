-- What every dashboard asks: the choices of its variables, and the marks on its trends, in Grafana's SQL.

-- name: zones
-- The choices of the variable zone. '-' stands for assets without a zone; no zone can be called so, and it keeps an
-- empty registry from making IN ().
SELECT zone AS __value, name AS __text FROM zone
UNION ALL
SELECT '-', 'Without zone'
ORDER BY __text
LIMIT 1000

-- name: assets
-- The choices of the variable asset: those of one kind in the chosen zones, '-' where there are none.
SELECT a.asset AS __value, coalesce(nullif(a.name, ''), a.asset) AS __text
FROM asset a
WHERE a.kind = ':of_kind' AND coalesce(a.zone, '-') IN (${zone:sqlstring})
  AND (a.retired_at IS NULL OR a.retired_at > city_now())
UNION ALL
SELECT '-', 'none' WHERE NOT EXISTS (
    SELECT FROM asset a WHERE a.kind = ':of_kind' AND coalesce(a.zone, '-') IN (${zone:sqlstring})
      AND (a.retired_at IS NULL OR a.retired_at > city_now()))
ORDER BY __text, __value
LIMIT 10000

-- name: alarm_regions
-- Alarms as regions in all trends, those that overlap as one; one that still holds reaches to the present.
SELECT min(begun) AS "time", max(ended) AS timeend, string_agg(text, E'\n' ORDER BY begun, id) AS text,
       string_agg(DISTINCT type, ',') AS tags
FROM (
    SELECT *, count(*) FILTER (WHERE begun > ended_before) OVER (ORDER BY begun, id) AS region
    FROM (
        SELECT *, max(ended) OVER (
            ORDER BY begun, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS ended_before
        FROM (
            SELECT alarm.id, alarm.type, alarm.raised_at AS begun,
                   coalesce(alarm.cleared_at, greatest(alarm.raised_at, city_now())) AS ended,
                   replace(alarm.type, '_', ' ') || ': ' || coalesce(nullif(a.name, ''), alarm.asset, alarm.subject)
                       AS text
            FROM alarm
            LEFT JOIN asset a ON a.asset = alarm.asset
            WHERE alarm.raised_at <= $__timeTo() AND coalesce(alarm.cleared_at, 'infinity') >= $__timeFrom()
              AND alarm.severity IN (:severities)
              AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
              :of_asset
        ) shown
    ) ordered
) parted
GROUP BY region
ORDER BY 1
LIMIT 500

-- name: warnings
-- Warnings as marks in all trends where they began, those of a quarter of an hour together. They have no region: in a
-- town some device is nearly always silent.
SELECT date_bin('15 minutes', alarm.raised_at, '2000-01-01Z') AS "time",
       string_agg(
           replace(alarm.type, '_', ' ') || ': ' || coalesce(nullif(a.name, ''), alarm.asset, alarm.subject),
           E'\n' ORDER BY alarm.raised_at, alarm.id
       ) AS text, string_agg(DISTINCT alarm.type, ',') AS tags
FROM alarm
LEFT JOIN asset a ON a.asset = alarm.asset
WHERE $__timeFilter(alarm.raised_at) AND alarm.severity = 'warning'
  AND (a.asset IS NULL OR coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring}))
GROUP BY 1
ORDER BY 1
LIMIT 500

-- name: commands_sent
-- Commands as marks in all trends, those of a quarter of an hour together. A command that only renews the lease of what
-- was asked before is left out, unless it was not carried out.
SELECT date_bin('15 minutes', c.queued_at, '2000-01-01Z') AS "time",
       'Commands (' || c.reason || '): ' || count(*) || ', not carried out: '
           || count(*) FILTER (WHERE c.state IN ('failed', 'rejected', 'expired')) AS text,
       'command,' || c.reason AS tags
FROM (
    SELECT asset_id, queued_at, reason, state, settings,
           lag(settings) OVER (PARTITION BY asset_id ORDER BY queued_at) AS settings_before
    FROM command
    WHERE queued_at BETWEEN $__timeFrom()::timestamptz - interval '1 second' * :lease_s AND $__timeTo()
      AND ($__unixEpochTo() - $__unixEpochFrom() <= :moments_days * 86400 OR reason = 'override'
           OR state IN ('failed', 'rejected', 'expired'))
) c
JOIN asset a USING (asset_id)
WHERE $__timeFilter(c.queued_at)
  AND (c.settings_before IS DISTINCT FROM c.settings OR c.state IN ('failed', 'rejected', 'expired'))
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
  :of_asset
GROUP BY 1, c.reason
ORDER BY 1, 2
LIMIT 500
