-- The nightly proof that rollups equal their rows. {braces} are filled in from the kind.

-- name: due
-- Whether the night of a moment, which begins at three o'clock local time, has had no check yet.
SELECT coalesce(max(date_trunc('day', k.checked_at AT TIME ZONE c.timezone - interval '3 hours')), '-infinity')
       < date_trunc('day', %(at)s AT TIME ZONE c.timezone - interval '3 hours')
FROM city c LEFT JOIN rollup_check k ON k.checked_at <= %(at)s
GROUP BY c.timezone;

-- name: touched
-- The days that have been summed up since they were last compared and are over, and where each ends.
SELECT t.kind, t.day, d.day_end
FROM rollup_touched t
CROSS JOIN city c
CROSS JOIN LATERAL (SELECT (t.day AT TIME ZONE c.timezone + interval '1 day') AT TIME ZONE c.timezone AS day_end) d
WHERE d.day_end <= %(at)s
ORDER BY 2 DESC, 1;

-- name: forget_days_without_rows
-- Days whose rows have gone since they were summed up can never be compared.
DELETE FROM rollup_touched t USING raw_horizon h WHERE h.kind = t.kind AND t.day < h.dropped_before;

-- name: any_day
-- A day that is kept, by its place between the first (0) and the one that is not over (1), if it still has its rows.
SELECT d.day, d.day_end
FROM (SELECT min(bucket) AS first FROM {kind}_daily) f
CROSS JOIN city c
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.first IS NOT NULL THEN greatest(f.first, nullif(h.dropped_before, '-infinity')) END AS first
    FROM (SELECT max(dropped_before) AS dropped_before FROM raw_horizon WHERE kind = %(kind)s) h
) r
CROSS JOIN LATERAL (SELECT date_trunc('day', r.first + (%(at)s - r.first) * %(place)s, c.timezone) AS day) p
CROSS JOIN LATERAL (
    SELECT p.day, (p.day AT TIME ZONE c.timezone + interval '1 day') AT TIME ZONE c.timezone AS day_end
) d
WHERE d.day >= r.first AND d.day_end <= %(at)s;

-- name: assets
-- The assets of a kind, in service or not.
SELECT asset_id FROM asset WHERE kind = %(kind)s ORDER BY asset_id;

-- name: one_moment
-- All that follows sees the same moment, to the end of the transaction.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: comparable
-- Whether a day's rows are all there and none that came before its end is still to be summed up.
SELECT NOT EXISTS (SELECT FROM raw_horizon WHERE kind = %(kind)s AND dropped_before > %(day)s)
   AND NOT EXISTS (SELECT FROM rollup_work WHERE kind = %(kind)s AND hour < %(day_end)s)
   AND NOT EXISTS (SELECT FROM rollup_dirty WHERE kind = %(kind)s AND hour < %(day_end)s);

-- name: differing
-- The hours, or the day, of some assets whose rollup is not what the rows say.
SELECT asset_id, bucket
FROM (SELECT * FROM {relation}
      WHERE asset_id = ANY(%(assets)s::integer[]) AND bucket >= %(day)s AND bucket < %(day_end)s) kept
FULL JOIN (
    SELECT asset_id, {bucket} AS bucket, {sums} FROM {kind}
    WHERE asset_id = ANY(%(assets)s::integer[]) AND observed_at >= %(day)s AND observed_at < %(day_end)s
    GROUP BY 1, 2
) said USING (asset_id, bucket)
{increases}
WHERE {different};

-- name: increase
-- What the readings of a counter say beside it. Which reading came before the first is not known once rows are dropped.
LEFT JOIN (
    SELECT asset_id, {bucket} AS bucket,
           sum(value - before) FILTER (WHERE value >= before AND NOT EXISTS (
               SELECT FROM installation n
               WHERE n.asset_id = r.asset_id AND n.valid_from > r.before_at AND n.valid_from <= r.observed_at
           )) AS {field}_delta,
           bool_or(before IS NULL AND EXISTS (SELECT FROM raw_horizon WHERE kind = %(kind)s AND isfinite(dropped_before)))
               AS {field}_unknown
    FROM (
        SELECT asset_id, observed_at, value, lag(value) OVER consecutive AS before,
               lag(observed_at) OVER consecutive AS before_at
        FROM (
            SELECT asset_id, observed_at, {field} AS value FROM {kind}
            WHERE asset_id = ANY(%(assets)s::integer[]) AND observed_at >= %(day)s AND observed_at < %(day_end)s
              AND {field} IS NOT NULL
            UNION ALL
            SELECT a.asset_id, p.observed_at, p.value
            FROM unnest(%(assets)s::integer[]) AS a (asset_id)
            CROSS JOIN LATERAL (
                SELECT observed_at, {field} AS value FROM {kind} row
                WHERE row.asset_id = a.asset_id AND row.observed_at < %(day)s AND row.{field} IS NOT NULL
                ORDER BY row.observed_at DESC LIMIT 1
            ) p
        ) o
        WINDOW consecutive AS (PARTITION BY asset_id ORDER BY observed_at)
    ) r
    WHERE observed_at >= %(day)s
    GROUP BY 1, 2
) {field}_said USING (asset_id, bucket)

-- name: zones_differ
-- Whether a day of all zones together is not what the days of their assets say.
SELECT EXISTS (
    SELECT FROM (SELECT coalesce(sum(assets), 0) AS assets, {sums} FROM zone_daily
                 WHERE kind = %(kind)s AND bucket = %(day)s) kept
    CROSS JOIN (SELECT count(*) AS assets, {sums} FROM {kind}_daily d JOIN asset a USING (asset_id)
                WHERE d.bucket = %(day)s AND a.zone IS NOT NULL) said
    WHERE kept.assets <> said.assets OR {different}
);

-- name: forget_days
-- Days that differ are to be made anew.
DELETE FROM {kind}_daily WHERE bucket = %(day)s AND asset_id = ANY(%(assets)s::integer[]);

-- name: mark_dirty
-- Hours that differ are to be summed up anew.
INSERT INTO rollup_dirty (kind, hour) SELECT %(kind)s, unnest(%(hours)s::timestamptz[]);

-- name: compared
-- A day has been compared.
DELETE FROM rollup_touched WHERE kind = %(kind)s AND day = %(day)s;

-- name: book
-- Keep what a check has found.
INSERT INTO rollup_check (checked_at, asset_days, asset_days_left, differing, example, took_s)
VALUES (%(at)s, %(asset_days)s, %(asset_days_left)s, %(differing)s, %(example)s, %(took_s)s)
ON CONFLICT (checked_at) DO UPDATE SET (asset_days, asset_days_left, differing, example, took_s)
    = (excluded.asset_days, excluded.asset_days_left, excluded.differing, excluded.example, excluded.took_s);

-- name: asset_name
-- What an asset is called.
SELECT asset FROM asset WHERE asset_id = %(asset_id)s;

-- name: last
-- The newest check up to a moment.
SELECT checked_at, asset_days, asset_days_left, differing, example
FROM rollup_check WHERE checked_at <= %(at)s ORDER BY checked_at DESC LIMIT 1;
