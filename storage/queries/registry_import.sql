-- Importing a registry file: its rows are staged in temporary tables, compared there, and applied, all in one transaction.
-- The tables stay until the connection's next import, so that what was changed can be told when it is.

-- name: clear
-- Begin anew.
DROP TABLE IF EXISTS pg_temp.registry_file, pg_temp.registry_zone, pg_temp.registry_asset, pg_temp.registry_retiring;

-- name: stage
-- The rows of the file. given: what it says of name, zone, lat, lon and attributes, null where it says that there is none.
CREATE TEMPORARY TABLE registry_file (
    number  integer NOT NULL,
    line    integer NOT NULL,
    asset   text NOT NULL,
    kind    text NOT NULL,
    device  text,
    model   text,
    given   jsonb NOT NULL
);

-- name: copy
-- Fill it.
COPY registry_file (number, line, asset, kind, device, model, given) FROM STDIN;

-- name: analyze_file
-- So that what follows is planned for as many rows as there are.
ANALYZE registry_file;

-- name: plan_zones
-- The zones that the file has rows for or only names (these last, without a number), before and after.
CREATE TEMPORARY TABLE registry_zone AS
SELECT f.number, f.zone, o.before,
       jsonb_build_object('name', f.zone) || jsonb_strip_nulls(coalesce(o.before, '{}') || f.given) AS after
FROM (
    SELECT number, asset AS zone, given FROM registry_file WHERE kind = 'zone'
    UNION ALL
    SELECT DISTINCT NULL::integer, f.given ->> 'zone', '{}'::jsonb FROM registry_file f
    WHERE f.kind <> 'zone' AND f.given ->> 'zone' IS NOT NULL
      AND NOT EXISTS (SELECT FROM zone z WHERE z.zone = f.given ->> 'zone')
      AND NOT EXISTS (SELECT FROM registry_file z WHERE z.kind = 'zone' AND z.asset = f.given ->> 'zone')
) f
LEFT JOIN (
    SELECT zone, jsonb_strip_nulls(jsonb_build_object('name', name, 'lat', lat, 'lon', lon)) AS before FROM zone
) o USING (zone);

-- name: plan_assets
-- The assets of the file, before (NULL: new) and after. device: what comes, NULL where all stays. model_before is of the
-- device that the model is said of.
CREATE TEMPORARY TABLE registry_asset AS
SELECT f.number, f.line, f.asset, f.kind, a.asset_id, a.kind AS kind_before,
       coalesce(a.retired_at IS NOT NULL, false) AS retired,
       a.before, jsonb_strip_nulls(coalesce(a.before, '{}') || f.given) AS after,
       i.device AS device_before, nullif(f.device, i.device) AS device,
       coalesce(f.device, i.device) AS model_device, f.model, d.model AS model_before
FROM registry_file f
LEFT JOIN (
    SELECT asset_id, asset, kind, retired_at,
           jsonb_strip_nulls(attributes || jsonb_build_object('name', nullif(name, ''), 'zone', zone, 'lat', lat,
                                                              'lon', lon)) AS before
    FROM asset
) a ON a.asset = f.asset
LEFT JOIN installation i ON i.asset_id = a.asset_id AND i.valid_to = 'infinity'
LEFT JOIN device d ON d.device = coalesce(f.device, i.device)
WHERE f.kind <> 'zone';

-- name: plan_retiring
-- The assets that go out of service because the file does not name them.
CREATE TEMPORARY TABLE registry_retiring AS
SELECT a.asset_id, a.asset FROM asset a
WHERE %(retire_missing)s AND a.retired_at IS NULL
  AND NOT EXISTS (SELECT FROM registry_file f WHERE f.asset = a.asset AND f.kind <> 'zone');

-- name: analyze_plan
-- Likewise.
ANALYZE registry_zone, registry_asset, registry_retiring;

-- name: mistakes
-- What no row shows alone, in the order of the file; of lower and upper of a kind, the first is never above the second.
SELECT number, line, words FROM (
    SELECT number, line, format('%%L stands in %%s %%s already', asset, %(unit)s::text, first) AS words
    FROM (SELECT *, first_value(number) OVER (PARTITION BY kind = 'zone', asset ORDER BY number) AS first
          FROM registry_file) f
    WHERE number <> first
    UNION ALL
    SELECT number, line, format('the device %%L serves %%L already', device, first)
    FROM (SELECT *, first_value(asset) OVER (PARTITION BY kind, device ORDER BY number) AS first
          FROM registry_file WHERE device IS NOT NULL) f
    WHERE asset <> first
    UNION ALL
    SELECT number, line, format('the device %%L is a %%s already', model_device, first)
    FROM (SELECT *, first_value(model) OVER (PARTITION BY model_device ORDER BY number) AS first
          FROM registry_asset WHERE model IS NOT NULL AND model_device IS NOT NULL) f
    WHERE model <> first
    UNION ALL
    SELECT number, line, format('the model %%L is of no device: none serves %%L', model, asset)
    FROM registry_asset WHERE model IS NOT NULL AND model_device IS NULL
    UNION ALL
    SELECT number, line, format('%%L is a %%s and stays one: give the %%s another name', asset, kind_before, kind)
    FROM registry_asset WHERE kind <> kind_before
    UNION ALL
    SELECT f.number, f.line,
           format('the device %%L serves %%L: give that asset another device or retire it', f.device, a.asset)
    FROM registry_asset f
    JOIN installation i ON i.device = f.device AND i.kind = f.kind AND i.valid_to = 'infinity'
    JOIN asset a ON a.asset_id = i.asset_id AND a.asset <> f.asset
    WHERE NOT EXISTS (SELECT FROM registry_asset l WHERE l.asset = a.asset AND l.device IS NOT NULL)
      AND NOT EXISTS (SELECT FROM registry_retiring r WHERE r.asset_id = a.asset_id)
    UNION ALL
    SELECT f.number, f.line, format('%%s %%s of %%L lies above its %%s %%s: correct one of them',
                                    p.lower, f.after ->> p.lower, f.asset, p.upper, f.after ->> p.upper)
    FROM registry_asset f
    JOIN unnest(%(kinds)s::text[], %(lower)s::text[], %(upper)s::text[]) AS p (kind, lower, upper) USING (kind)
    WHERE (f.after ->> p.lower)::double precision > (f.after ->> p.upper)::double precision
      AND f.before IS DISTINCT FROM f.after
) found
ORDER BY number, words
LIMIT %(limit)s;

-- name: count
-- How many zones and assets are new, change, go out of service, and stay as they are.
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE differs AND NOT is_new),
       (SELECT count(*) FROM registry_retiring), count(*) FILTER (WHERE NOT differs)
FROM (
    SELECT before IS NULL AS is_new, before IS DISTINCT FROM after AS differs FROM registry_zone
    UNION ALL
    SELECT before IS NULL, before IS DISTINCT FROM after OR retired OR device IS NOT NULL
                           OR coalesce(model <> coalesce(model_before, ''), false)
    FROM registry_asset
) found;

-- name: changes
-- Every change: of zones, of assets in the order of the file, then the assets that go out of service.
SELECT 'zone' AS what, zone AS name, before, after, false AS retired, NULL AS device_before, NULL AS device,
       NULL AS model_before, NULL AS model, 1 AS place, number
FROM registry_zone WHERE before IS DISTINCT FROM after
UNION ALL
SELECT 'asset', asset, before, after, retired, device_before, device, model_before,
       CASE WHEN model <> coalesce(model_before, '') THEN model END, 2, number
FROM registry_asset
WHERE before IS DISTINCT FROM after OR retired OR device IS NOT NULL
   OR coalesce(model <> coalesce(model_before, ''), false)
UNION ALL
SELECT 'retiring', asset, NULL, NULL, false, NULL, NULL, NULL, NULL, 3, asset_id FROM registry_retiring
ORDER BY place, number NULLS LAST, name;

-- name: doubtful
-- Assets of the file that name another one which is not there, or themselves.
SELECT r.number, r.line, r.asset, r.attribute, r.named
FROM (
    SELECT f.number, f.line, f.asset, f.kind, attribute, f.after ->> attribute AS named
    FROM registry_asset f CROSS JOIN unnest(%(attributes)s::text[]) AS attribute
    WHERE f.after ->> attribute IS NOT NULL
) r
LEFT JOIN registry_asset f ON f.asset = r.named AND f.kind = r.kind
LEFT JOIN asset a ON a.asset = r.named AND a.kind = r.kind
WHERE r.named = r.asset OR f.asset IS NULL AND a.asset IS NULL
ORDER BY r.number, r.attribute
LIMIT %(limit)s;

-- name: bare_zones
-- The zones that come only because an asset of the file names them.
SELECT zone FROM registry_zone WHERE number IS NULL ORDER BY zone;

-- name: other_zones
-- The zones beside those: of the file, and those that were there.
SELECT zone FROM registry_zone WHERE number IS NOT NULL
UNION SELECT zone FROM zone z
WHERE NOT EXISTS (SELECT FROM registry_zone r WHERE r.zone = z.zone AND r.number IS NULL)
ORDER BY zone;

-- name: put_zones
-- Create or change zones.
INSERT INTO zone (zone, name, lat, lon, changed_at)
SELECT zone, after ->> 'name', (after ->> 'lat')::double precision, (after ->> 'lon')::double precision, %(at)s
FROM registry_zone WHERE before IS DISTINCT FROM after ORDER BY number NULLS LAST, zone
ON CONFLICT (zone) DO UPDATE
SET (name, lat, lon, changed_at) = (excluded.name, excluded.lat, excluded.lon, excluded.changed_at);

-- name: put_assets
-- Create or change assets; one that was retired is in service again.
INSERT INTO asset (asset, kind, name, zone, lat, lon, attributes, changed_at)
SELECT asset, kind, coalesce(after ->> 'name', ''), after ->> 'zone', (after ->> 'lat')::double precision,
       (after ->> 'lon')::double precision, after - '{name,zone,lat,lon}'::text[], %(at)s
FROM registry_asset WHERE before IS DISTINCT FROM after OR retired ORDER BY number
ON CONFLICT (asset) DO UPDATE SET (name, zone, lat, lon, attributes, changed_at, retired_at)
    = (excluded.name, excluded.zone, excluded.lat, excluded.lon, excluded.attributes, excluded.changed_at, NULL);

-- name: touch_zones
-- Zones change with the bays that come, go or change.
UPDATE zone z SET changed_at = %(at)s
FROM (
    SELECT unnest(ARRAY[before ->> 'zone', after ->> 'zone']) AS zone FROM registry_asset
    WHERE kind = 'parking_bay' AND (before IS DISTINCT FROM after OR retired)
    UNION
    SELECT a.zone FROM registry_retiring r JOIN asset a USING (asset_id) WHERE a.kind = 'parking_bay'
) b
WHERE z.zone = b.zone;

-- name: forget_installations
-- Installations that began at this moment or later give way altogether.
DELETE FROM installation i
USING (SELECT asset_id FROM registry_asset WHERE device IS NOT NULL AND device_before IS NOT NULL
       UNION ALL SELECT asset_id FROM registry_retiring) e
WHERE i.asset_id = e.asset_id AND i.valid_to = 'infinity' AND i.valid_from >= %(at)s;

-- name: end_installations
-- From this moment on these devices serve their assets no more.
UPDATE installation i SET valid_to = %(at)s
FROM (SELECT asset_id FROM registry_asset WHERE device IS NOT NULL AND device_before IS NOT NULL
      UNION ALL SELECT asset_id FROM registry_retiring) e
WHERE i.asset_id = e.asset_id AND i.valid_to = 'infinity';

-- name: retire
-- Take assets out of service.
UPDATE asset a SET (retired_at, changed_at) = (%(at)s, %(at)s) FROM registry_retiring r WHERE a.asset_id = r.asset_id;

-- name: put_devices
-- Make devices known.
INSERT INTO device (device, model)
SELECT model_device, max(model) FROM registry_asset WHERE device IS NOT NULL GROUP BY model_device ORDER BY min(number)
ON CONFLICT DO NOTHING;

-- name: put_models
-- Say what devices are that were known before.
UPDATE device d SET model = f.model
FROM (SELECT DISTINCT model_device, model FROM registry_asset WHERE model IS NOT NULL) f
WHERE d.device = f.model_device AND d.model IS DISTINCT FROM f.model;

-- name: begin_installations
-- Devices begin to serve assets: since ever, where neither has a past with anybody else in this kind.
INSERT INTO installation (asset_id, device, kind, valid_from)
SELECT a.asset_id, f.device, f.kind,
       CASE WHEN EXISTS (SELECT FROM installation i WHERE i.asset_id = a.asset_id)
              OR EXISTS (SELECT FROM installation i WHERE i.device = f.device AND i.kind = f.kind)
            THEN %(at)s::timestamptz ELSE '-infinity' END
FROM registry_asset f JOIN asset a USING (asset)
WHERE f.device IS NOT NULL ORDER BY f.number;

-- name: pending
-- What there is to write; a statement that writes nothing would still move the registry's version.
SELECT EXISTS (SELECT FROM registry_zone WHERE before IS DISTINCT FROM after),
       EXISTS (SELECT FROM registry_asset WHERE before IS DISTINCT FROM after OR retired),
       EXISTS (SELECT FROM registry_asset WHERE device IS NOT NULL AND device_before IS NOT NULL
               UNION ALL SELECT FROM registry_retiring),
       EXISTS (SELECT FROM registry_retiring),
       EXISTS (SELECT FROM registry_asset WHERE device IS NOT NULL),
       EXISTS (SELECT FROM registry_asset WHERE model <> coalesce(model_before, ''))
