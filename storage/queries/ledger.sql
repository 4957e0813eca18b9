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
-- One row a UTC day from one day to before another, newest first, with its last check.
SELECT l.received, l.stored, l.duplicate, l.quarantined, l.conflicting, l.unknown_fields, l.unkept, l.replayed,
       0::bigint AS in_flight, l.day AS since, c.checked_at, c.without_fate, c.rows_expected, c.rows_found,
       c.quarantine_expected, c.quarantine_found, c.differs_since
FROM ledger l LEFT JOIN ledger_check c ON c.day = l.day
WHERE (%(before)s::date IS NULL OR l.day < %(before)s::date) AND (%(since)s::date IS NULL OR l.day >= %(since)s::date)
ORDER BY l.day DESC
LIMIT %(limit)s;

-- name: differing
-- The days whose last check found a difference, the first to differ first.
SELECT l.received, l.stored, l.duplicate, l.quarantined, l.conflicting, l.unknown_fields, l.unkept, l.replayed,
       0::bigint AS in_flight, c.day AS since, c.checked_at, c.without_fate, c.rows_expected, c.rows_found,
       c.quarantine_expected, c.quarantine_found, c.differs_since
FROM ledger_check c JOIN ledger l ON l.day = c.day
WHERE c.differs_since IS NOT NULL
ORDER BY c.differs_since, c.day;

-- name: due
-- The days to check, newest first: never checked, closed since, with observations lately without a fate, and by the hour
-- those that are open, that differ, or that were booked on meanwhile (late commits, replays). A check that lies ahead
-- was made before the clock was set back.
SELECT l.day
FROM ledger l LEFT JOIN ledger_check c ON c.day = l.day
CROSS JOIN LATERAL (SELECT (l.day + 1)::timestamp AT TIME ZONE 'UTC' + %(settle)s::interval AS closed_at) d
WHERE c.day IS NULL OR c.checked_at > %(now)s::timestamptz
   OR d.closed_at <= %(now)s AND c.checked_at < d.closed_at
   OR l.received - l.stored - l.duplicate - l.quarantined <> c.without_fate
   OR c.checked_at <= %(now)s::timestamptz - %(again)s::interval AND (
        d.closed_at > %(now)s OR c.differs_since IS NOT NULL
        OR l.stored + l.replayed - l.rows_retired <> c.rows_expected
        OR l.quarantined - l.unkept - l.quarantine_retired <> c.quarantine_expected)
ORDER BY l.day DESC;

-- name: hold_retention
-- Until the end of the transaction nothing is dropped between its disappearance and its booking.
SELECT pg_advisory_xact_lock_shared(hashtext('lamplighter retirement'));

-- name: begin_retiring
-- No check of the ledger looks until what is being dropped has been booked; held by the session.
SELECT pg_advisory_lock(hashtext('lamplighter retirement'));

-- name: end_retiring
-- Checks may look again.
SELECT pg_advisory_unlock(hashtext('lamplighter retirement'));

-- name: retire
-- Book rows that are about to be dropped on the days of their receipt.
INSERT INTO ledger AS stored (day, rows_retired)
SELECT (received_at AT TIME ZONE 'UTC')::date, count(*) FROM {relation} WHERE observed_at < %(end)s GROUP BY 1
ON CONFLICT (day) DO UPDATE SET rows_retired = stored.rows_retired + excluded.rows_retired;

-- name: count_rows
-- The rows of one kind that came within a day.
SELECT count(*) FROM {kind} WHERE received_at >= %(begin)s AND received_at < %(end)s

-- name: check
-- Compare a day's account with what is there, and keep the outcome. One statement sees one snapshot, and the writer
-- books in the transaction that writes the rows, so that nothing can be in between.
INSERT INTO ledger_check AS c (day, checked_at, without_fate, rows_expected, rows_found, quarantine_expected,
                               quarantine_found, differs_since)
SELECT day, checked_at, without_fate, rows_expected, rows_found, quarantine_expected, quarantine_found,
       CASE WHEN (without_fate, rows_found, quarantine_found) <> (0, rows_expected, quarantine_expected)
            THEN checked_at END
FROM (
    SELECT %(day)s::date AS day, %(at)s::timestamptz AS checked_at,
           coalesce(sum(received - stored - duplicate - quarantined), 0)::bigint AS without_fate,
           coalesce(sum(stored + replayed - rows_retired), 0)::bigint AS rows_expected,
           {rows_found} AS rows_found,
           coalesce(sum(quarantined - unkept - quarantine_retired), 0)::bigint AS quarantine_expected,
           (SELECT count(*) FROM quarantine WHERE received_at >= %(begin)s AND received_at < %(end)s) AS quarantine_found
    FROM ledger WHERE day = %(day)s
) found
ON CONFLICT (day) DO UPDATE
SET checked_at = excluded.checked_at, without_fate = excluded.without_fate,
    rows_expected = excluded.rows_expected, rows_found = excluded.rows_found,
    quarantine_expected = excluded.quarantine_expected, quarantine_found = excluded.quarantine_found,
    differs_since = CASE WHEN excluded.differs_since IS NOT NULL THEN coalesce(c.differs_since, excluded.differs_since) END
RETURNING checked_at, without_fate, rows_expected, rows_found, quarantine_expected, quarantine_found, differs_since;
