-- What a device is, `vendor/device` in lower case, NULL where nobody has said: by it the gateway chooses the codec where the
-- network server does not say. Services that look at the registry's version see a change.
ALTER TABLE device ADD COLUMN model text;

CREATE TRIGGER device_model_changed AFTER UPDATE OF model ON device
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
