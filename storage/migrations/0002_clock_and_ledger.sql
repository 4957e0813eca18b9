-- The city clock as SQL sees it, and the fates of uplinks.

-- City time was start_at when real time was anchor_at, and runs speed times as fast. Services write it when they start.
CREATE TABLE city_clock (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    start_at    timestamptz NOT NULL,
    anchor_at   timestamptz NOT NULL,
    speed       double precision NOT NULL CHECK (speed > 0)
);

-- By the rights of its owner, so that who reads a view of ours need not read the clock's row.
CREATE FUNCTION city_now() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce((SELECT start_at + (clock_timestamp() - anchor_at) * speed FROM city_clock), clock_timestamp())
$$;

-- One row a UTC day of receipt by the city clock. received is counted before decoding, the fates as they are written.
-- conflicting: duplicates whose values differ from the stored row. unkept: quarantined beyond what is kept a device and day.
CREATE TABLE ledger (
    day            date PRIMARY KEY,
    received       bigint NOT NULL DEFAULT 0,
    stored         bigint NOT NULL DEFAULT 0,
    duplicate      bigint NOT NULL DEFAULT 0,
    quarantined    bigint NOT NULL DEFAULT 0,
    conflicting    bigint NOT NULL DEFAULT 0,
    unknown_fields bigint NOT NULL DEFAULT 0,
    unkept         bigint NOT NULL DEFAULT 0,
    replayed       bigint NOT NULL DEFAULT 0
);

-- What each running ingest process has received and not yet given a fate; seen_at is real time.
CREATE TABLE ingest_instance (
    instance    text PRIMARY KEY,
    in_flight   bigint NOT NULL,
    seen_at     timestamptz NOT NULL
);

-- payload is the observation's own JSON text, the whole uplink where it cannot be split; digest is of these bytes.
CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day         date NOT NULL,
    received_at timestamptz NOT NULL,
    topic       text NOT NULL,
    device      text,
    digest      bytea NOT NULL,
    element     integer NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL,
    payload     bytea NOT NULL,
    replayed_at timestamptz,
    UNIQUE (topic, digest, element, day)
);
CREATE INDEX quarantine_received ON quarantine (received_at DESC, id DESC);
CREATE INDEX quarantine_device ON quarantine (device, day);
