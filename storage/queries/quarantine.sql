-- name: page
-- Refused uplinks before an id, newest first, of one reason or device where asked, until their bytes fill a page.
SELECT id, received_at, topic, device, reason, detail, payload, replayed_at
FROM (
    SELECT *, sum(octet_length(payload)) OVER (ORDER BY id DESC) - octet_length(payload) AS bytes_before
    FROM (
        SELECT *
        FROM quarantine
        WHERE (%(before)s::bigint IS NULL OR id < %(before)s::bigint)
          AND (%(reason)s::text IS NULL OR reason = %(reason)s::text)
          AND (%(device)s::text IS NULL OR device = %(device)s::text)
        ORDER BY id DESC
        LIMIT %(limit)s
    ) AS newest
) AS measured
WHERE bytes_before < %(bytes)s
ORDER BY id DESC;

-- name: exists_before
-- Whether the same list goes on before an id.
SELECT EXISTS (
    SELECT FROM quarantine
    WHERE id < %(before)s
      AND (%(reason)s::text IS NULL OR reason = %(reason)s::text)
      AND (%(device)s::text IS NULL OR device = %(device)s::text)
);
