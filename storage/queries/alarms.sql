-- Alarms and their history. old and new are two columns of a table: the state that an event finds and the one it leaves.

-- name: replace
-- Alarms that come again end the returned and unacknowledged one before them. Also written down as an event.
WITH replaced AS (
    UPDATE alarm a SET state = m.new
    FROM unnest(%(id)s::text[], %(subject)s::text[], %(type)s::text[], %(at)s::timestamptz[])
             AS g (id, subject, type, at),
         unnest(%(old)s::text[], %(new)s::text[]) AS m (old, new)
    WHERE a.subject = g.subject AND a.type = g.type AND a.id <> g.id AND a.state = m.old
    RETURNING a.*, g.at
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state)
    SELECT id, at, 'replace', state FROM replaced ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM replaced ORDER BY id;

-- name: raise
-- Raise alarms; one that is there already, or whose subject has an active one of its type, is left as it is. A shelved
-- one whose condition had gone stands again underneath, seen by nobody, and one that is raised again worse escalates.
WITH given AS (
    SELECT * FROM unnest(
        %(id)s::text[], %(subject)s::text[], %(asset)s::text[], %(type)s::text[], %(severity)s::text[],
        %(at)s::timestamptz[], %(observed_at)s::timestamptz[], %(why)s::text[]
    ) AS g (id, subject, asset, type, severity, at, observed_at, why)
), stood AS (
    UPDATE alarm a SET state_under = 'unacknowledged', cleared_at = NULL, why = g.why::jsonb,
                       acknowledged_by = NULL, acknowledged_at = NULL, note = NULL
    FROM given g
    WHERE a.subject = g.subject AND a.type = g.type AND a.state = 'shelved'
      AND a.state_under IN ('returned_unacknowledged', 'normal')
    RETURNING a.*, g.at
), raised AS (
    INSERT INTO alarm (id, subject, asset, type, severity, state, raised_at, observed_at, why)
    SELECT id, subject, asset, type, severity, 'unacknowledged', at, observed_at, why::jsonb FROM given
    ON CONFLICT DO NOTHING
    RETURNING *, raised_at AS at
), worsened AS (
    UPDATE alarm a SET severity = g.severity, why = g.why::jsonb
    FROM given g
    WHERE a.id = g.id AND a.state <> 'normal' AND a.cleared_at IS NULL
      AND array_position(%(severities)s::text[], g.severity) > array_position(%(severities)s::text[], a.severity)
    RETURNING a.*, g.at
), turned AS (
    SELECT *, 'raise' AS event FROM stood
    UNION ALL SELECT *, 'raise' FROM raised
    UNION ALL SELECT *, 'escalate' FROM worsened
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state)
    SELECT id, at, event, coalesce(state_under, state) FROM turned ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM turned ORDER BY id;

-- name: clear
-- The condition of these subjects' alarms has gone.
WITH cleared AS (
    UPDATE alarm a SET
        state = CASE WHEN a.state = 'shelved' THEN 'shelved' ELSE m.new END,
        state_under = CASE WHEN a.state = 'shelved' THEN m.new END,
        cleared_at = greatest(g.at, a.raised_at)
    FROM unnest(%(subject)s::text[], %(type)s::text[], %(at)s::timestamptz[]) AS g (subject, type, at),
         unnest(%(old)s::text[], %(new)s::text[]) AS m (old, new)
    WHERE a.subject = g.subject AND a.type = g.type AND a.state <> 'normal' AND coalesce(a.state_under, a.state) = m.old
    RETURNING a.*
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state)
    SELECT id, cleared_at, 'clear', coalesce(state_under, state) FROM cleared ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM cleared ORDER BY id;

-- name: acknowledge
-- An operator has seen an alarm. Gives no row where that changes nothing.
WITH acknowledged AS (
    UPDATE alarm a SET
        state = CASE WHEN a.state = 'shelved' THEN 'shelved' ELSE m.new END,
        state_under = CASE WHEN a.state = 'shelved' THEN m.new END,
        acknowledged_by = %(by)s, acknowledged_at = %(at)s, note = %(note)s
    FROM unnest(%(old)s::text[], %(new)s::text[]) AS m (old, new)
    WHERE a.id = %(id)s AND a.state <> 'normal' AND coalesce(a.state_under, a.state) = m.old
    RETURNING a.*
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state, by, note)
    SELECT id, acknowledged_at, 'acknowledge', coalesce(state_under, state), acknowledged_by, note FROM acknowledged
    ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM acknowledged;

-- name: shelve
-- Put an alarm aside until a moment, or until another one. Gives no row for one that is normal.
WITH shelved AS (
    UPDATE alarm a SET
        state = 'shelved', state_under = coalesce(a.state_under, a.state),
        shelved_until = %(until)s, shelved_by = %(by)s, shelve_reason = %(reason)s
    WHERE a.id = %(id)s AND a.state <> 'normal'
    RETURNING a.*
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state, by, note)
    SELECT id, %(at)s, 'shelve', 'shelved', shelved_by, shelve_reason FROM shelved ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM shelved;

-- name: unshelve
-- Have a shelved alarm stand as it does underneath: one, or all whose time is up.
WITH ended AS (
    SELECT a.id, a.shelved_until FROM alarm a
    WHERE a.state = 'shelved'
      AND CASE WHEN %(id)s::text IS NULL THEN a.shelved_until <= %(at)s ELSE a.id = %(id)s END
), stands AS (
    UPDATE alarm a SET
        state = a.state_under, state_under = NULL, shelved_until = NULL, shelved_by = NULL, shelve_reason = NULL
    FROM ended e WHERE a.id = e.id
    RETURNING a.*, least(e.shelved_until, %(at)s) AS ended_at
), noted AS (
    INSERT INTO alarm_event (alarm_id, at, event, state, by)
    SELECT id, ended_at, 'unshelve', state, %(by)s FROM stands ON CONFLICT DO NOTHING
)
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM stands ORDER BY raised_at, id;

-- name: of_ids
-- Alarms by their ids.
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM alarm WHERE id = ANY(%(ids)s::text[]) ORDER BY raised_at, id;

-- name: page
-- Alarms, newest first, of one state, type or asset where asked; "active" is every state but normal.
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM alarm
WHERE (%(before)s::timestamptz IS NULL OR (raised_at, id) < (%(before)s::timestamptz, %(before_id)s::text))
  AND (%(state)s::text IS NULL OR state = %(state)s::text OR (%(state)s::text = 'active' AND state <> 'normal'))
  AND (%(type)s::text IS NULL OR type = %(type)s::text)
  AND (%(asset)s::text IS NULL OR asset = %(asset)s::text)
ORDER BY raised_at DESC, id DESC
LIMIT %(limit)s;

-- name: standing
-- A subject's alarms whose condition holds.
SELECT id, subject, asset, type, severity, state, state_under, shelved_until, shelved_by, shelve_reason,
       raised_at, cleared_at, observed_at, acknowledged_by, acknowledged_at, note, why
FROM alarm WHERE subject = %(subject)s AND state <> 'normal' AND cleared_at IS NULL ORDER BY type;

-- name: active
-- The states of all alarms that are not normal.
SELECT id, state, state_under FROM alarm WHERE state <> 'normal';

-- name: stray
-- Alarms that stand about retired assets, and when those were retired.
SELECT l.subject, l.type, a.retired_at FROM alarm l JOIN asset a USING (asset)
WHERE l.state <> 'normal' AND l.cleared_at IS NULL AND a.retired_at IS NOT NULL;
