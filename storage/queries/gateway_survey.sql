-- What `lamplighter doctor` asks about devices behind network servers.

-- name: without_model
-- Devices whose uplinks wait because no codec is named for them, most uplinks first, with the last refusal.
SELECT device, count(*)::int AS uplinks, (array_agg(detail ORDER BY received_at DESC))[1] AS detail
FROM quarantine
WHERE received_at >= %(since)s AND replayed_at IS NULL AND reason IN ('undecodable', 'unknown_device')
  AND device IS NOT NULL AND starts_with(detail, 'no codec is named')
GROUP BY device ORDER BY 2 DESC, 1;
