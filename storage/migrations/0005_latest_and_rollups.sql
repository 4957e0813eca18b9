-- What is derived from observations: the newest of each asset, and the book-keeping of rollups and old data.
-- The rollup relations themselves follow the kinds and are made by storage.lifecycle.

-- One row: the city's time zone, by which local days are cut, and how old data is kept ('native' or 'timescale').
CREATE TABLE city (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    timezone    text NOT NULL,
    mode        text NOT NULL CHECK (mode IN ('native', 'timescale'))
);

-- The kinds of the code that migrated last, with the report interval of an asset that registers none.
CREATE TABLE kind (
    kind            text PRIMARY KEY,
    report_every_s  integer NOT NULL
);

-- Kept by the writer of observations in its transaction; space is left in each page to update a row in place.
CREATE TABLE latest_observation (
    asset_id    integer PRIMARY KEY,
    kind        text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    fields      jsonb NOT NULL
) WITH (fillfactor = 70);

-- One row for every asset in service, heard or not. Online: not known to be off since it last spoke, and that was no
-- more than three report intervals ago.
CREATE VIEW latest AS
WITH clock AS MATERIALIZED (SELECT city_now() AS moment)
SELECT a.asset_id, a.kind, l.observed_at, l.received_at,
       extract(epoch FROM clock.moment - l.observed_at)::double precision AS age_s,
       coalesce(heard.at > clock.moment - 3 * make_interval(secs => heard.report_every_s)
                AND NOT (d.online IS FALSE AND d.status_at >= l.received_at), false) AS online,
       l.fields
FROM clock
CROSS JOIN asset a
LEFT JOIN latest_observation l ON l.asset_id = a.asset_id
LEFT JOIN kind k ON k.kind = a.kind
LEFT JOIN installation i ON i.asset_id = a.asset_id AND i.valid_from <= clock.moment AND i.valid_to > clock.moment
LEFT JOIN device d ON d.device = i.device
CROSS JOIN LATERAL (
    SELECT greatest(l.observed_at, CASE WHEN d.online THEN d.status_at END) AS at,
           coalesce((a.attributes ->> 'report_every_s')::double precision, k.report_every_s, 600) AS report_every_s
) heard
WHERE a.retired_at IS NULL OR a.retired_at > clock.moment;

-- Hours whose rollups no longer equal their rows. The writer only ever appends, so that nobody waits for anybody.
CREATE TABLE rollup_dirty (
    kind    text NOT NULL,
    hour    timestamptz NOT NULL
);

-- What maintenance has taken over from rollup_dirty and not yet done: each hour once.
CREATE TABLE rollup_work (
    kind    text NOT NULL,
    hour    timestamptz NOT NULL,
    PRIMARY KEY (kind, hour)
);

-- Rows before dropped_before are gone; rollups of that time stay as they are. looked_at: when compression and retention last ran.
CREATE TABLE raw_horizon (
    kind            text PRIMARY KEY,
    dropped_before  timestamptz NOT NULL DEFAULT '-infinity',
    looked_at       timestamptz NOT NULL DEFAULT '-infinity'
);
