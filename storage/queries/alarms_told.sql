-- Who was told of the alarms that stand.

-- name: forget
-- All but these.
DELETE FROM alarm_told t
WHERE NOT EXISTS (
    SELECT FROM unnest(%(alarm)s::text[], %(sink)s::text[]) AS g (alarm, sink)
    WHERE g.alarm = t.alarm_id AND g.sink = t.sink
);

-- name: keep
-- These, with the last time.
INSERT INTO alarm_told AS t (alarm_id, sink, told_at)
SELECT alarm, sink, at FROM unnest(%(alarm)s::text[], %(sink)s::text[], %(at)s::timestamptz[]) AS g (alarm, sink, at)
ON CONFLICT (alarm_id, sink) DO UPDATE SET told_at = excluded.told_at WHERE t.told_at <> excluded.told_at;

-- name: load
-- All of them.
SELECT alarm_id, sink, told_at FROM alarm_told;
