-- What lamps drew, what they would have drawn at full light, and how long lamps gave none that should have.

-- name: by_zone_and_month
-- Of each zone and local month: the lamps that told what they drew, on how many nights, both amounts, and the hours for
-- which lamps were unlit.
--
-- What a lamp draws at full light is the median of its days' greatest power, of days that saw it at full light; where
-- none did, its greatest power scaled by its greatest level. Lamps that never gave light enough to tell are counted
-- apart. A day without a reading of the meter counts neither way, nor does the dark before a meter's first reading of
-- all and after its last: what was drawn then, no meter tells. Of rows that have gone, the hour tells. A lamp is unlit in
-- the dark while an alarm says that it fails, or that it or its cabinet has no supply; alarms of one lamp at a time count
-- once.
WITH dark AS (
    SELECT day, tstzrange(begins, ends) AS span
    FROM unnest(%(days)s::timestamptz[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS d (day, begins, ends)
), night AS (
    SELECT day AS bucket, range_agg(span) AS spans, sum(extract(epoch FROM upper(span) - lower(span))) / 3600 AS hours
    FROM dark GROUP BY day
), bright AS (
    SELECT asset_id, coalesce(
        percentile_cont(0.5) WITHIN GROUP (ORDER BY power_w_max) FILTER (WHERE level_pct_max >= 99),
        max(power_w_max * 100 / level_pct_max) FILTER (WHERE level_pct_max >= 20)
    ) AS full_w
    FROM streetlight_daily
    WHERE bucket >= %(since)s AND bucket < %(until)s
    GROUP BY asset_id
), lamp AS (
    SELECT b.asset_id, b.full_w, tstzrange(coalesce(began.at, began.hour), coalesce(told.at, told.hour)) AS metered
    FROM bright b
    LEFT JOIN LATERAL (
        SELECT h.bucket AS hour, (
            SELECT o.observed_at FROM streetlight o
            WHERE o.asset_id = b.asset_id AND o.observed_at >= h.bucket AND o.observed_at < h.bucket + interval '1 hour'
              AND o.energy_kwh IS NOT NULL
            ORDER BY o.observed_at LIMIT 1
        ) AS at
        FROM (
            SELECT bucket AS day FROM streetlight_daily
            WHERE asset_id = b.asset_id AND energy_kwh_n > 0 ORDER BY bucket LIMIT 1
        ) d
        JOIN streetlight_hourly h ON h.asset_id = b.asset_id AND h.energy_kwh_n > 0
            AND h.bucket >= d.day AND h.bucket < d.day + interval '25 hours'
        WHERE d.day >= %(since)s
        ORDER BY h.bucket LIMIT 1
    ) began ON true
    LEFT JOIN LATERAL (
        SELECT h.bucket + interval '1 hour' AS hour, (
            SELECT o.observed_at FROM streetlight o
            WHERE o.asset_id = b.asset_id AND o.observed_at >= h.bucket AND o.observed_at < h.bucket + interval '1 hour'
              AND o.energy_kwh IS NOT NULL
            ORDER BY o.observed_at DESC LIMIT 1
        ) AS at
        FROM (
            SELECT bucket AS day FROM streetlight_daily
            WHERE asset_id = b.asset_id AND energy_kwh_n > 0 AND bucket < %(until)s ORDER BY bucket DESC LIMIT 1
        ) d
        JOIN streetlight_hourly h ON h.asset_id = b.asset_id AND h.energy_kwh_n > 0
            AND h.bucket >= d.day AND h.bucket < %(until)s
        ORDER BY h.bucket DESC LIMIT 1
    ) told ON true
), drawn AS (
    SELECT coalesce(a.zone, '') AS zone, date_trunc('month', d.bucket AT TIME ZONE c.timezone)::date AS month,
           count(DISTINCT d.asset_id) FILTER (WHERE l.full_w IS NOT NULL)::int AS lamps,
           count(DISTINCT d.asset_id) FILTER (WHERE l.full_w IS NULL)::int AS lamps_unknown,
           count(*) FILTER (WHERE l.full_w IS NOT NULL)::int AS nights,
           sum(d.energy_kwh_delta) FILTER (WHERE l.full_w IS NOT NULL) AS drawn_kwh,
           sum(l.full_w / 1000 * CASE WHEN l.metered @> n.spans THEN n.hours ELSE coalesce((
               SELECT sum(extract(epoch FROM upper(part) - lower(part))) / 3600
               FROM unnest(n.spans * l.metered::tstzmultirange) AS part
           ), 0) END) AS full_kwh
    FROM streetlight_daily d
    LEFT JOIN night n USING (bucket)
    JOIN lamp l USING (asset_id)
    JOIN asset a USING (asset_id)
    CROSS JOIN city c
    WHERE d.bucket >= %(since)s AND d.bucket < %(until)s AND d.energy_kwh_delta IS NOT NULL
    GROUP BY 1, 2
), failed AS (
    SELECT a.asset_id, coalesce(a.zone, '') AS zone,
           range_agg(tstzrange(l.observed_at, greatest(l.observed_at, coalesce(l.cleared_at, %(until)s)))) AS times
    FROM alarm l
    JOIN asset a ON a.asset = l.asset
        OR l.type = 'cabinet_outage' AND l.subject = 'cabinet:' || (a.attributes ->> 'cabinet')
    WHERE l.type IN ('lamp_fault', 'supply_loss', 'cabinet_outage') AND a.kind = 'streetlight'
      AND l.observed_at < %(until)s AND coalesce(l.cleared_at, 'infinity') > %(since)s
    GROUP BY 1, 2
), unlit AS (
    SELECT f.zone, date_trunc('month', d.day AT TIME ZONE c.timezone)::date AS month,
           sum(extract(epoch FROM upper(part) - lower(part))) / 3600 AS unlit_h
    FROM failed f
    JOIN dark d ON f.times && d.span
    CROSS JOIN LATERAL unnest(f.times * d.span::tstzmultirange) AS part
    CROSS JOIN city c
    GROUP BY 1, 2
)
SELECT zone, coalesce(z.name, zone) AS name, month,
       coalesce(lamps, 0) AS lamps, coalesce(lamps_unknown, 0) AS lamps_unknown, coalesce(nights, 0) AS nights,
       coalesce(drawn_kwh, 0)::float8 AS drawn_kwh, coalesce(full_kwh, 0)::float8 AS full_kwh,
       coalesce(unlit_h, 0)::float8 AS unlit_h
FROM drawn
FULL JOIN unlit USING (zone, month)
LEFT JOIN zone z USING (zone)
ORDER BY month, zone;
