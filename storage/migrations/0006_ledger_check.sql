-- The proof of the ledger: what was booked against what is there.

-- What retention has dropped, by day of receipt, booked as it is dropped: it is neither there nor lost.
ALTER TABLE ledger
    ADD COLUMN rows_retired       bigint NOT NULL DEFAULT 0,
    ADD COLUMN quarantine_retired bigint NOT NULL DEFAULT 0;

-- The last comparison of each UTC day of receipt, in one snapshot; checked_at is city time. Expected are the
-- observation rows stored and replayed, and the refused ones whose bytes are kept, without what retention has dropped.
CREATE TABLE ledger_check (
    day                 date PRIMARY KEY,
    checked_at          timestamptz NOT NULL,
    rows_expected       bigint NOT NULL,
    rows_found          bigint NOT NULL,
    quarantine_expected bigint NOT NULL,
    quarantine_found    bigint NOT NULL
);
