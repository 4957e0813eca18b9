-- The proof of the rollups, and the view `latest` so that one asset is found without looking at all.

-- Local days (by their beginning) that were summed up since the last check which has seen them whole.
CREATE TABLE rollup_touched (
    kind    text NOT NULL,
    day     timestamptz NOT NULL,
    PRIMARY KEY (kind, day)
);

-- Each night's check of rollups against their rows; times are the city's. asset_days were compared, asset_days_left of the
-- touched days were not for want of time, differing were not equal and are made anew. example: one that differed.
CREATE TABLE rollup_check (
    checked_at      timestamptz PRIMARY KEY,
    asset_days      bigint NOT NULL,
    asset_days_left bigint NOT NULL,
    differing       bigint NOT NULL,
    example         text,
    took_s          double precision NOT NULL
);

-- One row for every asset in service, heard or not. Online: not known to be off since it last spoke, and that was no more
-- than three report intervals ago. The city's moment is asked for in subqueries, which are answered once a statement and,
-- unlike a WITH, let the planner look up one asset by its key.
CREATE OR REPLACE VIEW latest AS
SELECT a.asset_id, a.kind, l.observed_at, l.received_at,
       date_part('epoch', (SELECT city_now()) - l.observed_at) AS age_s,
       coalesce(greatest(l.observed_at, CASE WHEN d.online THEN d.status_at END)
                + make_interval(secs => 3 * coalesce((a.attributes ->> 'report_every_s')::double precision,
                                                     k.report_every_s, 600)) > (SELECT city_now())
                AND NOT (d.online IS FALSE AND d.status_at >= l.received_at), false) AS online,
       l.fields
FROM asset a
LEFT JOIN latest_observation l ON l.asset_id = a.asset_id
LEFT JOIN kind k ON k.kind = a.kind
LEFT JOIN installation i ON i.asset_id = a.asset_id
                        AND i.valid_from <= (SELECT city_now()) AND i.valid_to > (SELECT city_now())
LEFT JOIN device d ON d.device = i.device
WHERE a.retired_at IS NULL OR a.retired_at > (SELECT city_now());
