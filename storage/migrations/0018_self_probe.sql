-- Readings of the platform's own device, which is no asset: how long one takes from the broker to the database and to an
-- answer of the API. observed_at is city time, the others are real. shown_at is NULL until an API has shown it.
CREATE TABLE self_probe (
    run         text NOT NULL,
    number      bigint NOT NULL,
    instance    text NOT NULL,
    observed_at timestamptz NOT NULL,
    sent_at     timestamptz NOT NULL,
    stored_at   timestamptz NOT NULL,
    shown_at    timestamptz,
    PRIMARY KEY (run, number, instance)
);
CREATE INDEX self_probe_instance ON self_probe (instance, stored_at);
CREATE INDEX self_probe_observed ON self_probe (observed_at);
