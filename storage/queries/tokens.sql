-- name: issue
-- Keep a new token's digest.
INSERT INTO api_token (id, digest, role, name, created_at, expires_at)
VALUES (%(id)s, %(digest)s, %(role)s, %(name)s, %(created_at)s, %(expires_at)s);

-- name: all
-- Every token, newest first.
SELECT id, role, name, created_at, expires_at, last_used_at, revoked_at
FROM api_token
ORDER BY created_at DESC, id;

-- name: find
-- The token of a digest, whatever its state.
SELECT id, role, name, created_at, expires_at, last_used_at, revoked_at, digest
FROM api_token
WHERE digest = %(digest)s;

-- name: touch
-- Note that a token was used, where that was last noted before a time.
UPDATE api_token SET last_used_at = %(at)s
WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(before)s);

-- name: revoke
-- End a token that has not been revoked yet.
UPDATE api_token SET revoked_at = %(at)s
WHERE id = %(id)s AND revoked_at IS NULL;
