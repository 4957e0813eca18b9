-- Who writes observations needs no right to make tables: partitions are made by the rights of their owner.

-- partition_name is `<kind>_YYYY_MM` or `<kind>_before_2000`; begins_at NULL: it holds all that is earlier. One that was
-- detached by hand comes back with its rows: these are where new ones belong. One that a drop which was interrupted has
-- left is dropped first, and its rows are booked as retired.
CREATE FUNCTION make_partition(kind_name text, partition_name text, begins_at timestamptz, ends_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    is_detaching boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM kind WHERE kind = kind_name)
       OR partition_name !~ ('^' || kind_name || '_([0-9]{4}_[0-9]{2}|before_2000)$') THEN
        RAISE EXCEPTION '% is no partition of %', partition_name, kind_name;
    END IF;
    SELECT i.inhdetachpending INTO is_detaching
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = kind_name::regclass AND c.relname = partition_name;
    IF is_detaching THEN
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I FINALIZE', kind_name, partition_name);
    ELSIF NOT is_detaching THEN
        RETURN;
    END IF;
    IF to_regclass(partition_name) IS NOT NULL
       AND ends_at <= (SELECT dropped_before FROM raw_horizon WHERE kind = kind_name) THEN
        EXECUTE format(
            'INSERT INTO ledger AS stored (day, rows_retired)'
            ' SELECT (received_at AT TIME ZONE ''UTC'')::date, count(*) FROM %I GROUP BY 1'
            ' ON CONFLICT (day) DO UPDATE SET rows_retired = stored.rows_retired + excluded.rows_retired',
            partition_name);
        EXECUTE format('DROP TABLE %I', partition_name);
    END IF;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                   partition_name, kind_name);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%L)', kind_name, partition_name,
                   CASE WHEN begins_at IS NULL THEN 'MINVALUE' ELSE quote_literal(begins_at) END, ends_at);
END $$;
REVOKE EXECUTE ON FUNCTION make_partition FROM PUBLIC;
