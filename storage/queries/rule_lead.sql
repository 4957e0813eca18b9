-- Who leads the rules, and what of its decisions is recorded.

-- name: lead
-- Whether this session now leads the rules.
SELECT pg_try_advisory_lock(hashtext('lamplighter rules'));

-- name: step_down
-- This session leads the rules no more.
SELECT pg_advisory_unlock(hashtext('lamplighter rules'));

-- name: term
-- The present term.
SELECT term, leader, records, since FROM rule_lead;

-- name: begin
-- A new term begins.
UPDATE rule_lead SET term = term + 1, leader = %(leader)s, records = 0, since = %(at)s RETURNING term;

-- name: end
-- The leader of this term has said farewell.
UPDATE rule_lead SET leader = '' WHERE term = %(term)s;

-- name: count
-- Count the records of a term, unless they are counted already or the term is over.
UPDATE rule_lead SET records = %(number)s WHERE term = %(term)s AND records < %(number)s;

-- name: hold
-- Nobody turns alarms until the end of this transaction.
LOCK TABLE alarm IN SHARE ROW EXCLUSIVE MODE;
