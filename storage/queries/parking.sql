-- Parking: how zones were used, and what bays are now.

-- name: by_zone_and_day
-- Of each zone and local day: for how long its bays were known and taken, how many cars came, and the fullest hour.
--
-- What a bay says holds until it says something else, but no longer than as many of its report intervals as it may miss:
-- a silent bay is unknown. An hour counts for the fullest if half of its bay-time is known.
WITH said AS (
    SELECT o.asset_id, o.observed_at AS begins, o.occupied, lag(o.occupied) OVER bay AS before,
           least(lead(o.observed_at) OVER bay, o.observed_at + make_interval(secs => %(missed_intervals)s * i.every_s), %(until)s) AS ends
    FROM parking_bay o
    JOIN report_interval i USING (asset_id)
    WHERE o.observed_at >= %(since)s::timestamptz - interval '1 day' AND o.observed_at < %(until)s
    WINDOW bay AS (PARTITION BY o.asset_id ORDER BY o.observed_at)
), held AS (
    SELECT asset_id, hour, occupied,
           extract(epoch FROM least(ends, hour + interval '1 hour') - greatest(begins, hour)) AS held_s,
           (occupied AND NOT before AND begins >= hour)::int AS came
    FROM said,
         generate_series(
             date_trunc('hour', greatest(begins, %(since)s)), ends - interval '1 microsecond', interval '1 hour'
         ) AS hour
    WHERE ends > %(since)s AND hour >= %(since)s
), hours AS (
    SELECT a.zone, h.hour, sum(h.held_s) AS known_s, coalesce(sum(h.held_s) FILTER (WHERE h.occupied), 0) AS taken_s,
           sum(h.came) AS came
    FROM held h JOIN asset a USING (asset_id)
    WHERE a.zone IS NOT NULL
    GROUP BY 1, 2
), bays AS (
    SELECT zone, count(*) AS bays FROM asset WHERE kind = 'parking_bay' AND retired_at IS NULL GROUP BY zone
)
SELECT h.zone, coalesce(nullif(z.name, ''), h.zone) AS name, (h.hour AT TIME ZONE c.timezone)::date AS day,
       coalesce(max(b.bays), 0)::int AS bays, sum(h.known_s)::float8 / 3600 AS known_h,
       sum(h.taken_s)::float8 / 3600 AS taken_h, sum(h.came)::int AS arrivals,
       (array_agg(extract(hour FROM h.hour AT TIME ZONE c.timezone)::int ORDER BY h.taken_s / h.known_s DESC, h.hour)
           FILTER (WHERE h.known_s >= 1800 * b.bays))[1] AS fullest_hour,
       max(100 * h.taken_s / h.known_s) FILTER (WHERE h.known_s >= 1800 * b.bays)::float8 AS fullest_pct
FROM hours h
JOIN zone z USING (zone)
LEFT JOIN bays b USING (zone)
CROSS JOIN city c
WHERE h.known_s > 0
GROUP BY h.zone, z.name, 3
ORDER BY 3, 1;

-- name: spots
-- Every bay in service with a place: what it says now, and whether its zone is closed.
SELECT a.asset, a.name, a.zone, a.lat, a.lon, a.attributes ->> 'reserved_for' AS reserved_for,
       coalesce(l.online, false) AS online, (l.fields ->> 'occupied')::boolean AS occupied,
       EXISTS (
           SELECT FROM zone_measure m
           WHERE m.zone = a.zone AND m.what = 'closure' AND m.from_at <= %(now)s AND m.until_at > %(now)s
             AND m.ended_at IS NULL
       ) AS closed,
       floor(extract(epoch FROM a.changed_at))::bigint * 1000000 AS changed_us
FROM asset a
JOIN latest l USING (asset_id)
WHERE a.kind = 'parking_bay' AND a.lat IS NOT NULL AND a.lon IS NOT NULL
ORDER BY a.asset;
