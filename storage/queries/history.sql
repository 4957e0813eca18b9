-- What an import of history has to know.

-- name: kept_since
-- From when on rows of each kind are kept (microseconds since 1970 UTC): those from before may have been dropped.
SELECT kind, (extract(epoch FROM dropped_before) * 1000000)::bigint FROM raw_horizon WHERE isfinite(dropped_before);
