-- Makers' own codecs, as operators gave them: here every gateway process finds them, and every backup has them.

-- One a model. mapping: which of its values are which of our fields, NULL where nobody has said. sha256: of the file as
-- it was given, in hexadecimal. origin: where it was got from; licence: SPDX. reused: its context is kept from one message to
-- the next. added_at is real time.
CREATE TABLE vendor_codec (
    model       text PRIMARY KEY,
    source      text NOT NULL,
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    origin      text NOT NULL,
    licence     text NOT NULL,
    mapping     text,
    reused      boolean NOT NULL DEFAULT false,
    added_at    timestamptz NOT NULL,
    added_by    text NOT NULL
);

-- Services that look at the registry's version see a new codec as soon as a new device.
CREATE TRIGGER vendor_codec_changed AFTER INSERT OR UPDATE OR DELETE ON vendor_codec
    FOR EACH STATEMENT EXECUTE FUNCTION bump_registry_version();
