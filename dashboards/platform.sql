-- What is asked about the platform itself, in Grafana's SQL (see overview.sql).

-- name: today
-- What today's ledger holds (UTC day), and what has no fate yet.
SELECT l.received AS "received", l.stored AS "stored", l.duplicate AS "duplicate", l.quarantined AS "quarantined",
       l.received - l.stored - l.duplicate - l.quarantined AS "without fate"
FROM ledger l
ORDER BY l.day DESC
LIMIT 1

-- name: differing
-- Days of the ledger that did not balance at their last check, and what the last check of the rollups found wrong.
SELECT (SELECT count(*) FROM ledger_check WHERE differs_since IS NOT NULL) AS "ledger days",
       (SELECT r.differing FROM rollup_check r ORDER BY r.checked_at DESC LIMIT 1) AS "rollup days"
LIMIT 1

-- name: ledger
-- The proof that nothing is lost, day by day (UTC), with what the last comparison with the rows that are there found.
SELECT to_char(l.day, 'YYYY-MM-DD') AS "Day", l.received AS "Received", l.stored AS "Stored",
       l.duplicate AS "Duplicate", l.quarantined AS "Quarantined",
       l.received - l.stored - l.duplicate - l.quarantined AS "Without fate", l.conflicting AS "Conflicting",
       l.unknown_fields AS "Unknown fields", l.replayed AS "Replayed",
       c.rows_expected AS "Rows expected", c.rows_found AS "Rows found",
       CASE WHEN c.day IS NULL THEN 'none' WHEN c.differs_since IS NULL THEN 'balances' ELSE 'differs' END AS "Check"
FROM ledger l
LEFT JOIN ledger_check c ON c.day = l.day
ORDER BY l.day DESC
LIMIT 31

-- name: delay
-- How long readings were under way: nineteen of twenty arrived within this. Late ones are in it. Looks at the last day
-- of the chosen time at most, because every reading counts.
SELECT $__timeGroup(o.observed_at, $__interval) AS "time", ':words' AS metric,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM o.received_at - o.observed_at)) AS value
FROM asset a
JOIN :table o USING (asset_id)
WHERE $__timeFilter(o.observed_at) AND o.observed_at > $__timeTo()::timestamptz - interval '1 day'
  AND NOT o.time_from_receipt
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY 1

-- name: refused
-- Refused uplinks by their reason; bytes beyond what is kept a device and day are in the ledger alone.
SELECT $__timeGroup(q.received_at, $__interval) AS "time", replace(q.reason, '_', ' ') AS metric, count(*) AS value
FROM quarantine q
WHERE $__timeFilter(q.received_at)
GROUP BY 1, 2
ORDER BY 1, 2

-- name: refused_of
-- Whose uplinks are refused, and why.
SELECT coalesce(q.device, q.topic) AS "Device or topic", replace(q.reason, '_', ' ') AS "Reason", count(*) AS "Refused",
       count(q.replayed_at) AS "Replayed", max(q.received_at) AS "Newest",
       (array_agg(q.detail ORDER BY q.received_at DESC))[1] AS "In detail"
FROM quarantine q
WHERE $__timeFilter(q.received_at)
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
LIMIT 100

-- name: instances
-- The ingest processes of the last day: what each has received and not yet settled. They are seen in real time.
SELECT i.instance AS "Process", i.in_flight AS "In flight", i.seen_at AS "Seen"
FROM ingest_instance i
ORDER BY i.seen_at DESC
LIMIT 50

-- name: self_probe
-- How long ago, in city time, the newest reading of the platform's own device was sent that the API has shown, and how
-- many of the chosen time were shown late.
SELECT (SELECT extract(epoch FROM city_now() - max(p.observed_at)) FROM self_probe p WHERE p.shown_at IS NOT NULL)
           AS "age",
       (SELECT count(*) FROM self_probe p
        WHERE $__timeFilter(p.observed_at)
          AND coalesce(p.shown_at, p.stored_at) - p.sent_at > :in_time_s * interval '1 second') AS "late"
LIMIT 1

-- name: self_probe_trend
-- How long readings of the platform's own device took at worst, in real time, until they were stored and until shown.
SELECT $__timeGroup(p.observed_at, $__interval) AS "time", way.words AS metric,
       max(extract(epoch FROM way.until - p.sent_at)) AS value
FROM self_probe p
CROSS JOIN LATERAL (VALUES ('to the database', p.stored_at), ('to an answer of the API', p.shown_at)) way (words, until)
WHERE $__timeFilter(p.observed_at)
GROUP BY 1, 2
ORDER BY 1, 2

-- name: rollups
-- The nightly proofs that rollups equal their rows.
SELECT r.checked_at AS "Checked", r.asset_days AS "Asset days", r.asset_days_left AS "Left for want of time",
       r.differing AS "Differing", r.example AS "For example", r.took_s AS "Took"
FROM rollup_check r
ORDER BY r.checked_at DESC
LIMIT 14

-- name: intervals
-- How often assets report, and how that is known; learned intervals differ from one to the next.
SELECT replace(a.kind, '_', ' ') AS "Kind", i.known AS "Known", count(*) AS "Assets",
       count(*) FILTER (WHERE l.online) AS "Online", min(i.every_s) AS "Most often",
       percentile_cont(0.5) WITHIN GROUP (ORDER BY i.every_s) AS "Half of them", max(i.every_s) AS "Most rarely"
FROM report_interval i
JOIN asset a USING (asset_id)
JOIN latest l USING (asset_id)
WHERE coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY a.kind, i.known
ORDER BY a.kind, i.known
LIMIT 100

-- name: firmware
-- Which firmware runs on how many devices in service.
SELECT replace(i.kind, '_', ' ') AS "Kind", coalesce(d.firmware, 'not said') AS "Firmware", count(*) AS "Devices"
FROM installation i
JOIN device d USING (device)
JOIN asset a USING (asset_id)
WHERE i.valid_from <= city_now() AND i.valid_to > city_now()
  AND coalesce(a.zone, '-') IN (${zone:sqlstring}) AND a.kind IN (${kind:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2
LIMIT 100
