-- Stored observations in the order of time, many rows at once: one row of arrays for each slot of time.

-- name: observations
-- A slot's times, assets and fields, in no order within; real columns are never NULL but NaN, so that every array has a
-- fixed layout.
SELECT array_agg(observed_at), array_agg(asset_id), {fields}
FROM {kind}
WHERE observed_at >= %(since)s AND observed_at < %(until)s
  AND (%(assets)s::int[] IS NULL OR asset_id = ANY(%(assets)s::int[]))
GROUP BY date_bin(%(width)s, observed_at, 'epoch')
ORDER BY date_bin(%(width)s, observed_at, 'epoch');

-- name: acknowledged
-- A slot's setpoints that devices have acknowledged: when, by which assets, what, and until when its lease held.
SELECT array_agg(acknowledged_at), array_agg(asset_id), array_agg(setpoint_pct), array_agg(until_at)
FROM (
    SELECT acknowledged_at, asset_id, (settings ->> 'setpoint_pct')::float8 AS setpoint_pct,
           least(expires_at, ended_at) AS until_at
    FROM command
    WHERE acknowledged_at >= %(since)s AND acknowledged_at < %(until)s AND queued_at < %(until)s
      AND queued_at > %(since)s - interval '2 days' AND settings ? 'setpoint_pct'
      AND (%(assets)s::int[] IS NULL OR asset_id = ANY(%(assets)s::int[]))
) c
GROUP BY date_bin(%(width)s, acknowledged_at, 'epoch')
ORDER BY date_bin(%(width)s, acknowledged_at, 'epoch');

-- name: overrides
-- What people wished of lamps in a span: the asset, the wish, from when until when, and when it was taken back.
SELECT id, asset_id, settings, queued_at, expires_at, ended_at
FROM command
WHERE reason = 'override' AND settings ? 'setpoint_pct' AND queued_at < %(until)s
  AND least(expires_at, ended_at) > %(since)s
  AND by IS NOT NULL
ORDER BY queued_at, id;

-- name: measures
-- What operators had ordered for zones in a span, as it was carried out.
SELECT id, zone, what, from_at, least(until_at, ended_at), note, by
FROM zone_measure
WHERE from_at < %(until)s AND least(until_at, ended_at) > %(since)s AND least(until_at, ended_at) > from_at
ORDER BY from_at, id;
