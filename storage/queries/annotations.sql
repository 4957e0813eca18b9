-- What happened, as marks on a time axis.

-- name: between
-- Alarms that stood, and overrides that people ordered, at any time of a span; newest first, after one where asked.
SELECT * FROM (
    SELECT 'alarm' AS what, id, raised_at AS time, cleared_at AS time_end, type AS title, severity AS tag, subject
    FROM alarm
    WHERE raised_at < %(until)s AND coalesce(cleared_at, 'infinity') >= %(since)s
    UNION ALL
    SELECT 'command', id, queued_at, least(expires_at, ended_at), reason, state, 'asset:' || asset
    FROM command
    WHERE reason = 'override' AND queued_at < %(until)s AND least(expires_at, ended_at) >= %(since)s
) mark
WHERE %(before)s::timestamptz IS NULL OR (time, id) < (%(before)s::timestamptz, %(before_id)s::text)
ORDER BY time DESC, id DESC
LIMIT %(limit)s;
