-- name: record
-- Who changed what.
INSERT INTO audit (at, by, action, subject, detail)
VALUES (%(at)s, %(by)s, %(action)s, %(subject)s, %(detail)s);
