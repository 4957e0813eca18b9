-- Outages that stand.

-- name: causes
-- Alarms of a type whose condition holds, with the time of their cause.
SELECT subject, observed_at FROM alarm WHERE type = %(type)s AND state <> 'normal' AND cleared_at IS NULL;
