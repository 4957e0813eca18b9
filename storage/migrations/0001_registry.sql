-- The registry: places (assets), hardware (devices), and which served which from when to when.

CREATE TABLE zone (
    zone        text PRIMARY KEY,
    name        text NOT NULL,
    lat         double precision,
    lon         double precision
);

CREATE TABLE asset (
    asset_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset       text NOT NULL UNIQUE,
    kind        text NOT NULL,
    name        text NOT NULL DEFAULT '',
    zone        text REFERENCES zone,
    lat         double precision,
    lon         double precision,
    attributes  jsonb NOT NULL DEFAULT '{}',
    retired_at  timestamptz
);
CREATE INDEX asset_zone ON asset (zone);
CREATE INDEX asset_kind ON asset (kind);

-- online is NULL until the device has said so itself; status_at is when it last did.
CREATE TABLE device (
    device      text PRIMARY KEY,
    online      boolean,
    firmware    text,
    status_at   timestamptz
);

-- valid_from '-infinity': served the asset ever since; valid_to 'infinity': serves it now.
CREATE TABLE installation (
    asset_id    integer NOT NULL REFERENCES asset,
    device      text NOT NULL REFERENCES device,
    kind        text NOT NULL,
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    valid_to    timestamptz NOT NULL DEFAULT 'infinity',
    PRIMARY KEY (asset_id, valid_from),
    CHECK (valid_from < valid_to)
);
CREATE INDEX installation_device ON installation (device, kind, valid_from);
CREATE UNIQUE INDEX installation_now_of_asset ON installation (asset_id) WHERE valid_to = 'infinity';
CREATE UNIQUE INDEX installation_now_of_device ON installation (device, kind) WHERE valid_to = 'infinity';

-- One row: services compare the version and read the registry again when it has moved.
CREATE TABLE registry_version (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    version     bigint NOT NULL DEFAULT 1
);
INSERT INTO registry_version DEFAULT VALUES;

CREATE FUNCTION bump_registry_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry_version SET version = version + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER zone_changed AFTER INSERT OR UPDATE OR DELETE ON zone
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
CREATE TRIGGER asset_changed AFTER INSERT OR UPDATE OR DELETE ON asset
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
CREATE TRIGGER installation_changed AFTER INSERT OR UPDATE OR DELETE ON installation
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
