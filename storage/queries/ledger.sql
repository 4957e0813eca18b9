-- name: totals
-- All days together, with what running ingest processes have received and not yet settled.
SELECT coalesce(sum(received), 0)::bigint AS received, coalesce(sum(stored), 0)::bigint AS stored,
       coalesce(sum(duplicate), 0)::bigint AS duplicate, coalesce(sum(quarantined), 0)::bigint AS quarantined,
       coalesce(sum(conflicting), 0)::bigint AS conflicting, coalesce(sum(unknown_fields), 0)::bigint AS unknown_fields,
       coalesce(sum(unkept), 0)::bigint AS unkept, coalesce(sum(replayed), 0)::bigint AS replayed,
       min(day) AS since,
       (SELECT coalesce(sum(in_flight), 0)::bigint FROM ingest_instance WHERE seen_at > %(alive_since)s) AS in_flight
FROM ledger;

-- name: days
-- One row a UTC day before a day, newest first.
SELECT received, stored, duplicate, quarantined, conflicting, unknown_fields, unkept, replayed,
       day AS since, 0::bigint AS in_flight
FROM ledger
WHERE %(before)s::date IS NULL OR day < %(before)s::date
ORDER BY day DESC
LIMIT %(limit)s;
