-- name: assets
-- Assets in service after a name, each with the device that serves it now and its latest state.
SELECT a.asset_id, a.asset, a.kind, a.name, a.zone, a.lat, a.lon, i.device, a.attributes,
       coalesce(l.online, false) AS online, l.observed_at, l.age_s, coalesce(l.fields, '{}') AS latest
FROM asset a
LEFT JOIN installation i ON i.asset_id = a.asset_id AND i.valid_from <= %(now)s AND i.valid_to > %(now)s
LEFT JOIN latest l ON l.asset_id = a.asset_id
WHERE (a.retired_at IS NULL OR a.retired_at > %(now)s)
  AND (%(kind)s::text IS NULL OR a.kind = %(kind)s::text)
  AND (%(zone)s::text IS NULL OR a.zone = %(zone)s::text)
  AND (%(after)s::text IS NULL OR a.asset > %(after)s::text)
ORDER BY a.asset
LIMIT %(limit)s;

-- name: asset
-- One asset, retired or not, with what the rules remember of where its water goes.
SELECT a.asset_id, a.asset, a.kind, a.name, a.zone, a.lat, a.lon, i.device, a.attributes,
       coalesce(l.online, false) AS online, l.observed_at, l.age_s, coalesce(l.fields, '{}') AS latest,
       (SELECT r.state FROM rule_state r WHERE r.asset_id = a.asset_id AND r.rule = %(outlook)s) AS outlook
FROM asset a
LEFT JOIN installation i ON i.asset_id = a.asset_id AND i.valid_from <= %(now)s AND i.valid_to > %(now)s
LEFT JOIN latest l ON l.asset_id = a.asset_id
WHERE a.asset = %(asset)s;

-- name: zone_exists
-- Whether a zone of this name is registered.
SELECT EXISTS (SELECT FROM zone WHERE zone = %(zone)s);

-- name: raw
-- Observations of one asset in [since, until), oldest first, after a moment.
SELECT observed_at, received_at, {columns}, time_from_receipt, seq
FROM {kind}
WHERE asset_id = %(asset_id)s
  AND observed_at >= %(since)s
  AND observed_at < %(until)s
  AND (%(after)s::timestamptz IS NULL OR observed_at > %(after)s::timestamptz)
ORDER BY observed_at
LIMIT %(limit)s;

-- name: open_hours
-- The hours of a span whose rollups may not equal their rows yet, oldest first; those without rows stay as they are.
SELECT m.hour
FROM (SELECT kind, hour FROM rollup_work UNION SELECT kind, hour FROM rollup_dirty) m
LEFT JOIN raw_horizon h USING (kind)
WHERE m.kind = %(kind)s AND m.hour > %(since)s::timestamptz - interval '1 hour' AND m.hour < %(until)s
  AND m.hour >= coalesce(h.dropped_before, '-infinity')
ORDER BY m.hour;

-- name: bucketed
-- Buckets of one asset from its pieces, of equal width: they begin at 2000-01-01 UTC and every multiple of it since.
SELECT bucket, sum(count)::bigint AS count, {figures}
FROM (
    SELECT date_bin(%(width)s::interval, at, timestamptz '2000-01-01 00:00:00+00') AS bucket, piece.*
    FROM ({pieces}) AS piece
) AS binned
WHERE %(after)s::timestamptz IS NULL OR bucket > %(after)s::timestamptz
GROUP BY bucket
ORDER BY bucket
LIMIT %(limit)s;

-- name: bucketed_by_day
-- The same in buckets of whole local days, which have 23 to 25 hours where summer time begins and ends.
SELECT bucket, sum(count)::bigint AS count, {figures}
FROM (
    SELECT date_bin(%(width)s::interval, at AT TIME ZONE %(timezone)s, timestamp '2000-01-01 00:00:00')
               AT TIME ZONE %(timezone)s AS bucket,
           piece.*
    FROM ({pieces}) AS piece
) AS binned
WHERE %(after)s::timestamptz IS NULL OR bucket > %(after)s::timestamptz
GROUP BY bucket
ORDER BY bucket
LIMIT %(limit)s;

-- name: rows_of
-- Pieces of the rows of one asset between moments, span by span.
SELECT o.observed_at AS at, {columns}
FROM unnest(%(row_since)s::timestamptz[], %(row_until)s::timestamptz[]) AS span (since, until)
CROSS JOIN LATERAL (
    SELECT * FROM {kind} AS row
    WHERE row.asset_id = %(asset_id)s AND row.observed_at >= span.since AND row.observed_at < span.until
) AS o

-- name: rollups_of
-- Pieces of the hours or days of one asset, span by span.
SELECT o.bucket AS at, {columns}
FROM unnest(%({since})s::timestamptz[], %({until})s::timestamptz[]) AS span (since, until)
CROSS JOIN LATERAL (
    SELECT * FROM {relation} AS row
    WHERE row.asset_id = %(asset_id)s AND row.bucket >= span.since AND row.bucket < span.until
) AS o

-- name: energy_by_day
-- What all lamps of the city drew on each local day, from the days of its zones.
SELECT bucket AS day, sum(energy_kwh_delta) AS energy_kwh
FROM zone_daily
WHERE kind = 'streetlight' AND bucket >= %(since)s AND bucket < %(until)s
GROUP BY bucket
ORDER BY bucket;
