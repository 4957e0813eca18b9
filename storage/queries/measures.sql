-- What operators have ordered for zones until a moment: closures and maintenance.

-- name: order
-- Write one down; the same order at the same moment is one.
INSERT INTO zone_measure (id, zone, what, from_at, until_at, note, by)
VALUES (%(id)s, %(zone)s, %(what)s, %(from_at)s, %(until_at)s, %(note)s, %(by)s)
ON CONFLICT (id) DO UPDATE SET note = zone_measure.note
RETURNING id, zone, what, from_at, until_at, ended_at, note, by;

-- name: end
-- End a zone's measures of a sort, those in force and those to come.
UPDATE zone_measure SET ended_at = %(at)s
WHERE zone = %(zone)s AND what = %(what)s AND until_at > %(at)s AND ended_at IS NULL
RETURNING id, zone, what, from_at, until_at, ended_at, note, by;

-- name: standing
-- The measures in force at a moment and those to come, of one zone where asked.
SELECT id, zone, what, from_at, until_at, ended_at, note, by
FROM zone_measure
WHERE until_at > %(at)s AND ended_at IS NULL AND (%(zone)s::text IS NULL OR zone = %(zone)s)
ORDER BY from_at, id;

-- name: exists
-- Whether there is such a zone.
SELECT EXISTS (SELECT FROM zone WHERE zone = %(zone)s);

-- name: announce
-- Have the rules look at once.
NOTIFY lamplighter_measure;
