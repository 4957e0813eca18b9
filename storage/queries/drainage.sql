-- What drains did, for the water authority.

-- name: events
-- Einstau and Überstau that touch a span, oldest first: from the reading that was the cause to the one that began the
-- clearing, which the alarm names by its clear delay; with the highest reading, of rollups where rows have gone. No
-- reading further above the ground than given is believed.
SELECT a.asset_id, l.asset, l.type, l.observed_at AS began,
       l.cleared_at - make_interval(secs => coalesce((l.why #>> '{thresholds,clear_delay_s}')::double precision, 0))
           AS ended,
       coalesce(
           (SELECT max(o.level_m) FROM drain_level o
            WHERE o.asset_id = a.asset_id AND o.level_m <= b.level_m_max
              AND o.observed_at >= l.observed_at AND o.observed_at <= coalesce(l.cleared_at, %(until)s)),
           (SELECT max(h.level_m_max) FROM drain_level_hourly h
            WHERE h.asset_id = a.asset_id AND h.level_m_max <= b.level_m_max
              AND h.bucket >= date_trunc('hour', l.observed_at) AND h.bucket <= coalesce(l.cleared_at, %(until)s))
       ) AS peak_m
FROM alarm l
JOIN asset a USING (asset)
CROSS JOIN LATERAL (
    SELECT coalesce((a.attributes ->> 'ground_m')::double precision + %(above_m)s, 'infinity') AS level_m_max
) b
WHERE l.type IN ('drain_high', 'drain_overflow')
  AND l.observed_at < %(until)s AND coalesce(l.cleared_at, 'infinity') > %(since)s
ORDER BY l.observed_at, l.asset, l.type;

-- name: drains
-- Drains that were served in a span, by name: how many readings came, how many of them count (of each hour no more than
-- one an interval), and how many were to be expected of the devices that served them. A device that is registered as
-- serving since ever is expected from its drain's first reading on, or from when the registry last changed what it says
-- of the drain, whichever is earlier: both say that it was there.
SELECT a.asset_id, a.asset, a.name, a.zone, a.attributes, i.every_s, s.served_s / i.every_s AS expected,
       coalesce(h.received, 0)::bigint AS received, coalesce(h.counted, 0)::double precision AS counted
FROM asset a
JOIN report_interval i USING (asset_id)
LEFT JOIN LATERAL (
    SELECT coalesce((
        SELECT o.observed_at FROM drain_level o
        WHERE o.asset_id = a.asset_id AND o.observed_at >= r.bucket AND o.observed_at < r.bucket + interval '1 hour'
        ORDER BY o.observed_at LIMIT 1
    ), r.bucket) AS at
    FROM (SELECT bucket AS day FROM drain_level_daily WHERE asset_id = a.asset_id ORDER BY bucket LIMIT 1) d
    JOIN drain_level_hourly r ON r.asset_id = a.asset_id AND r.bucket >= d.day AND r.bucket < d.day + interval '25 hours'
    ORDER BY r.bucket LIMIT 1
) first ON true
JOIN LATERAL (
    SELECT sum(greatest(extract(epoch FROM least(n.valid_to, %(until)s) - greatest(%(since)s,
               CASE WHEN n.valid_from = '-infinity' THEN least(first.at, nullif(a.changed_at, 'epoch'))
                    ELSE n.valid_from END)), 0))::double precision AS served_s
    FROM installation n
    WHERE n.asset_id = a.asset_id AND n.valid_from < %(until)s AND n.valid_to > %(since)s
) s ON s.served_s > 0
LEFT JOIN LATERAL (
    SELECT sum(r.count) AS received, sum(least(r.count, ceil(3600 / i.every_s))) AS counted
    FROM drain_level_hourly r
    WHERE r.asset_id = a.asset_id AND r.bucket >= %(since)s AND r.bucket < %(until)s
) h ON true
WHERE a.kind = 'drain_level'
ORDER BY a.asset;

-- name: spilled
-- For drains with an edge at a height: the sum of head to the power of 1.5 times the seconds that it lasted. Each level
-- holds until the next one, but not for longer than given.
SELECT asset_id,
       sum(power(level_m - edge_m, 1.5) * least(extract(epoch FROM next_at - observed_at), hold_s))::double precision
FROM (
    SELECT g.*, o.level_m, o.observed_at,
           coalesce(lead(o.observed_at) OVER (PARTITION BY o.asset_id ORDER BY o.observed_at), %(until)s) AS next_at
    FROM unnest(%(asset_id)s::int[], %(edge_m)s::float8[], %(hold_s)s::float8[], %(level_m_max)s::float8[])
             AS g (asset_id, edge_m, hold_s, level_m_max)
    JOIN drain_level o ON o.asset_id = g.asset_id AND o.observed_at >= %(since)s AND o.observed_at < %(until)s
) AS reading
WHERE level_m > edge_m AND level_m <= level_m_max
GROUP BY asset_id;
