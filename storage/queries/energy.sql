-- What lamps drew, and what they would have drawn at full light.

-- name: by_zone_and_month
-- Of each zone and local month: the lamps that told what they drew, on how many nights, and both amounts.
--
-- What a lamp draws at full light is the median of its days' greatest power, of days that saw it at full light; where
-- none did, its greatest power scaled by its greatest level. Lamps that never gave light enough to tell are counted
-- apart. A day without a reading of the meter counts neither way.
WITH dark AS (
    SELECT * FROM unnest(%(days)s::timestamptz[], %(hours)s::float8[]) AS day (bucket, hours)
), bright AS (
    SELECT asset_id, coalesce(
        percentile_cont(0.5) WITHIN GROUP (ORDER BY power_w_max) FILTER (WHERE level_pct_max >= 99),
        max(power_w_max * 100 / level_pct_max) FILTER (WHERE level_pct_max >= 20)
    ) AS full_w
    FROM streetlight_daily
    WHERE bucket >= %(since)s AND bucket < %(until)s
    GROUP BY asset_id
)
SELECT coalesce(a.zone, '') AS zone, coalesce(z.name, a.zone, '') AS name,
       date_trunc('month', d.bucket AT TIME ZONE c.timezone)::date AS month,
       count(DISTINCT d.asset_id) FILTER (WHERE b.full_w IS NOT NULL)::int AS lamps,
       count(DISTINCT d.asset_id) FILTER (WHERE b.full_w IS NULL)::int AS lamps_unknown,
       count(*) FILTER (WHERE b.full_w IS NOT NULL)::int AS nights,
       coalesce(sum(d.energy_kwh_delta) FILTER (WHERE b.full_w IS NOT NULL), 0)::float8 AS drawn_kwh,
       coalesce(sum(b.full_w * dark.hours / 1000), 0)::float8 AS full_kwh
FROM streetlight_daily d
JOIN dark USING (bucket)
JOIN bright b USING (asset_id)
JOIN asset a USING (asset_id)
LEFT JOIN zone z ON z.zone = a.zone
CROSS JOIN city c
WHERE d.energy_kwh_delta IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 3, 1;
