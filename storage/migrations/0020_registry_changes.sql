-- Since when the registry says of a zone and its bays, and of an asset, what it says; city time. Of what was registered
-- before, the last import that the audit tells of; the epoch where it tells of none.
ALTER TABLE zone ADD COLUMN changed_at timestamptz NOT NULL DEFAULT 'epoch';
ALTER TABLE asset ADD COLUMN changed_at timestamptz NOT NULL DEFAULT 'epoch';

UPDATE zone SET changed_at = i.at
FROM (SELECT max(at) AS at FROM audit WHERE action = 'import_registry') i WHERE i.at IS NOT NULL;
UPDATE asset SET changed_at = i.at
FROM (SELECT max(at) AS at FROM audit WHERE action = 'import_registry') i WHERE i.at IS NOT NULL;

ALTER TABLE zone ALTER COLUMN changed_at SET DEFAULT city_now();
ALTER TABLE asset ALTER COLUMN changed_at SET DEFAULT city_now();
