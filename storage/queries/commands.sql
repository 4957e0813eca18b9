-- Commands. "set" is reserved in SQL, so the column is settings.

-- name: order
-- Write queued commands down; one whose id is there already is left as it is.
INSERT INTO command (id, asset_id, asset, device, settings, reason, state, queued_at, expires_at, by, note)
SELECT g.id, g.asset_id, g.asset, g.device, g.settings::jsonb, g.reason, 'queued', g.queued_at, g.expires_at,
       coalesce(%(by)s, c.by), coalesce(%(note)s, c.note)
FROM unnest(
    %(id)s::text[], %(asset_id)s::int[], %(asset)s::text[], %(device)s::text[], %(settings)s::text[],
    %(reason)s::text[], %(queued_at)s::timestamptz[], %(expires_at)s::timestamptz[], %(carries)s::text[]
) WITH ORDINALITY AS g (id, asset_id, asset, device, settings, reason, queued_at, expires_at, carries, place)
LEFT JOIN command c ON c.id = g.carries
ORDER BY g.place
ON CONFLICT DO NOTHING
RETURNING id, asset, device, settings, reason, state, queued_at, sent_at, acknowledged_at, verified_at, expires_at,
          ended_at, error, by, note;

-- name: announce
-- Tell the rules that an override was written or taken back.
SELECT pg_notify('lamplighter_override', '');

-- name: end_override
-- Take an override back; one that the rules have not taken up yet will not be sent at all.
UPDATE command SET ended_at = %(at)s, state = CASE WHEN state = 'queued' THEN 'superseded' ELSE state END
WHERE id = %(id)s AND reason = 'override' AND ended_at IS NULL AND expires_at > %(at)s
RETURNING id, asset, device, settings, reason, state, queued_at, sent_at, acknowledged_at, verified_at, expires_at,
          ended_at, error, by, note;

-- name: replaced
-- Commands that another one has taken the place of; they keep their state.
UPDATE command c SET ended_at = g.at
FROM unnest(%(id)s::text[], %(at)s::timestamptz[]) AS g (id, at)
WHERE c.id = g.id AND c.ended_at IS NULL AND c.expires_at >= g.at;

-- name: find
-- One command.
SELECT id, asset, device, settings, reason, state, queued_at, sent_at, acknowledged_at, verified_at, expires_at,
       ended_at, error, by, note
FROM command WHERE id = %(id)s;

-- name: page
-- Commands, newest first, of one asset where asked.
SELECT id, asset, device, settings, reason, state, queued_at, sent_at, acknowledged_at, verified_at, expires_at,
       ended_at, error, by, note
FROM command
WHERE (%(before)s::timestamptz IS NULL OR (queued_at, id) < (%(before)s::timestamptz, %(before_id)s::text))
  AND (%(asset)s::text IS NULL OR asset = %(asset)s::text)
ORDER BY queued_at DESC, id DESC
LIMIT %(limit)s;

-- name: waiting
-- Commands that have not been sent.
SELECT c.id, c.asset_id, a.kind, c.device, c.settings, c.reason, c.expires_at
FROM command c JOIN asset a USING (asset_id)
WHERE c.state = 'queued' AND (NOT %(overrides_only)s::boolean OR c.reason = 'override')
ORDER BY c.queued_at, c.id;

-- name: ended
-- Which of these commands have been taken back.
SELECT id, ended_at FROM command WHERE id = ANY(%(ids)s::text[]) AND ended_at IS NOT NULL;

-- name: sent
-- The broker has these commands.
UPDATE command c SET sent_at = coalesce(c.sent_at, g.at), state = CASE WHEN c.state = 'queued' THEN 'sent' ELSE c.state END
FROM unnest(%(id)s::text[], %(at)s::timestamptz[]) AS g (id, at)
WHERE c.id = g.id AND (c.state = 'queued' OR c.sent_at IS NULL);

-- name: expire_lost
-- Commands that were never decided and that nobody follows any more.
UPDATE command SET state = 'expired', error = 'The lease ended and nobody followed the command any more.'
WHERE (state IN ('queued', 'sent') OR (state = 'acknowledged' AND ended_at IS NULL AND settings ? 'setpoint_pct'))
  AND expires_at <= %(at)s AND id <> ALL(%(known)s::text[]);

-- name: move
-- Commands come into another state where old and new, two columns of a table, allow it.
UPDATE command c SET
    state = g.state,
    error = coalesce(g.error, c.error),
    sent_at = CASE WHEN g.state IN ('acknowledged', 'rejected') THEN coalesce(c.sent_at, g.at) ELSE c.sent_at END,
    acknowledged_at = CASE WHEN g.state = 'acknowledged' THEN g.at ELSE c.acknowledged_at END,
    verified_at = CASE WHEN g.state = 'verified' THEN g.at ELSE c.verified_at END
FROM unnest(%(id)s::text[], %(state)s::text[], %(at)s::timestamptz[], %(error)s::text[]) AS g (id, state, at, error)
WHERE c.id = g.id
  AND (c.state, g.state) IN (SELECT * FROM unnest(%(old)s::text[], %(new)s::text[]));
