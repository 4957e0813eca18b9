-- The last batch that each ingest process has settled, written in the batch's own transaction: so a process whose commit
-- was never confirmed learns whether it took place. The number of a transaction does not tell: a server that crashed
-- before the number was on its disk gives it to another.
ALTER TABLE ingest_instance ADD COLUMN settled_batch uuid;
