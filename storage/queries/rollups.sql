-- Summing up. {braces} are filled in from the kind: its name and its rollup columns.

-- name: mark_dirty
-- Say that rows of these hours (hours since 1970 UTC) have come; appended, so that writers never wait for each other.
INSERT INTO rollup_dirty (kind, hour)
SELECT kind, to_timestamp(hour * 3600.0)
FROM unnest(%(dirty_kinds)s::text[], %(dirty_hours)s::bigint[]) AS dirty (kind, hour);

-- name: take_over
-- Move all marks that are committed by now to the work list, each hour once.
WITH gone AS (DELETE FROM rollup_dirty RETURNING kind, hour)
INSERT INTO rollup_work (kind, hour) SELECT DISTINCT kind, hour FROM gone ON CONFLICT DO NOTHING;

-- name: forget_work_without_rows
-- Hours whose rows are gone keep the rollups they have.
DELETE FROM rollup_work w USING raw_horizon h WHERE h.kind = w.kind AND w.hour < h.dropped_before;

-- name: awaited
-- Whether hours before a moment have been marked since the marks were taken over.
SELECT EXISTS (SELECT FROM rollup_dirty WHERE kind = %(kind)s AND hour < %(end)s);

-- name: work
-- What is to be done: the dirty hours of a kind in one local day, newest first, and where that day ends.
SELECT w.kind, d.day, (d.day AT TIME ZONE c.timezone + interval '1 day') AT TIME ZONE c.timezone AS day_end,
       array_agg(w.hour ORDER BY w.hour) AS hours
FROM rollup_work w
CROSS JOIN city c
CROSS JOIN LATERAL (SELECT date_trunc('day', w.hour, c.timezone) AS day) d
GROUP BY 1, 2, 3
ORDER BY 2 DESC, 1;

-- name: done
-- Strike hours off the work list.
DELETE FROM rollup_work WHERE kind = %(kind)s AND hour = ANY(%(hours)s::timestamptz[]);

-- name: touched
-- Note that a local day was summed up, for the check at night.
INSERT INTO rollup_touched (kind, day) VALUES (%(kind)s, %(day)s) ON CONFLICT DO NOTHING;

-- name: daily
-- A local day of each asset from its hours.
INSERT INTO {kind}_daily AS stored (asset_id, bucket, {names})
SELECT asset_id, %(day)s, {sums} FROM {kind}_hourly
WHERE bucket >= %(day)s AND bucket < %(day_end)s
GROUP BY asset_id
ON CONFLICT (asset_id, bucket) DO UPDATE SET ({names}) = ROW({excluded})
WHERE ({stored}) IS DISTINCT FROM ({excluded});

-- name: forget_zones
-- A day of the zones is written anew, because assets may have moved between zones.
DELETE FROM zone_daily WHERE kind = %(kind)s AND bucket = %(day)s;

-- name: zone_daily
-- A local day of each zone from the days of its assets; the zone is the one registered today.
INSERT INTO zone_daily (zone, kind, bucket, assets, {names})
SELECT a.zone, %(kind)s, %(day)s, count(*), {sums}
FROM {kind}_daily d JOIN asset a USING (asset_id)
WHERE d.bucket = %(day)s AND a.zone IS NOT NULL
GROUP BY a.zone;

-- name: forget_days
-- All local days are to be cut anew, because the city's time zone has changed.
DELETE FROM {kind}_daily;

-- name: all_hours
-- Every hour that has a rollup, to be looked at again.
INSERT INTO rollup_dirty (kind, hour) SELECT DISTINCT %(kind)s, bucket FROM {kind}_hourly;
