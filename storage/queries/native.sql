-- Old data on a server without TimescaleDB. {braces} are filled in from the kind.

-- name: partitions
-- The partitions of an observation table by name, and whether each is attached, is still being detached, as DETACH
-- CONCURRENTLY by hand leaves it where it is interrupted, or is detached, left behind by a drop or by hand.
SELECT c.relname, CASE WHEN i.inhdetachpending THEN 'detaching' ELSE 'attached' END AS state
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = %(kind)s::regclass
UNION ALL
SELECT c.relname, 'detached'
FROM pg_class c JOIN pg_class parent ON parent.oid = %(kind)s::regclass AND parent.relnamespace = c.relnamespace
WHERE c.relkind = 'r' AND NOT c.relispartition
  AND c.relname ~ ('^' || parent.relname || '_([0-9]{4}_[0-9]{2}|before_2000)$');

-- name: detached
-- A row if this is a table that stands alone.
SELECT FROM pg_class WHERE oid = to_regclass(%(name)s) AND relkind = 'r' AND NOT relispartition;

-- name: lock_partitions
-- One process at a time makes partitions of a kind; until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('lamplighter partitions'), hashtext(%(kind)s));

-- name: make_partition
-- Make a partition by its owner's rights.
SELECT make_partition(%(kind)s, %(name)s, %(begin)s, %(end)s);

-- name: hourly
-- Sum up the rows of each asset in these hours, asset by asset along the primary key.
INSERT INTO {kind}_hourly AS stored (asset_id, bucket, {names})
SELECT a.asset_id, h.hour, {results}
FROM unnest(%(hours)s::timestamptz[]) AS h (hour)
CROSS JOIN (SELECT asset_id FROM asset WHERE kind = %(kind)s) a
CROSS JOIN LATERAL (
    SELECT {sums} FROM {kind} row
    WHERE row.asset_id = a.asset_id AND row.observed_at >= h.hour AND row.observed_at < h.hour + interval '1 hour'
) r
WHERE r.count > 0
ON CONFLICT (asset_id, bucket) DO UPDATE SET ({names}) = ROW({excluded})
WHERE excluded.count >= stored.count AND ({stored}) IS DISTINCT FROM ({excluded});

-- name: store_increase
-- Write a counter's increase to the hours that are there.
UPDATE {kind}_hourly stored SET {field}_delta = i.increase
FROM ({increase}) i
WHERE stored.asset_id = i.asset_id AND stored.bucket = i.bucket AND stored.{field}_delta IS DISTINCT FROM i.increase;

-- name: forget_hours
-- Hours of some assets that are not what their rows say.
DELETE FROM {kind}_hourly WHERE asset_id = ANY(%(assets)s::integer[]) AND bucket = ANY(%(hours)s::timestamptz[]);

-- name: drop_hours
-- Hours older than they are kept.
DELETE FROM {kind}_hourly WHERE bucket < %(before)s;

-- name: weight
-- Bytes of a table with all its partitions and indexes, and about how many rows are in it, as it was last analysed.
SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::float8, coalesce(sum(greatest(reltuples, 0)), 0)::float8
FROM (SELECT relid FROM pg_partition_tree(%(relation)s::regclass)
      UNION SELECT %(relation)s::regclass) AS parts (relid)
JOIN pg_class c ON c.oid = parts.relid
WHERE c.relkind = 'r';
