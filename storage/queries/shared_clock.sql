-- name: lock
-- One service at a time decides which clock all share.
LOCK TABLE city_clock IN EXCLUSIVE MODE;

-- name: clock
-- The clock that services share, in microseconds since 1970 UTC; no row where it is the real one.
SELECT (extract(epoch FROM start_at) * 1000000)::bigint, (extract(epoch FROM anchor_at) * 1000000)::bigint, speed
FROM city_clock;

-- name: city_now
-- The city's present moment in microseconds since 1970 UTC.
SELECT (extract(epoch FROM city_now()) * 1000000)::bigint;
