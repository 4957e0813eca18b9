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

-- name: said
-- When each zone spoke last.
SELECT zone, updated_at FROM zone_availability;
