-- Old data on a server with TimescaleDB. {braces} are filled in from the kind.

-- name: is_hypertable
-- Whether the observation table is one already.
SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = %(kind)s;

-- name: hypertable
-- Cut the observation table into chunks of a week; the primary key is index enough.
SELECT create_hypertable('{kind}', 'observed_at', chunk_time_interval => interval '7 days',
                         create_default_indexes => false);

-- name: compressible
-- Old chunks go to the columnstore, a segment for each asset. Being named in the order has received_at's least and
-- greatest kept beside each compressed batch, so that the ledger's check leaves out those of other days.
ALTER TABLE {kind} SET (timescaledb.compress, timescaledb.compress_segmentby = 'asset_id',
                        timescaledb.compress_orderby = 'observed_at DESC, received_at');

-- name: aggregate
-- Hours as a continuous aggregate that also shows what came since it was last refreshed.
CREATE MATERIALIZED VIEW {aggregate}
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT asset_id, time_bucket('1 hour', observed_at) AS bucket, {sums}
FROM {kind} GROUP BY 1, 2 WITH NO DATA;

-- name: hourly_with_increase
-- The hours of a kind with counters: the aggregate, beside it the increases that no aggregate can tell.
CREATE VIEW {kind}_hourly AS
SELECT h.asset_id, h.bucket, {columns}
FROM {aggregate} h LEFT JOIN {kind}_hourly_increase i ON i.asset_id = h.asset_id AND i.bucket = h.bucket;

-- name: save_hours
-- The hours that cannot be summed up again, because their rows are gone.
CREATE TEMPORARY TABLE saved_{kind}_hours AS
SELECT h.* FROM {kind}_hourly h JOIN raw_horizon r ON r.kind = %(kind)s AND h.bucket < r.dropped_before;

-- name: hours_to_fill
-- Hours of a backup, as readers see them.
CREATE TEMPORARY TABLE saved_{kind}_hours (LIKE {kind}_hourly);

-- name: fill_increases
-- What no aggregate can tell of them.
INSERT INTO {kind}_hourly_increase AS stored (asset_id, bucket, {field}_delta)
SELECT asset_id, bucket, {field}_delta FROM saved_{kind}_hours WHERE {field}_delta IS NOT NULL
ON CONFLICT (asset_id, bucket) DO UPDATE SET {field}_delta = excluded.{field}_delta;

-- name: forget_hours_with_rows
-- Hours that are summed up from their rows.
DELETE FROM saved_{kind}_hours h
WHERE NOT EXISTS (SELECT FROM raw_horizon r WHERE r.kind = %(kind)s AND h.bucket < r.dropped_before);

-- name: materialized
-- The hypertable in which a continuous aggregate keeps its hours.
SELECT format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)
FROM timescaledb_information.continuous_aggregates WHERE view_name = %(aggregate)s;

-- name: refresh
-- Bring the closed hours up to date; the aggregate itself knows which of them have changed.
CALL refresh_continuous_aggregate('{aggregate}', %(since)s::timestamptz, %(until)s::timestamptz);

-- name: refresh_all
-- Make hours anew, whether the aggregate knows of a change or not.
CALL refresh_continuous_aggregate('{aggregate}', %(since)s::timestamptz, %(until)s::timestamptz, force => true);

-- name: forget_increases
-- Increases of some assets that are not what their rows say.
DELETE FROM {kind}_hourly_increase
WHERE asset_id = ANY(%(assets)s::integer[]) AND bucket = ANY(%(hours)s::timestamptz[]);

-- name: store_increase
-- Write a counter's increase beside the aggregate.
INSERT INTO {kind}_hourly_increase AS stored (asset_id, bucket, {field}_delta)
SELECT i.asset_id, i.bucket, i.increase FROM ({increase}) i
ON CONFLICT (asset_id, bucket) DO UPDATE SET {field}_delta = excluded.{field}_delta
WHERE stored.{field}_delta IS DISTINCT FROM excluded.{field}_delta;

-- name: uncompressed
-- Chunks that are older than they stay in rows, and those that have taken late rows since (8: partly compressed).
SELECT format('%%I.%%I', i.chunk_schema, i.chunk_name)
FROM timescaledb_information.chunks i
JOIN _timescaledb_catalog.chunk c ON c.schema_name = i.chunk_schema AND c.table_name = i.chunk_name
WHERE i.hypertable_name = %(kind)s AND i.range_end <= %(before)s AND (NOT i.is_compressed OR c.status & 8 <> 0);

-- name: compress
-- Move one chunk, or what it has taken since, to the columnstore.
SELECT compress_chunk(%(chunk)s::regclass, if_not_compressed => true);

-- name: end_of_rows
-- Where the newest chunk ends that is older than rows are kept.
SELECT max(range_end) FROM timescaledb_information.chunks
WHERE hypertable_name = %(kind)s AND range_end <= %(before)s;

-- name: old_chunks
-- The chunks of a hypertable that are older than they are kept.
SELECT show_chunks(%(relation)s::regclass, older_than => %(before)s::timestamptz)::text;

-- name: drop_chunks
-- Drop the chunks of a hypertable or continuous aggregate that are older than they are kept.
SELECT drop_chunks(%(relation)s::regclass, older_than => %(before)s::timestamptz);

-- name: drop_increases
-- Increases older than their hours are kept.
DELETE FROM {kind}_hourly_increase WHERE bucket < %(before)s;

-- name: policies
-- How many background jobs of the server look after this kind, and how many of them with these intervals. A job of an
-- aggregate bears its name or that of the table behind it, as the version has it.
SELECT count(*), count(*) FILTER (WHERE (config ->> 'drop_after')::interval = %(raw)s::interval
                                     OR (config ->> 'compress_after')::interval = %(compress)s::interval
                                     OR (config ->> 'start_offset')::interval = %(refresh)s::interval)
FROM timescaledb_information.jobs
WHERE hypertable_name = %(kind)s AND proc_name IN ('policy_compression', 'policy_retention')
   OR proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_name IN (
        SELECT unnest(ARRAY[view_name, materialization_hypertable_name])
        FROM timescaledb_information.continuous_aggregates WHERE view_name = %(aggregate)s);

-- name: add_refresh_policy
-- Let the server itself refresh the closed hours whose rows are still there.
SELECT add_continuous_aggregate_policy(%(aggregate)s::regclass, start_offset => %(since)s::interval,
                                       end_offset => interval '1 hour', schedule_interval => interval '1 hour');

-- name: weight
-- The same of a hypertable, of the table behind a continuous aggregate, or of a plain table; compressed rows count.
SELECT coalesce(hypertable_size(r.relation), pg_total_relation_size(r.relation))::float8,
       approximate_row_count(r.relation)::float8
FROM (
    SELECT coalesce(
        (SELECT format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass
         FROM timescaledb_information.continuous_aggregates
         WHERE view_name::text IN (%(relation)s::text, %(relation)s::text || '_aggregate')),
        %(relation)s::text::regclass
    ) AS relation
) r;
