-- The registry. Times come as microseconds since 1970 UTC, NULL where there is no beginning or end.

-- name: version
-- Moves with every change of zones, assets or installations.
SELECT version FROM registry_version;

-- name: snapshot
-- What follows in this transaction sees one state of the registry.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: zones
-- All zones.
SELECT zone, name, lat, lon, (extract(epoch FROM changed_at) * 1000000)::bigint
FROM zone ORDER BY zone;

-- name: assets
-- All assets with the device that serves them now.
SELECT a.asset_id, a.asset, a.kind, a.name, a.zone, a.lat, a.lon, a.attributes, i.device, a.retired_at IS NOT NULL
FROM asset a LEFT JOIN installation i ON i.asset_id = a.asset_id AND i.valid_to = 'infinity'
ORDER BY a.asset_id;

-- name: installations
-- Which device served which asset from when to when.
SELECT device, kind, asset_id,
       CASE WHEN isfinite(valid_from) THEN (extract(epoch FROM valid_from) * 1000000)::bigint END,
       CASE WHEN isfinite(valid_to) THEN (extract(epoch FROM valid_to) * 1000000)::bigint END
FROM installation ORDER BY device, kind, valid_from;

-- name: devices
-- All devices, also those that serve nothing, with their models where registered.
SELECT device, model FROM device;

-- name: lock
-- One import at a time, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('lamplighter registry'));

-- name: put_device
-- Make a device known, and what it is where that is said.
INSERT INTO device AS d (device, model) VALUES (%(device)s, %(model)s)
ON CONFLICT (device) DO UPDATE SET model = coalesce(excluded.model, d.model);

-- name: forget_installations
-- Installations that began at this moment or later give way altogether.
DELETE FROM installation i USING asset a
WHERE a.asset_id = i.asset_id AND a.asset = ANY(%(assets)s::text[]) AND i.valid_to = 'infinity'
  AND i.valid_from >= %(at)s;

-- name: end_installations
-- From this moment on the assets' devices serve them no more.
UPDATE installation i SET valid_to = %(at)s FROM asset a
WHERE a.asset_id = i.asset_id AND a.asset = ANY(%(assets)s::text[]) AND i.valid_to = 'infinity';

-- name: retire
-- Take an asset out of service; a bay changes its zone.
WITH gone AS (
    UPDATE asset SET (retired_at, changed_at) = (%(at)s, %(now)s) WHERE asset = %(asset)s RETURNING zone, kind
)
UPDATE zone z SET changed_at = %(now)s FROM gone WHERE z.zone = gone.zone AND gone.kind = 'parking_bay';

-- name: standing
-- An asset with its device and since when that serves it, or until when the last one did.
SELECT a.asset_id, a.asset, a.kind, a.retired_at IS NOT NULL, CASE WHEN i.valid_to = 'infinity' THEN i.device END,
       CASE WHEN isfinite(s.settled) THEN (extract(epoch FROM s.settled) * 1000000)::bigint END
FROM asset a
LEFT JOIN LATERAL (
    SELECT device, valid_from, valid_to FROM installation
    WHERE asset_id = a.asset_id ORDER BY valid_from DESC LIMIT 1
) i ON true
CROSS JOIN LATERAL (SELECT CASE WHEN i.valid_to = 'infinity' THEN i.valid_from ELSE i.valid_to END AS settled) s
WHERE a.asset = %(asset)s;

-- name: busy
-- Which other asset of the kind a device serves at a moment or later, and until when.
SELECT a.asset, CASE WHEN isfinite(i.valid_to) THEN (extract(epoch FROM i.valid_to) * 1000000)::bigint END
FROM installation i JOIN asset a USING (asset_id)
WHERE i.device = %(device)s AND i.kind = %(kind)s AND i.asset_id <> %(asset_id)s AND i.valid_to > %(at)s
ORDER BY i.valid_to DESC LIMIT 1;

-- name: begin_installation
-- From this moment on the device serves the asset.
INSERT INTO installation (asset_id, device, kind, valid_from)
SELECT asset_id, %(device)s, kind, %(at)s FROM asset WHERE asset_id = %(asset_id)s;

-- name: mark_next_reading
-- The hour of the asset's first reading of a counter from a moment on is to be summed up anew.
INSERT INTO rollup_dirty (kind, hour)
SELECT %(kind)s, date_trunc('hour', n.observed_at, 'UTC')
FROM (
    SELECT observed_at FROM {kind}
    WHERE asset_id = %(asset_id)s AND observed_at >= %(at)s AND {field} IS NOT NULL
    ORDER BY observed_at LIMIT 1
) n;
