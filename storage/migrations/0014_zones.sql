-- What is remembered of zones beside their last word: orders of operators, and what is known of their coming and going.

-- In force from from_at (inclusive) to until_at (exclusive), or to ended_at where somebody ended it before.
CREATE TABLE zone_measure (
    id          text PRIMARY KEY,
    zone        text NOT NULL REFERENCES zone,
    what        text NOT NULL CHECK (what IN ('closure', 'maintenance')),
    from_at     timestamptz NOT NULL,
    until_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    note        text NOT NULL DEFAULT '',
    by          text NOT NULL,
    CHECK (from_at < until_at)
);
CREATE INDEX zone_measure_until ON zone_measure (until_at);

-- The rules' own, in bytes that only they read.
CREATE TABLE zone_outlook (
    zone        text PRIMARY KEY,
    outlook     bytea NOT NULL
);
