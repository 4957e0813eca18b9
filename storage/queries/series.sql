-- One field of one asset through its history; conditions bound the time and the value.

-- name: patience
-- Give up what takes longer, within this transaction.
SELECT set_config('statement_timeout', %(ms)s, true);

-- name: read
-- A part of the values, in an order.
SELECT observed_at, {field}
FROM {kind}
WHERE asset_id = %(asset_id)s AND {field} IS NOT NULL{conditions}
ORDER BY {order}
OFFSET %(skip)s
LIMIT %(limit)s;

-- name: count
-- How many values there are, up to a number.
SELECT count(*)
FROM (SELECT FROM {kind} WHERE asset_id = %(asset_id)s AND {field} IS NOT NULL{conditions} LIMIT %(most)s) AS counted;
