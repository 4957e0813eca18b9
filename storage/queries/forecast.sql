-- What the database weighs and what a day adds. {kind} is the observation table.

-- name: pace
-- How many rows, hours and days a whole day added.
SELECT coalesce(sum(count), 0)::bigint, count(*), count(DISTINCT asset_id)
FROM {kind}_hourly WHERE bucket >= %(since)s AND bucket < %(until)s;

-- name: native_weight
-- Bytes of a table with all its partitions and indexes, and about how many rows are in it, as it was last analysed.
SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::float8, coalesce(sum(greatest(reltuples, 0)), 0)::float8
FROM (SELECT relid FROM pg_partition_tree(%(relation)s::regclass)
      UNION SELECT %(relation)s::regclass) AS parts (relid)
JOIN pg_class c ON c.oid = parts.relid
WHERE c.relkind = 'r';

-- name: timescale_weight
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

-- name: size
-- Bytes of the whole database.
SELECT pg_database_size(current_database())::float8;
