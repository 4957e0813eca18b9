-- What the writer of observations does in its transaction, beside the statements that follow from a kind's table.

-- name: latest
-- Make rows the latest of their assets where they are newer; one row an asset. A row's kind is a place in the kinds.
INSERT INTO latest_observation AS stored (asset_id, kind, observed_at, received_at, fields)
SELECT asset_id, (%(kinds)s::text[])[kind], observed_at, received_at, fields::json
FROM unnest(%(assets)b::integer[], %(kind)b::integer[], %(observed)b::timestamptz[], %(received)b::timestamptz[],
            %(fields)b::text[])
    AS n (asset_id, kind, observed_at, received_at, fields)
ON CONFLICT (asset_id) DO UPDATE
SET observed_at = excluded.observed_at, received_at = excluded.received_at, fields = excluded.fields
WHERE stored.observed_at < excluded.observed_at;

-- name: book
-- Add to the day's account.
INSERT INTO ledger AS stored (day, received, stored, duplicate, quarantined, conflicting, unknown_fields, unkept, replayed)
VALUES (%(day)s, %(received)s, %(stored)s, %(duplicate)s, %(quarantined)s, %(conflicting)s, %(unknown_fields)s,
        %(unkept)s, %(replayed)s)
ON CONFLICT (day) DO UPDATE
SET received = stored.received + excluded.received, stored = stored.stored + excluded.stored,
    duplicate = stored.duplicate + excluded.duplicate, quarantined = stored.quarantined + excluded.quarantined,
    conflicting = stored.conflicting + excluded.conflicting,
    unknown_fields = stored.unknown_fields + excluded.unknown_fields, unkept = stored.unkept + excluded.unkept,
    replayed = stored.replayed + excluded.replayed;

-- name: settle
-- In a batch's transaction: this is the last one that the process has settled. It is a sign of life too; a gateway's only.
INSERT INTO ingest_instance (instance, in_flight, seen_at, settled_batch)
VALUES (%(instance)s, 0, clock_timestamp(), %(batch)s)
ON CONFLICT (instance) DO UPDATE SET settled_batch = excluded.settled_batch, seen_at = excluded.seen_at;

-- name: one_at_a_time
-- Rows that only their seq can tell from a redelivery are looked for and written by one process at a time.
SELECT pg_advisory_xact_lock(hashtext('lamplighter redelivery'));

-- name: quarantined_already
-- Which refused observations are in quarantine since earlier that day, by their place from 1.
SELECT n.place
FROM unnest(%(topics)b::text[], %(digests)b::bytea[], %(elements)b::integer[]) WITH ORDINALITY
    AS n (topic, digest, element, place)
JOIN quarantine q ON q.topic = n.topic AND q.digest = n.digest AND q.element = n.element AND q.day = %(day)s;

-- name: kept
-- How many rows of each device are kept that day; '' stands for topics without a device, NULL for all devices, as booked.
SELECT device, count(*) FROM quarantine
WHERE day = %(day)s AND device = ANY(%(devices)s::text[]) GROUP BY device
UNION ALL
SELECT '', count(*) FROM quarantine WHERE day = %(day)s AND device IS NULL AND '' = ANY(%(devices)s::text[])
UNION ALL
SELECT NULL, quarantined - unkept FROM ledger WHERE day = %(day)s;

-- name: quarantine
-- Keep refused observations; returns the places from 1 of those that were new.
WITH n AS (
    SELECT * FROM unnest(%(received)b::timestamptz[], %(topics)b::text[], %(devices)b::text[], %(digests)b::bytea[],
                         %(elements)b::integer[], %(reasons)b::text[], %(details)b::text[], %(payloads)b::bytea[])
        WITH ORDINALITY AS n (received_at, topic, device, digest, element, reason, detail, payload, place)
), kept AS (
    INSERT INTO quarantine (day, received_at, topic, device, digest, element, reason, detail, payload)
    SELECT %(day)s, received_at, topic, nullif(device, ''), digest, element, reason, detail, payload
    FROM n ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING topic, digest, element
)
SELECT n.place FROM n JOIN kept USING (topic, digest, element);

-- name: presence
-- What devices said of themselves. A retained word is an old one: it counts where it differs from what is known. What
-- is known from more than a moment after the city's present was heard by a clock that has been set right since.
UPDATE device d
SET online = n.online, firmware = coalesce(n.firmware, d.firmware), status_at = n.at
FROM unnest(%(devices)b::text[], %(online)b::boolean[], %(firmware)b::text[], %(at)b::timestamptz[], %(retained)b::boolean[])
    AS n (device, online, firmware, at, retained)
WHERE d.device = n.device
  AND (d.status_at IS NULL OR d.status_at <= n.at OR d.status_at > (SELECT city_now()) + interval '5 minutes')
  AND (NOT n.retained OR d.online IS DISTINCT FROM n.online OR d.firmware IS DISTINCT FROM coalesce(n.firmware, d.firmware));

-- name: heartbeat
-- Say what this process has received and not yet settled; seen_at is real time.
INSERT INTO ingest_instance (instance, in_flight, seen_at) VALUES (%(instance)s, %(in_flight)s, clock_timestamp())
ON CONFLICT (instance) DO UPDATE SET in_flight = excluded.in_flight, seen_at = excluded.seen_at;

-- name: farewell
-- This process has nothing in flight any more; forget those too that vanished a day ago.
DELETE FROM ingest_instance WHERE instance = %(instance)s OR seen_at < clock_timestamp() - interval '1 day';

-- name: replayable
-- Refused observations that have not been replayed, after a place in the order of receipt, but for those kept cut.
SELECT id, (extract(epoch FROM received_at) * 1000000)::bigint, topic, payload
FROM quarantine
WHERE (received_at, id) > (%(after)s, %(after_id)s) AND replayed_at IS NULL AND reason <> 'too_large'
  AND (%(device)s::text IS NULL OR device = %(device)s::text)
ORDER BY received_at, id
LIMIT %(limit)s;

-- name: cut
-- How many refused observations were too large to be kept whole.
SELECT count(*) FROM quarantine
WHERE reason = 'too_large' AND (%(device)s::text IS NULL OR device = %(device)s::text);

-- name: claim
-- Those of these refused observations that nobody else has replayed, for the rest of the transaction.
SELECT id FROM quarantine WHERE id = ANY(%(ids)s::bigint[]) AND replayed_at IS NULL ORDER BY id FOR UPDATE;

-- name: mark_replayed
-- Refused observations have been stored after all.
UPDATE quarantine SET replayed_at = %(at)s WHERE id = ANY(%(ids)s::bigint[]);
