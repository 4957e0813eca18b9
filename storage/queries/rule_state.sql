-- The rules' memory.

-- name: load
-- Everything, positions in microseconds since 1970 UTC.
SELECT asset_id, rule, (extract(epoch FROM position) * 1000000)::bigint, state::text FROM rule_state;

-- name: save
-- Keep rows in place of older ones. An interval of one microsecond times a count is exact.
INSERT INTO rule_state AS s (asset_id, rule, position, state)
SELECT asset_id, rule, timestamptz 'epoch' + position_us * interval '1 microsecond', state::jsonb
FROM unnest(%(asset_id)s::int[], %(rule)s::text[], %(position_us)s::bigint[], %(state)s::text[])
         AS g (asset_id, rule, position_us, state)
ON CONFLICT (asset_id, rule) DO UPDATE SET position = excluded.position, state = excluded.state;

-- name: forget
-- Assets that are no longer in service.
DELETE FROM rule_state WHERE asset_id = ANY(%(ids)s::int[]);
