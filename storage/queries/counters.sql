-- The increase of cumulative counters. {kind} is the observation table, {field} the counter.

-- name: increase
-- By asset and hour: the sum of the differences between consecutive readings, each in the hour of the later one. A
-- difference below zero is a reset; one across a change of the asset's device compares two meters: neither counts.
SELECT r.asset_id, r.hour AS bucket,
       sum(r.value - r.before) FILTER (WHERE r.value >= r.before AND NOT EXISTS (
           SELECT FROM installation n
           WHERE n.asset_id = r.asset_id AND n.valid_from > r.before_at AND n.valid_from <= r.observed_at
       )) AS increase
FROM (
    SELECT i.asset_id, i.hour, i.observed_at, i.value,
           coalesce(i.before, p.value) AS before, coalesce(i.before_at, p.observed_at) AS before_at
    FROM (
        SELECT a.asset_id, h.hour, o.observed_at, o.{field} AS value,
               lag(o.{field}) OVER consecutive AS before, lag(o.observed_at) OVER consecutive AS before_at
        FROM unnest(%(hours)s::timestamptz[]) AS h (hour)
        CROSS JOIN (SELECT asset_id FROM asset WHERE kind = %(kind)s) a
        CROSS JOIN LATERAL (
            SELECT observed_at, {field} FROM {kind} row
            WHERE row.asset_id = a.asset_id AND row.observed_at >= h.hour
              AND row.observed_at < h.hour + interval '1 hour' AND row.{field} IS NOT NULL
            OFFSET 0
        ) o
        WINDOW consecutive AS (PARTITION BY a.asset_id, h.hour ORDER BY o.observed_at)
    ) i
    LEFT JOIN LATERAL (
        SELECT observed_at, {field} AS value FROM {kind} row
        WHERE i.before_at IS NULL AND row.asset_id = i.asset_id AND row.observed_at < i.hour
          AND row.{field} IS NOT NULL
        ORDER BY row.observed_at DESC LIMIT 1
    ) p ON true
) r
GROUP BY r.asset_id, r.hour;

-- name: hours_after
-- The hours, by local day, of the readings that follow these hours: the difference that ends there may have changed.
SELECT d.day, (d.day AT TIME ZONE c.timezone + interval '1 day') AT TIME ZONE c.timezone AS day_end,
       array_agg(DISTINCT date_trunc('hour', n.observed_at, 'UTC')) AS hours
FROM city c
CROSS JOIN unnest(%(hours)s::timestamptz[]) AS h (hour)
CROSS JOIN (SELECT asset_id FROM asset WHERE kind = %(kind)s) a
CROSS JOIN LATERAL (
    SELECT FROM {kind} row
    WHERE row.asset_id = a.asset_id AND row.observed_at >= h.hour
      AND row.observed_at < h.hour + interval '1 hour' AND row.{field} IS NOT NULL
    LIMIT 1
) touched
CROSS JOIN LATERAL (
    SELECT observed_at FROM {kind} row
    WHERE row.asset_id = a.asset_id AND row.observed_at >= h.hour + interval '1 hour' AND row.{field} IS NOT NULL
    ORDER BY row.observed_at LIMIT 1
) n
CROSS JOIN LATERAL (SELECT date_trunc('day', date_trunc('hour', n.observed_at, 'UTC'), c.timezone) AS day) d
WHERE date_trunc('hour', n.observed_at, 'UTC') <> ALL (%(hours)s::timestamptz[])
GROUP BY d.day, c.timezone;
