-- name: put
-- Keep a model's codec, in place of the one before.
INSERT INTO vendor_codec (model, source, sha256, origin, licence, mapping, reused, added_at, added_by)
VALUES (%(model)s, %(source)s, %(sha256)s, %(origin)s, %(licence)s, %(mapping)s, %(reused)s, %(added_at)s, %(added_by)s)
ON CONFLICT (model) DO UPDATE
SET source = excluded.source, sha256 = excluded.sha256, origin = excluded.origin, licence = excluded.licence,
    mapping = excluded.mapping, reused = excluded.reused, added_at = excluded.added_at, added_by = excluded.added_by;

-- name: all
-- Every codec with its text, by model.
SELECT model, source, sha256, origin, licence, mapping, reused, added_at, added_by
FROM vendor_codec
ORDER BY model;

-- name: digest
-- The digest of a model's codec.
SELECT sha256 FROM vendor_codec WHERE model = %(model)s;

-- name: remove
-- Forget a model's codec.
DELETE FROM vendor_codec WHERE model = %(model)s;
