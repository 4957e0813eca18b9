-- name: alarms
-- Alarms raised since a moment of the city clock, and those that are not normal now.
SELECT count(*) FILTER (WHERE raised_at >= %(since)s), count(*) FILTER (WHERE state <> 'normal') FROM alarm;

-- name: commands
-- Commands queued since a moment of the city clock, and what became of them.
SELECT count(*), count(*) FILTER (WHERE state = 'verified'),
       count(*) FILTER (WHERE state IN ('rejected', 'expired', 'failed'))
FROM command WHERE queued_at >= %(since)s;

-- name: lamps
-- Lamps by their newest report: how many, how many lit, and their mean light in per cent.
SELECT count(*), count(*) FILTER (WHERE level_pct > 0), coalesce(avg(level_pct), 0)::float8
FROM (SELECT (fields ->> 'level_pct')::float8 AS level_pct FROM latest_observation WHERE kind = 'streetlight') newest;

-- name: bays
-- Bays that are free and not reserved, of how many, as the zones were last published.
SELECT coalesce(sum(free), 0)::bigint, coalesce(sum(capacity), 0)::bigint FROM parking_zone_now;
