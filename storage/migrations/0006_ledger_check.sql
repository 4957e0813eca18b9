-- The proof of the ledger: what was booked against what is there.

-- What retention has dropped, by day of receipt, booked as it is dropped: it is neither there nor lost.
ALTER TABLE ledger
    ADD COLUMN rows_retired       bigint NOT NULL DEFAULT 0,
    ADD COLUMN quarantine_retired bigint NOT NULL DEFAULT 0;

-- The last check of each UTC day of receipt, all of it in one snapshot; times are the city's. without_fate: received
-- less the fates. Expected are the observation rows stored and replayed, and the refused ones whose bytes are kept, both
-- without what retention has dropped. differs_since: the check that first found a difference, NULL where there is none.
CREATE TABLE ledger_check (
    day                 date PRIMARY KEY,
    checked_at          timestamptz NOT NULL,
    without_fate        bigint NOT NULL,
    rows_expected       bigint NOT NULL,
    rows_found          bigint NOT NULL,
    quarantine_expected bigint NOT NULL,
    quarantine_found    bigint NOT NULL,
    differs_since       timestamptz
);
