-- What parking zones said last.

-- name: put
-- Keep zones' words; an older one does not go over a newer.
INSERT INTO zone_availability AS z (zone, updated_at, document)
SELECT zone, updated_at, document::jsonb
FROM unnest(%(zone)s::text[], %(updated_at)s::timestamptz[], %(document)s::text[]) AS g (zone, updated_at, document)
ON CONFLICT (zone) DO UPDATE SET updated_at = excluded.updated_at, document = excluded.document
WHERE z.updated_at <= excluded.updated_at;

-- name: forget
-- Zones that are none any more.
DELETE FROM zone_availability WHERE zone = ANY(%(zones)s::text[]);

-- name: forget_outlooks
-- Nothing is known of zones that are none any more.
DELETE FROM zone_outlook WHERE zone = ANY(%(zones)s::text[]);

-- name: put_outlooks
-- Keep what is known of zones' coming and going.
INSERT INTO zone_outlook AS o (zone, outlook)
SELECT zone, outlook FROM unnest(%(zone)s::text[], %(outlook)s::bytea[]) AS g (zone, outlook)
ON CONFLICT (zone) DO UPDATE SET outlook = excluded.outlook;

-- name: remembered
-- What is kept of each zone that has spoken.
SELECT zone, (extract(epoch FROM updated_at) * 1000000)::bigint AS said_us,
       coalesce(document ->> 'status', 'open') AS status, outlook
FROM zone_availability LEFT JOIN zone_outlook USING (zone);
