-- Versions of the rules, and which of them was active when.

-- name: keep
-- Keep a version once.
INSERT INTO rule_version (version, content, source, digest, author, active_from)
VALUES (%(version)s, %(content)s, %(source)s, %(digest)s, %(author)s, %(at)s)
ON CONFLICT DO NOTHING;

-- name: activate
-- It is active from now on, unless it is already.
INSERT INTO rule_activation (version, activated_at, author)
SELECT %(version)s::text, %(at)s::timestamptz, %(author)s::text
WHERE (SELECT version FROM rule_activation ORDER BY id DESC LIMIT 1) IS DISTINCT FROM %(version)s::text;

-- name: active
-- The version that is active.
SELECT v.version, v.content, v.source, v.digest, a.author, a.activated_at
FROM rule_activation AS a JOIN rule_version AS v USING (version)
ORDER BY a.id DESC LIMIT 1;

-- name: class_min_pct
-- The town's own floors of lighting classes, as the active version has them.
SELECT v.content::jsonb #> '{lighting,class_min_pct}'
FROM rule_activation AS a JOIN rule_version AS v USING (version)
ORDER BY a.id DESC LIMIT 1;
